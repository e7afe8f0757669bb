"""Which repository of the follower an image means, wherever it is named."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from drift.checks.facts import Image, Stock, Unread
from drift.gathering import images
from drift.gathering.doors import Looks
from lockstep import errors
from lockstep.topology.model import Topology
from lockstep.values import Json, ObjectKey
from tests.support import topologies

DIGEST = f"sha256:{'1' * 64}"


def _site(name: str, **registry: Json) -> tuple[str, str, dict[str, Json]]:
    prefix = f"registry.{name}.example/prod"
    return "Site", name, {"registry": {"url": f"https://registry.{name}.example", "imagePrefix": prefix, **registry}}


TOPOLOGY = topologies.topology(
    _site("seoul"),
    _site("sejong", rename={"vendor/hsm": "third-party/hsm"}),
    ("Pair", "seoul-sejong", {"primary": "seoul", "standby": "sejong"}),
    (
        "Application",
        "pay",
        {
            "source": {"repository": "pay"},
            "namespace": "pay",
            "images": [
                {"name": "pay/api"},
                {"name": "vendor/hsm", "from": "docker.io/vendor/hsm", "alsoAt": "HsmProxy /spec/image"},
            ],
            "protection": {"seoul-sejong": {"tier": "hot"}},
        },
    ),
)


def pod(**spec: Json) -> tuple[ObjectKey, dict[str, Json]]:
    """A Pod of the application."""
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "pay"}, "spec": spec}
    return ObjectKey.of(manifest), manifest


def named(topology: Topology, side: str, *objects: tuple[ObjectKey, dict[str, Json]]) -> list[Image]:
    """The images of some objects at one side."""
    live = (dict(objects), {}) if side == "primary" else ({}, dict(objects))
    return list(images.named(topology, topology.applications["pay"], "sejong", uses=(), live=live))


@pytest.mark.parametrize("listed", ["containers", "initContainers", "ephemeralContainers"])
def test_every_kind_of_container_counts(listed: str) -> None:
    """Init containers, sidecars and ephemeral ones are pulled as well."""
    found = named(
        TOPOLOGY, "dr", pod(**{listed: [{"name": "c", "image": f"registry.sejong.example/prod/pay/api@{DIGEST}"}]})
    )
    assert [(one.container, one.repository, one.digest, one.registry) for one in found] == [
        ("c", "pay/api", DIGEST, "own")
    ]


def test_a_field_of_a_custom_resource_counts_where_the_application_names_it() -> None:
    """``alsoAt``; under the name that the image has at that site."""
    written = f"registry.sejong.example/prod/third-party/hsm@{DIGEST}"
    manifest = {
        "apiVersion": "bank.example/v1",
        "kind": "HsmProxy",
        "metadata": {"name": "h", "namespace": "pay"},
        "spec": {"image": written},
    }
    found = named(TOPOLOGY, "dr", (ObjectKey.of(manifest), manifest))
    assert [(one.repository, one.registry) for one in found] == [("vendor/hsm", "own")]


def test_what_the_truth_runs_has_to_be_at_the_follower_under_its_own_name() -> None:
    """The truth's prefix is taken off; the repository and the digest stay."""
    found = named(
        TOPOLOGY, "primary", pod(containers=[{"name": "c", "image": f"registry.seoul.example/prod/pay/api@{DIGEST}"}])
    )
    assert [(one.repository, one.digest, one.registry) for one in found] == [("pay/api", DIGEST, "own")]


def _running(image: str, image_id: str) -> list[str]:
    """The digests that have to be at the follower because they run at the truth, each with its workload."""
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "api-1", "controller": True}
    key, manifest = pod(containers=[{"name": "c", "image": image}])
    manifest["metadata"]["ownerReferences"] = [owner]
    manifest["status"] = {"containerStatuses": [{"name": "c", "imageID": image_id}]}
    above = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "api-1", "namespace": "pay"}}
    found = named(TOPOLOGY, "primary", (key, manifest), (ObjectKey.of(above), above))
    return [f"{one.object} {one.repository}@{one.digest}" for one in found if one.where == "running"]


def test_what_really_runs_at_the_truth_has_to_be_at_the_follower() -> None:
    """By its digest, where that is another than the spec's; an id and a foreign image are in no registry of ours."""
    own, other = "registry.seoul.example/prod/pay/api", f"sha256:{'9' * 64}"
    assert _running(f"{own}:1", f"{own}@{other}") == [f"ReplicaSet.apps pay/api-1 pay/api@{other}"]
    assert _running(f"{own}@{DIGEST}", f"{own}@{other}") == [f"ReplicaSet.apps pay/api-1 pay/api@{other}"]
    for image, image_id in ((f"{own}@{DIGEST}", f"{own}@{DIGEST}"), (f"{own}:1", other), ("nginx", f"nginx@{other}")):
        assert _running(image, image_id) == []


@pytest.mark.parametrize(
    ("written", "registry", "site"),
    [
        (f"registry.seoul.example/prod/pay/api@{DIGEST}", "other", "seoul"),
        ("registry.sejong.example:5000/prod/pay/api:1", "foreign", ""),
        ("registry.sejong.example/prod/pay/api:1.0", "own", ""),
        ("registry.sejong.example/production/pay/api:1.0", "foreign", ""),
        ("nginx", "foreign", ""),
        ("not an image!", "foreign", ""),
    ],
)
def test_whose_registry_the_follower_would_ask(written: str, registry: str, site: str) -> None:
    """Its own, another site's, or nobody's."""
    found = named(TOPOLOGY, "dr", pod(containers=[{"name": "c", "image": written}]))
    assert [(one.registry, one.other_site) for one in found] == [(registry, site)]


class Asked:
    """Looks that answer for registries alone."""

    def __init__(self, problem: errors.LockstepError | None = None) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self._problem = problem

    def stock(self, site: str, repository: str, digest: str) -> Stock:
        """Says that everything is there, or fails."""
        self.asked.append((site, repository, digest))
        if self._problem:
            raise self._problem
        return Stock()

    mirrors: Json = None
    opens: Json = None
    rehearse: Json = None
    tags: Json = None


@pytest.mark.parametrize(
    ("problem", "wanted"),
    [
        (None, Stock()),
        (errors.UnreachableError("It did not answer."), Unread(why="It did not answer.")),
        (errors.UnauthorisedError("Who are you?"), Unread(why="Who are you?", denied=True)),
    ],
)
def test_an_image_is_asked_for_once_and_a_registry_that_fails_is_told(
    problem: errors.LockstepError | None, wanted: Stock | Unread
) -> None:
    """Two containers of one image are one question."""
    image = {"name": "c", "image": f"registry.sejong.example/prod/pay/api@{DIGEST}"}
    found = named(TOPOLOGY, "dr", pod(containers=[image, {**image, "name": "d"}]))
    looks = Asked(problem)
    given: Looks = looks
    told = images.gather(given, "sejong", tuple(found), now=datetime(2026, 11, 22, tzinfo=UTC))
    assert looks.asked == [("sejong", "pay/api", DIGEST)]
    assert told.stock == {("pay/api", DIGEST): wanted}
