"""Which images run: what a status says, what it proves, and what it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift.across import Across
from drift.health import Observations
from drift.image_ids import Ran
from drift.running import Container, Running
from lockstep.values import Json, ObjectKey

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
HUB = "docker.io/library/web"
SITES = ("seoul", "sejong")
DEPLOYMENT = ObjectKey(group="apps", kind="Deployment", namespace="pay", name="web")


@pytest.mark.parametrize(
    ("image", "image_id", "runtime", "expected"),
    [
        ("web:1", f"{HUB}@{A}", "containerd", Ran(digest=A, named=True, resolved=True)),
        ("web:1", f"docker-pullable://web@{A}", "docker", Ran(digest=A, named=True, resolved=True)),
        ("reg.example:5000/web:1", f"reg.example:5000/web@{A}", "containerd", Ran(digest=A, named=True, resolved=True)),
        # An index, or the manifest of a platform: CRI-O names either.
        ("web:1", f"{HUB}@{A}", "cri-o", Ran(digest=A, named=True)),
        ("web:1", f"{HUB}@{A}", "", Ran(digest=A, named=True)),
        # The same bytes under another name may have been copied for one platform alone.
        ("web:1", f"mirror.example/web@{A}", "containerd", Ran(digest=A, named=True)),
        # Ids of configurations.
        ("web:1", A, "containerd", Ran(digest=A)),
        ("web:1", f"docker://{A}", "docker", Ran(digest=A)),
        ("web:1", "a" * 64, "cri-o", Ran(digest=A)),
        # Nobody can read it.
        ("web:1", "web:1", "containerd", Ran(digest="")),
        ("web:1", f"{HUB}@sha256:beef", "containerd", Ran(digest="")),
        ("web:1", "\u202e\x00@" * 3, "containerd", Ran(digest="")),
        ("not an image", f"{HUB}@{A}", "containerd", Ran(digest=A, named=True)),
    ],
)
def test_every_form_of_an_image_id_is_read(image: str, image_id: str, runtime: str, expected: Ran) -> None:
    """Of docker, containerd and CRI-O; only what a reference was resolved to may be held against another."""
    assert Ran.of(image_id, image=image, container_id=f"{runtime}://1" if runtime else "") == expected


def pod(name: str, image: str, image_id: str, *, runtime: str = "containerd", owner: str = "web-1") -> dict[str, Json]:
    """A Pod of a ReplicaSet, of one container; ``""`` says nothing of what it runs."""
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "controller": True}
    status = {"name": "api", "imageID": image_id, "containerID": f"{runtime}://{name}"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "pay", "ownerReferences": [reference]},
        "spec": {"containers": [{"name": "api", "image": image}]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


def _owners(name: str = "web-1") -> list[dict[str, Json]]:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
    metadata = {"namespace": "pay"}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {**metadata, "name": "web"}},
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {**metadata, "name": name, "ownerReferences": [reference]},
        },
    ]


def _site(*objects: Mapping[str, Json]) -> Observations:
    seen = Observations(belongs=lambda _, one: "ownerReferences" not in one["metadata"], standby=False)
    for one in objects:
        seen.see(ObjectKey.of(dict(one)), dict(one))
    return seen


def running(truth: Iterable[Mapping[str, Json]], follower: Iterable[Mapping[str, Json]] | None = None) -> Running:
    """What runs at two sites; None is a site that runs nothing."""
    pods = [_site(*one, *_owners()).pods if one is not None else None for one in (truth, follower)]
    return Across(SITES, (pods[0], pods[1])).running()


def _said(found: Running) -> list[str]:
    return [one.said for one in found.listed]


def test_a_tag_that_two_sites_resolved_to_two_digests_is_told_of_the_workload() -> None:
    """The Pod's owner is named, with the image in its spec and what each site runs."""
    found = running([pod("p", "web:1", f"{HUB}@{A}")], [pod("q", "web:1", f"{HUB}@{B}")])
    expected = Container(
        key=DEPLOYMENT,
        container="api",
        image="web:1",
        digests={"seoul": (A,), "sejong": (B,)},
        said="different",
        wrong=SITES,
    )
    assert found == Running(containers=1, different=(expected,), listed=(expected,))


def test_pods_of_one_workload_that_run_two_digests_of_one_tag_are_told() -> None:
    """The tag was moved between two pulls; another site is not needed to see it."""
    pods = [pod("p", "web:1", f"{HUB}@{A}"), pod("q", "web:1", f"{HUB}@{B}"), pod("r", "web:1", f"{HUB}@{A}")]
    (told,) = running(pods).different
    assert told.digests == {"seoul": (A, B)}


@pytest.mark.parametrize(
    ("truth", "follower", "said"),
    [
        (("web:1", f"{HUB}@{A}", "containerd"), ("web:1", f"web@{A}", "cri-o"), "same"),
        (("web:1", f"{HUB}@{A}", "containerd"), ("web:1", f"{HUB}@{B}", "cri-o"), "notComparable"),
        (("web:1", f"{HUB}@{A}", "containerd"), ("web:1", B, "containerd"), "notComparable"),
        (("web:1", f"{HUB}@{A}", "containerd"), ("web:1", "nonsense", "containerd"), "notComparable"),
        (("web:1", "nonsense", "containerd"), ("web:1", "nonsense", "containerd"), "notComparable"),
        (("web:1", f"docker://{A}", "docker"), ("web:1", f"docker://{B}", "docker"), "notComparable"),
        ((f"web@{A}", f"{HUB}@{A}", "containerd"), (f"web@{A}", f"{HUB}@{A}", "cri-o"), "same"),
        # What is pinned may be an index, and what runs a manifest in it.
        ((f"web@{A}", f"{HUB}@{B}", "containerd"), (f"web@{A}", f"{HUB}@{A}", "containerd"), "notComparable"),
        ((f"web@{A}", f"{HUB}@{B}", "containerd"), (f"web@{A}", f"{HUB}@{B}", "containerd"), "notComparable"),
        # That the sites name different images is a difference of the field, and told there.
        (("web:1", f"{HUB}@{A}", "containerd"), ("web:2", f"{HUB}@{B}", "containerd"), "alone"),
    ],
)
def test_what_proves_nothing_is_neither_equal_nor_an_alarm(
    truth: tuple[str, str, str], follower: tuple[str, str, str], said: str
) -> None:
    """An index, a manifest and an id are three digests of one image; equal ones are equal by whatever name."""
    found = running(*([pod("p", one[0], one[1], runtime=one[2])] for one in (truth, follower)))
    assert set(_said(found)) == {said}
    assert found.different == ()
    assert found.not_comparable == (said == "notComparable")


def test_pods_that_are_over_going_or_of_others_say_nothing() -> None:
    """Nor does a container that has not started."""
    over, going = pod("p", "web:1", f"{HUB}@{A}"), pod("q", "web:1", f"{HUB}@{B}")
    over["status"]["phase"] = "Failed"
    going["metadata"]["deletionTimestamp"] = "2026-11-01T00:00:00Z"
    theirs = pod("r", "web:1", f"{HUB}@{C}", owner="somebody-elses")
    assert running([over, going, theirs, pod("s", "web:1", "")]) == Running()


@pytest.mark.parametrize("listed", ["initContainers", "ephemeralContainers"])
def test_containers_that_begin_a_pod_and_those_that_a_person_attached_are_seen(listed: str) -> None:
    """A sidecar is one that begins and stays; what was attached to look at a Pod runs there too."""
    attached = pod("s", "web:1", "")
    attached["spec"][listed] = [{"name": "look", "image": "sh:1"}]
    attached["status"][f"{listed.removesuffix('s')}Statuses"] = [{"name": "look", "imageID": A}]
    (seen,) = running([attached]).listed
    assert (seen.listed, seen.container, seen.digests) == (listed, "look", {"seoul": (A,)})


def test_more_containers_than_anybody_reads_are_counted() -> None:
    """A hundred of them are listed, by object."""
    pods = [pod(f"p{number:04}", f"web:{number}", f"{HUB}@{A}") for number in range(600)]
    found = running(pods)
    assert (found.containers, len(found.listed)) == (600, 100)


def test_what_is_stored_is_what_is_told() -> None:
    """It survives the way through JSON; what an older version stored says nothing."""
    found = running([pod("p", "web:1", f"{HUB}@{A}")], [pod("q", "web:1", f"{HUB}@{B}"), pod("r", "x:1", A)])
    assert Running.from_json(found.to_json()) == found
    assert Running.from_json({}) == Running()


_images = st.sampled_from(["web:1", "web", f"web@{A}", "reg.example/web:2", "not an image"])
_ids = st.sampled_from(
    [A, f"docker://{A}", "a" * 64, f"{HUB}@{A}", f"docker-pullable://web@{A}", f"reg.example/web@{A}"]
)
_runtimes = st.sampled_from(["containerd", "docker", "cri-o", ""])


@given(st.lists(st.tuples(_images, _ids | st.just(""), _runtimes, st.booleans()), max_size=8))
def test_nothing_is_said_where_no_digest_differs(ran: list[tuple[str, str, str, bool]]) -> None:
    """Whatever the forms, the runtimes and the sites, with Pods between that say nothing."""
    sides: tuple[list[dict[str, Json]], list[dict[str, Json]]] = ([], [])
    for number, (image, image_id, runtime, at_follower) in enumerate(ran):
        sides[at_follower].append(pod(f"p{number}", image, image_id, runtime=runtime))
    found = running(*sides)
    assert (found.different, found.not_comparable) == ((), 0)
    assert found.containers == len({image for image, image_id, _, _ in ran if image_id})


@given(st.lists(st.tuples(_images, _runtimes, st.booleans()), max_size=8))
def test_nothing_is_said_where_no_status_says_what_runs(ran: list[tuple[str, str, bool]]) -> None:
    """Nor where there are no Pods at all."""
    sides: tuple[list[dict[str, Json]], list[dict[str, Json]]] = ([], [])
    for number, (image, runtime, at_follower) in enumerate(ran):
        sides[at_follower].append(pod(f"p{number}", image, "", runtime=runtime))
    assert running(*sides) == Running()


_POOL = [
    *(pod("p", "web:1", f"{HUB}@{digest}") for digest in (A, B)),
    *(pod("q", "web:1", image_id, owner=owner) for image_id in (f"{HUB}@{A}", A, "") for owner in ("web-1", "web-2")),
    pod("r", f"web@{A}", f"{HUB}@{A}"),
    *_owners("web-1"),
    _owners("web-2")[1],
    {**_owners("web-2")[1], "metadata": {"name": "web-2", "namespace": "pay"}},
]


@given(st.lists(st.tuples(st.sampled_from(_POOL), st.booleans(), st.integers(0, 1), st.booleans()), max_size=25))
def test_what_was_seen_one_by_one_is_what_is_seen_at_once(
    changes: list[tuple[dict[str, Json], bool, int, bool]],
) -> None:
    """Whatever comes, changes, moves to another owner and goes at either site, asked for in between or not."""
    seen = _site(), _site()
    there: tuple[dict[ObjectKey, dict[str, Json]], dict[ObjectKey, dict[str, Json]]] = ({}, {})
    across = Across(SITES, (seen[0].pods, seen[1].pods))
    for one, gone, side, asked in changes:
        key = ObjectKey.of(one)
        there[side].pop(key, None)
        if not gone:
            there[side][key] = one
        seen[side].see(key, None if gone else one)
        if asked:
            across.running()
    anew = _site(*there[0].values()), _site(*there[1].values())
    assert across.running() == Across(SITES, (anew[0].pods, anew[1].pods)).running()


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)


@given(status=_ANYTHING, statuses=_ANYTHING, spec=_ANYTHING)
def test_no_status_breaks_it(status: Json, statuses: Json, spec: Json) -> None:
    """Whoever may write a status may write anything."""
    strange = pod("p", "web:1", A)
    strange["spec"]["initContainers"] = spec
    strange["status"] |= {"initContainerStatuses": statuses, "containerStatuses": [status]}
    assert running([strange]).different == ()
