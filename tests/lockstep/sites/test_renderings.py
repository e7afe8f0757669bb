"""What git says of an application at a commit, from our copy or from whoever has one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from lockstep import errors, settings
from lockstep.sites import open as doors
from lockstep.sites import renderings
from lockstep.topology import direction, kinds, secrets
from lockstep.topology.model import Topology
from lockstep.values import Stance
from tests.support import topologies
from tests.support.repositories import Repository

DIGEST = "sha256:" + "a" * 64
DEPLOYMENT = b"""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "shop/web:1.0"}]}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Two sites that mirror one repository, and a process that looks at them."""

    topology: Topology
    opened: doors.Doors
    rendered: renderings.Renderings
    mirror: Repository

    @property
    def shop(self) -> kinds.Application:
        """The one application."""
        return self.topology.applications["shop"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A repository mirrored at sejong only: the forge and seoul are gone."""
    topology = topologies.topology(
        (
            "Site",
            "seoul",
            {
                "git": {"directory": "seoul/git"},
                "cluster": {"directory": "seoul/cluster"},
                "registry": {"layout": "seoul/images", "imagePrefix": "registry.seoul.example"},
            },
        ),
        (
            "Site",
            "sejong",
            {
                "git": {"directory": "sejong/git"},
                "archive": {"directory": "sejong/archive"},
                "registry": {"url": "https://registry.sejong.example"},
            },
        ),
        ("Pair", "seoul-sejong", {"primary": "seoul", "standby": "sejong"}),
        ("GitMirror", "forge", {"source": {"directory": "forge"}, "repositories": ["*"], "sites": ["seoul", "sejong"]}),
        (
            "Application",
            "shop",
            {
                "source": {"repository": "shop", "path": "deploy"},
                "namespace": "shop",
                "images": [{"name": "shop/web"}],
                "protection": {"seoul-sejong": {"tier": "hot", "floor": {"default": 1}}},
            },
        ),
        directory=tmp_path,
    )
    places = settings.Places(config=tmp_path, state=tmp_path / "state", database="")
    opened = doors.Doors(lambda: topology, reader=secrets.Reader(tmp_path, {}), places=places)
    mirror = Repository.make(tmp_path / "sejong/git/shop.git")
    return World(topology=topology, opened=opened, rendered=renderings.Renderings(opened, places=places), mirror=mirror)


def test_a_new_instance_renders_from_the_site_that_is_left(world: World) -> None:
    """With the forge and the primary gone and nothing cached, the standby's own mirror is enough."""
    commit = world.mirror.commit("refs/heads/main", {"deploy/web.yaml": DEPLOYMENT})
    head = world.rendered.head(world.topology, world.shop)
    assert (head.revision, head.said_by) == (commit, "sejong")
    truth, follower = direction.places_of(world.topology, world.shop, {"seoul-sejong": Stance.NORMAL})
    found = [
        world.rendered.desired(
            world.topology, world.shop, place=place, revision=head.revision, digests={"shop/web": DIGEST}
        )
        for place in (truth, follower)
    ]
    assert [one.objects[0]["spec"]["replicas"] for one in found] == [4, 1]
    assert found[1].full[0]["spec"]["replicas"] == 4
    image = found[0].objects[0]["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == f"registry.seoul.example/shop/web@{DIGEST}"


def test_images_of_a_commit_are_named_with_the_tags_that_git_gives_them(world: World) -> None:
    """What has to be resolved before a deploy is known before anything is deployed."""
    commit = world.mirror.commit("refs/heads/main", {"deploy/web.yaml": DEPLOYMENT})
    (wanted,) = world.rendered.wanted(world.topology, world.shop, commit)
    assert (wanted.name, wanted.tag, wanted.digest) == ("shop/web", "1.0", "")


def test_a_commit_that_nobody_has_is_said(world: World) -> None:
    """A rendering is of the commit that was asked for, or there is none."""
    world.mirror.commit("refs/heads/main", {"deploy/web.yaml": DEPLOYMENT})
    with pytest.raises(errors.NotFoundError, match="neither here nor at a site"):
        world.rendered.raw(world.topology, world.shop, site="seoul", revision="b" * 40)


def test_a_branch_that_nobody_knows_is_said(world: World) -> None:
    """An empty mirror is no head."""
    with pytest.raises(errors.NotFoundError, match="Nobody who can be asked knows the branch main"):
        world.rendered.head(world.topology, world.shop)


def test_an_end_that_a_site_does_not_have_is_refused_by_name(world: World) -> None:
    """Nothing is skipped because a site has no such end."""
    with pytest.raises(errors.UnsupportedError, match=r"sejong has no cluster end. Give it one in its Site"):
        world.opened.cluster("sejong")


def test_a_registry_is_opened_without_being_asked(world: World) -> None:
    """It answers when it is asked, not when it is opened."""
    assert world.opened.images("sejong").address == "https://registry.sejong.example"


def test_an_end_stays_open_while_the_configuration_stays(world: World) -> None:
    """A cluster is opened once, and a warm site remembers its stance in its archive."""
    assert world.opened.cluster("seoul") is world.opened.cluster("seoul")
    assert world.opened.marks("sejong").address.endswith("sejong/archive")
    assert world.opened.marks("seoul") is world.opened.cluster("seoul")
