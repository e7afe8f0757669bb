"""By which digests a runtime may name a mirrored image is known once it was mirrored, or seen to be equal."""

from __future__ import annotations

from pathlib import Path

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.store import parts as stored
from lockstep.store import tables
from lockstep.store.database import Database
from lockstep.values import Json
from sync import images as mirroring
from sync import parts
from sync.graph import Limits
from sync.images import Request
from sync.stock import Shelf
from tests.support.images import Maker
from tests.sync.test_images import World

NAME = "pay/api"


def _known(database: Database, *digests: str) -> dict[str, dict[str, str]]:
    with database.read() as connection:
        return stored.children_of(connection, digests)


def _platforms_of(maker: Maker, index: ends.Descriptor) -> dict[str, str]:
    """What an index of the maker's consists of, read from the store without the code that is tested."""
    named: dict[str, str] = {}
    whole = maker.store.manifest(NAME, index.digest)
    assert whole is not None
    for child in ends_of(whole):
        manifest = maker.store.manifest(NAME, child.digest)
        assert manifest is not None
        platform = f"linux/{(child.platform or {})['architecture']}"
        named |= {child.digest: platform, ends_of(manifest)[0].digest: platform}
    return named


def ends_of(manifest: ends.Manifest) -> list[ends.Descriptor]:
    """What a manifest names, in its order."""
    found = oci.contents(manifest)
    return [*found.children, *found.blobs]


def test_what_is_brought_is_known_by_each_platform_and_each_id(tmp_path: Path, file_database: Database) -> None:
    """The manifests that an index names and their configurations, with the platform that the index says."""
    world = World(tmp_path, file_database)
    index = world.maker.platforms(b"layer", tag="v1")
    plain = world.maker.image(b"plain", tag="v2")
    world.handle()
    known = _known(file_database, index.digest, plain.digest)
    assert known[index.digest] == _platforms_of(world.maker, index)
    assert set(known[index.digest].values()) == {"linux/amd64", "linux/arm64"}
    assert list(known[plain.digest].values()) == [""]


def test_what_an_index_inside_an_index_names_belongs_to_both(tmp_path: Path, file_database: Database) -> None:
    """And what refers to an image is no part of it."""
    world = World(tmp_path, file_database)
    inner = world.maker.platforms(b"layer")
    outer = world.maker.index([inner], tag="v1")
    world.maker.artifact(outer, b"signature")
    world.handle()
    known = _known(file_database, outer.digest)[outer.digest]
    assert known == {inner.digest: "", **_platforms_of(world.maker, inner)}


def test_what_was_equal_from_the_beginning_is_read_once_at_a_site(tmp_path: Path, file_database: Database) -> None:
    """A second look reads no manifest at all, and what a dry run sees is not written down."""
    world = World(tmp_path, file_database)
    index = world.maker.platforms(b"layer", tag="v1")
    world.handle()
    with file_database.write() as connection:
        connection.execute(tables.image_parts.delete())
    mirroring.run(world.context, Request(dry_run=True))
    assert _known(file_database, index.digest) == {}
    world.handle()
    assert _known(file_database, index.digest)[index.digest] == _platforms_of(world.maker, index)
    read = [store.count("manifest") for store in world.doors.stores.values()]
    world.handle()
    assert [store.count("manifest") for store in world.doors.stores.values()] == read


def test_an_image_that_cannot_be_read_stays_unknown_and_fails_nothing(tmp_path: Path, file_database: Database) -> None:
    """It is looked into again at the next pass."""
    world = World(tmp_path, file_database)
    index = world.maker.platforms(b"layer", tag="v1")
    world.handle()
    with file_database.write() as connection:
        connection.execute(tables.image_parts.delete())

    def away(method: str, _about: str) -> None:
        if method == "manifest":
            raise errors.UnreachableError("The line is down.")

    for site in ("sejong", "daegu"):
        world.doors.stores[site].hook = away
    assert mirroring.run(world.context, Request()).exit_code == 0
    assert _known(file_database, index.digest) == {}


def test_what_says_nothing_sensible_of_its_platform_has_none(tmp_path: Path, file_database: Database) -> None:
    """Entries that are no texts are left out; a variant is told."""
    world = World(tmp_path, file_database)
    made = world.maker.image(b"layer", child=True)

    def entry(platform: dict[str, Json]) -> ends.Descriptor:
        return ends.Descriptor(media_type=made.media_type, digest=made.digest, size=made.size, platform=platform)

    said: list[dict[str, Json]] = [
        {"os": "linux", "architecture": "arm", "variant": "v7"},
        {"os": 7, "architecture": ["x"]},
        {},
    ]
    for number, platform in enumerate(said):
        index = world.maker.index([entry(platform)], tag=f"v{number}")
        graph = Shelf(store=world.maker.store, repository=NAME).graph(index.digest, Limits())
        assert set(parts.of(graph, index.digest).values()) == {("linux/arm/v7", "", "")[number]}
