"""Images that sites were given by digest: each full look asks for them again, between real registries."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep import work
from lockstep.sites import ends
from lockstep.store.database import Database
from sync import images as mirroring
from sync.images import Request
from tests.support import images, registries
from tests.support.images import Maker
from tests.support.stores import Watched
from tests.sync.test_images import World

pytestmark = pytest.mark.needs("docker-registry")
NAME = "pay/api"
SITES = ("sejong", "daegu")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[registries.Fleet]:
    """Registries that delete."""
    with registries.fleet(tmp_path / "fleet", *SITES) as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, file_database: Database, fleet: registries.Fleet) -> World:
    """A source and two sites, each a registry."""
    made = World(tmp_path, file_database)
    places = {"seoul": fleet.source, **fleet.sites}
    made.doors.stores = {site: Watched(registry.store()) for site, registry in places.items()}
    return made


def _maker(fleet: registries.Fleet) -> Maker:
    return Maker(store=fleet.source.store(), repository=NAME)


def _run_by_a_pod(world: World, fleet: registries.Fleet) -> ends.Descriptor:
    """An image that no tag names, brought because a Pod runs it; another one has a tag."""
    maker = _maker(fleet)
    maker.image(b"tagged", tag="v1")
    run = maker.image(b"what a Pod runs")
    world.handle(NAME, run.digest)
    return run


def _delete(registry: registries.Registry, digest: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", registry.port, timeout=10)
    connection.request("DELETE", f"/v2/{NAME}/manifests/{digest}")
    assert connection.getresponse().status == 202
    connection.close()


def test_a_digest_that_was_deleted_at_a_standby_is_noticed_and_brought_again(
    world: World, fleet: registries.Fleet
) -> None:
    """It came by an event, no tag names it; a person deleted it at one site: the sweep mends that."""
    run = _run_by_a_pod(world, fleet)
    world.handle()
    _delete(fleet.sites["sejong"], run.digest)
    assert fleet.sites["sejong"].store().resolve(NAME, run.digest) is None
    world.handle()
    assert fleet.sites["sejong"].store().resolve(NAME, run.digest) is not None
    assert world.states()[run.digest, "sejong"] == "equal"


def test_looking_again_costs_a_head_at_each_site_and_nothing_at_the_source(
    world: World, fleet: registries.Fleet
) -> None:
    """One for the tag and one for the digest; the source is asked about its tag."""
    _run_by_a_pod(world, fleet)
    world.handle()
    fleet.forget()
    world.handle()
    assert fleet.source.methods() == Counter(GET=1, HEAD=1)
    for site in fleet.sites.values():
        assert site.methods() == Counter(HEAD=2)


def test_what_only_the_sites_have_stays_equal_and_what_nobody_has_is_forgotten(
    world: World, fleet: registries.Fleet
) -> None:
    """The source collected its garbage; so did one site later."""
    run = _run_by_a_pod(world, fleet)
    _delete(fleet.source, run.digest)
    assert isinstance(world.handle(), work.Done)
    assert world.states()[run.digest, "sejong"] == "equal"
    _delete(fleet.sites["sejong"], run.digest)
    report = mirroring.run(world.context, Request(), name=NAME)
    assert report.exit_code == 0
    assert (run.digest, "sejong") not in world.states()
    assert world.states()[run.digest, "daegu"] == "equal"


def test_looking_deep_forgets_no_digest_that_a_site_has_and_the_source_lost(
    world: World, fleet: registries.Fleet
) -> None:
    """The site proves by itself that it has it whole; where a layer is lost nobody can bring it, and that is told."""
    run = _run_by_a_pod(world, fleet)
    _delete(fleet.source, run.digest)
    for _ in range(2):
        report = mirroring.run(world.context, Request(deep=True), name=NAME)
        assert report.exit_code == 0
        assert {world.states()[run.digest, site] for site in SITES} == {"equal"}
    lost = images.blob(b"what a Pod runs")
    daegu = fleet.sites["daegu"]
    connection = http.client.HTTPConnection("127.0.0.1", daegu.port, timeout=10)
    connection.request("DELETE", f"/v2/{NAME}/blobs/{lost.digest}")
    assert connection.getresponse().status == 202
    connection.close()
    assert mirroring.run(world.context, Request(deep=True), name=NAME).exit_code == 2
    assert world.states()[run.digest, "sejong"] == "equal"
    assert world.states()[run.digest, "daegu"] == "failed"


def test_a_digest_that_a_deploy_asks_for_and_nobody_has_is_a_failure(world: World, fleet: registries.Fleet) -> None:
    """What is named is needed: its absence is told, not forgotten."""
    _maker(fleet).image(b"tagged", tag="v1")
    absent = f"sha256:{'0' * 64}"
    world.handle(NAME, absent)
    assert world.states()[absent, "sejong"] == "failed"
