"""Images: what runs by a reference beside what it pins, what registries have, and what nobody knows."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drift.image_ids import Ran
from drift.proofs import NOT_COMPARABLE, alike, proof
from lockstep.store import images, parts
from lockstep.store.database import Database, open_database
from lockstep.store.migrate import upgrade
from lockstep.values import Json, ObjectKey
from tests.drift.telling import SITES, Manifest, World

PIN, CHILD, OTHER, ID = (f"sha256:{letter * 64}" for letter in "1234")
AMD, ARM = "linux/amd64", "linux/arm64"
START = datetime(2026, 11, 1, tzinfo=UTC)
NAME = "registry.example/web"
PATH = "spec.template.spec.{}[web].image"

KNOWN = {
    PIN: {CHILD: AMD, ID: AMD, "sha256:x": "unknown/unknown"},
    CHILD: {ID: ""},
    "sha256:rebuilt": {CHILD: AMD, ID: AMD},
    "sha256:half": {CHILD: AMD, "sha256:b": ARM},
    "sha256:otherhalf": {CHILD: AMD, "sha256:c": ARM},
    "sha256:plain": {"sha256:d": ""},
    "sha256:nothing": {},
}


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (PIN, PIN, True),
        (PIN, CHILD, True),
        (CHILD, PIN, True),
        (PIN, ID, True),
        (PIN, OTHER, False),
        (PIN, "sha256:x", True),
        (PIN, "sha256:rebuilt", True),
        ("sha256:half", "sha256:otherhalf", None),
        (PIN, "sha256:plain", False),
        ("sha256:plain", OTHER, False),
        ("sha256:nothing", OTHER, False),
        (OTHER, ID, None),
        (PIN, "", None),
        ("", "", None),
    ],
)
def test_two_digests_are_one_image_by_what_belongs_to_it(one: str, other: str, said: bool | None) -> None:
    """Index, manifest and id of one are one; what is nowhere below it is another; without knowledge nobody can say."""
    assert alike(Ran(digest=one), Ran(digest=other), KNOWN.get) is said
    assert alike(Ran(digest=other), Ran(digest=one), KNOWN.get) is said


def test_more_digests_than_are_held_against_each_other_prove_nothing() -> None:
    """All that are looked at are of one image; what the last one is nobody looked at."""
    below = [f"sha256:{number:064}" for number in range(40)]
    known = {one: dict.fromkeys(below, AMD) for one in below}
    ran = {site: [Ran(digest=one) for one in below] for site in SITES}
    assert proof(f"{NAME}:v1", ran, held={}, children=known.get).said == NOT_COMPARABLE


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Nothing is there yet."""
    database = open_database(f"sqlite:///{tmp_path}/state.db")
    upgrade(database)
    return World.make(Path("/configuration"), database)


def _learn(database: Database, **known: dict[str, str]) -> None:
    with database.write() as connection:
        parts.record(connection, known, at=START)


def _deployment(image: str, listed: str) -> Manifest:
    containers = {"containers": [{"name": "side", "image": f"side@{OTHER}"}]}
    containers.setdefault(listed, []).append({"name": "web", "image": image})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": 1, "template": {"spec": containers}},
    }


def _pod(image: str, digest: str, listed: str) -> Manifest:
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
    status = {"name": "web", "imageID": f"{image.partition('@')[0]}@{digest}", "containerID": "containerd://1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": "shop", "ownerReferences": [owner]},
        "spec": {listed: [{"name": "web", "image": image}]},
        "status": {f"{listed.removesuffix('s')}Statuses": [status]},
    }


def _run(world: World, image: str, *, listed: str = "containers", **digests: str) -> list[tuple[str, str, str]]:
    """Run an image at sites, by digest; verdict, site and path of what is said of it."""
    manifest = _deployment(image, listed)
    world.git.commits["head"] = [copy.deepcopy(manifest)]
    for site in SITES:
        world.put(site, manifest)
        if digest := digests.get(site):
            world.put(site, _pod(image, digest, listed))
        else:
            world.delete(site, ObjectKey(group="", kind="Pod", namespace="shop", name="web-1"))
    world.told()
    return _said(world)


def _said(world: World) -> list[tuple[str, str, str]]:
    return [(one.verdict, one.site, one.people_path) for one in world.findings()]


@pytest.mark.parametrize("listed", ["containers", "initContainers", "ephemeralContainers"])
def test_another_image_under_a_pinned_digest_is_told_at_its_container_and_resolved_when_it_is_gone(
    world: World, listed: str
) -> None:
    """Of what is known of the index nothing runs there; a child of it is what is pinned."""
    _learn(world.scanning.database, **{PIN: KNOWN[PIN]})
    image = f"{NAME}@{PIN}"
    path = PATH.format(listed)
    assert _run(world, image, listed=listed, seoul=CHILD, sejong=OTHER) == [("StandbyDrift", "sejong", path)]
    (finding,) = world.findings()
    assert (finding.values["standby"], finding.severity) == (OTHER, 0.8)
    assert finding.path == f"/spec/template/spec/{listed}/{1 if listed == 'containers' else 0}/image"
    assert _run(world, image, listed=listed, seoul=OTHER, sejong=ID) == [("PrimaryHotfix", "seoul", path)]
    assert _run(world, image, listed=listed, seoul=OTHER, sejong=OTHER) == [("Diverged", "seoul,sejong", path)]
    assert _run(world, image, listed=listed, seoul=PIN, sejong=CHILD) == []
    assert world.stored().verdict == "InSync"


def test_a_digest_of_which_nobody_knows_what_belongs_to_it_is_unknown_until_somebody_does(world: World) -> None:
    """Unknown is never equal; the next comparison of everything knows."""
    image = f"{NAME}@{PIN}"
    assert _run(world, image, seoul=PIN, sejong=CHILD) == [("Unknown", "seoul,sejong", PATH.format("containers"))]
    assert "nobody knows" in str(world.findings()[0].cause["note"])
    _learn(world.scanning.database, **{PIN: KNOWN[PIN]})
    world.told(scheduled=True)
    assert _said(world) == []


def _stocked(world: World, **digests: str) -> None:
    rows = [
        images.Standing(
            repository="web",
            reference="1",
            site=site,
            digest=digest,
            state="equal",
            checked_at=START,
            verified_at=START,
        )
        for site, digest in digests.items()
    ]
    with world.scanning.database.write() as connection:
        images.record(connection, rows)


def test_a_tag_is_held_against_what_runs_at_the_other_site_and_what_the_registries_have(tmp_path: Path) -> None:
    """A start at the standby would pull what its registry has under the tag."""
    database = open_database(f"sqlite:///{tmp_path}/state.db")
    upgrade(database)
    world = World.make(Path("/configuration"), database, images=[{"name": "web"}])
    world.git.digests["web:1"] = CHILD
    _learn(database, **{PIN: KNOWN[PIN], OTHER: {}})
    image = "web:1"
    diverged = [("Diverged", "seoul,sejong", PATH.format("containers"))]
    assert _run(world, image, seoul=PIN, sejong=CHILD) == []
    assert _run(world, image, seoul=PIN, sejong=OTHER) == diverged
    _stocked(world, seoul=PIN, sejong=PIN)
    assert _run(world, image, seoul=CHILD) == []
    _stocked(world, sejong=OTHER)
    world.told(scheduled=True)
    assert _said(world) == diverged
    (told,) = world.stored().coverage["running"]["different"]
    assert (told["digests"], told["held"]) == ({"seoul": [CHILD]}, {"seoul": PIN, "sejong": OTHER})


def test_a_tag_of_which_nobody_knows_the_digest_is_unknown_where_it_is_and_nothing_else_is(tmp_path: Path) -> None:
    """The rest of the object is compared; where the object is not, its absence is all there is to say."""
    database = open_database(f"sqlite:///{tmp_path}/state.db")
    upgrade(database)
    world = World.make(Path("/configuration"), database, images=[{"name": "web"}])
    wanted = _deployment("web:9", "containers")
    world.git.commits["head"] = [copy.deepcopy(wanted)]
    world.told()
    assert [(one.verdict, one.people_path) for one in world.findings()] == [("NotDeployed", "")]
    other: Json = copy.deepcopy(wanted)
    other["spec"]["template"]["spec"]["containers"][1]["image"] = f"registry.example/web@{PIN}"
    other["spec"]["paused"] = True
    world.put("seoul", other)
    world.told()
    assert sorted((one.verdict, one.people_path) for one in world.findings()) == [
        ("MissingAtStandby", ""),
        ("PrimaryHotfix", "spec.paused"),
        ("Unknown", PATH.format("containers")),
    ]
    (unknown,) = [one for one in world.findings() if one.verdict == "Unknown"]
    assert unknown.cause["note"] == "nobody knows which image is meant: no digest of web:9 is known"
    assert unknown.values["primary"] == f"registry.example/web@{PIN}"
    # One that lives as it is written is no more known than another.
    world.put("sejong", wanted)
    world.put("seoul", wanted)
    world.told()
    assert _said(world) == [("Unknown", "seoul,sejong", PATH.format("containers"))]
    world.git.digests["web:9"] = PIN
    world.told(scheduled=True)
    assert "Unknown" not in {one.verdict for one in world.findings()}
