"""Images as one archive: what is exported is what is imported, and nothing that lies is written."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from lockstep import errors
from lockstep.sites import bundle, bundle_list, bundle_writing, oci
from lockstep.store.database import Database
from lockstep.values import Json, Stance
from sync import bundles
from sync.bundles import Order
from sync.images import Report, Request
from sync.states import State
from sync.stock import verify
from tests.support import images, registries
from tests.support.images import Maker, new_store
from tests.support.stores import Watched
from tests.sync.test_images import World


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """A primary with one of everything in two repositories that share a layer, and standbys with nothing."""
    world = World(tmp_path, file_database)
    images.corpus(world.maker)
    images.corpus(Maker(store=world.maker.store, repository="pay/blobs"))
    return world


def _export(world: World, name: str = "one.tar", **order: object) -> Path:
    path = world.doors.root / name
    done = bundles.export(world.context, Order(path=path, **order))  # type: ignore[arg-type]  # a test's short form
    assert (done.exit_code, done.problems) == (0, ())
    return path


def _import(world: World, path: Path) -> Report:
    world.doors.stores.clear()
    return bundles.bring_in(world.context, path, Request(site="sejong"))


def test_an_archive_brings_every_tag_and_every_referrer_byte_for_byte(world: World) -> None:
    """The source is away while it is imported; a second import writes nothing."""
    path = _export(world)
    world.doors.closed["seoul"] = errors.UnreachableError("There is no line.")
    report = _import(world, path)
    assert {result.state for result in report.results} == {State.EQUAL}
    there, source = new_store(world.doors.root / "sejong"), world.maker.store
    for repository in ("pay/api", "pay/blobs"):
        assert there.tags(repository) == source.tags(repository)
        for digest in (there.tags(repository) or {}).values():
            assert there.manifest(repository, digest) == source.manifest(repository, digest)
            assert there.referrers(repository, digest) == source.referrers(repository, digest)
    assert world.states()["plain", "sejong"] == "equal"
    assert {result.state for result in _import(world, path).results} == {State.EQUAL}
    assert world.doors.stores["sejong"].writes == []


def test_the_same_images_give_the_same_archive_and_its_list_tells_its_sum(world: World) -> None:
    """No clock, no user, no order of a directory is in it; what lies beside it says what the whole is."""
    one, two = _export(world), _export(world, "two.tar")
    assert one.read_bytes() == two.read_bytes()
    assert hashlib.sha256(one.read_bytes()).hexdigest() in bundle_writing.list_beside(one).read_text()


def test_an_archive_unpacks_to_a_registry_on_disk(world: World) -> None:
    """Tar alone is enough where there is no Lockstep; what two repositories share is in it once."""
    path = _export(world)
    target = world.doors.root / "unpacked"
    with tarfile.open(path) as tar:
        names = tar.getnames()
        assert any(member.islnk() for member in tar)
        tar.extractall(target, filter="data")
    assert len(names) == len(set(names))
    unpacked = new_store(target)
    assert unpacked.repositories() == ["pay/api", "pay/blobs"]
    assert unpacked.tags("pay/blobs") == world.maker.store.tags("pay/blobs")


def test_what_was_sent_before_is_left_out_and_the_site_has_it(world: World) -> None:
    """An export since a list has only new blobs; a site that was never sent the first lacks them and says so."""
    first = _export(world)
    _import(world, first)
    world.maker.image(b"new", tag="v9")
    since = bundle.read_list(bundle_writing.list_beside(first))
    second = _export(world, "second.tar", since=since)
    asked = _export(world, "asked.tar", site="sejong")
    listed = bundle.read_list(bundle_writing.list_beside(second))
    assert len(listed["pay/api"].blobs) == 2
    assert listed["pay/api"].blobs == bundle.read_list(bundle_writing.list_beside(asked))["pay/api"].blobs
    assert {result.state for result in _import(world, second).results} == {State.EQUAL}
    shutil.rmtree(world.doors.root / "sejong")
    states = {result.reference: result for result in _import(world, second).results if result.repository == "pay/api"}
    assert states["v9"].state is State.EQUAL
    assert states["plain"].state is State.FAILED
    assert "was to have it" in states["plain"].detail
    assert set(new_store(world.doors.root / "sejong").tags("pay/api") or {}) <= {"v9", "artifact", "no-layers"}


@pytest.mark.parametrize("share", [0, 1, 511, 512, 5_000, 40_000, -1, -512, -1024])
def test_a_cut_archive_is_named_and_nothing_is_written(world: World, share: int) -> None:
    """Wherever it is cut, the site is not even opened."""
    path = _export(world)
    whole = path.read_bytes()
    path.write_bytes(whole[:share])
    with pytest.raises(errors.IntegrityError, match=r"one\.tar"):
        _import(world, path)
    assert "sejong" not in world.doors.stores


def test_a_blob_that_lies_keeps_its_images_away_and_no_others(world: World) -> None:
    """Carried without its list, one byte turned inside a layer: what needs it fails with its digest, untagged."""
    made = world.maker.image(b"a layer that is only here", tag="v9")
    path = _export(world)
    bundle_writing.list_beside(path).unlink()
    path.write_bytes(path.read_bytes().replace(b"a layer that is only here", b"a layer that is only hers"))
    states = {r.reference: r for r in _import(world, path).results if r.repository == "pay/api"}
    assert states["v9"].state is State.FAILED
    assert "one.tar is damaged" in states["v9"].detail
    assert {one.state for tag, one in states.items() if tag != "v9"} == {State.EQUAL}
    there = new_store(world.doors.root / "sejong")
    assert (there.resolve("pay/api", "v9"), there.resolve("pay/api", made.digest)) == (None, None)


@pytest.mark.parametrize(
    "lie",
    [
        lambda whole: whole.replace(b"pay/api/index.json", b"../api/index.json\0"),
        lambda whole: whole.replace(b"pay/api/oci-layout", b"/etc/pay/api/layout", 1),
        lambda whole: whole + bytes(512),
        lambda whole: whole.replace(b'"imageLayoutVersion":"1.0.0"', b'"imageLayoutVersion":"1.0.1"', 1),
        lambda whole: whole.replace(b'"lockstepTransfer": 1', b'"lockstepTransfer": x', 1),
        lambda whole: whole.replace(b'"reference": "plain"', b'"reference": "-lain"', 1),
        lambda whole: whole.replace(b'"reference": "plain"', b'"reference": "again"', 1),
        lambda whole: whole.replace(b'"size": ', b'"size":-', 1),
        lambda _whole: b"\x1f\x8b" * 9_000,
    ],
)
def test_an_archive_that_lies_about_names_or_sizes_is_refused_whole(
    world: World, lie: Callable[[bytes], bytes]
) -> None:
    """Paths that lead elsewhere, what the list does not name, a list that cannot be: nothing is written."""
    path = _export(world)
    whole = path.read_bytes()
    assert lie(whole) != whole
    path.write_bytes(lie(whole))
    bundle_writing.list_beside(path).unlink()
    with pytest.raises(errors.IntegrityError):
        _import(world, path)
    assert "sejong" not in world.doors.stores


def test_an_archive_beside_the_list_of_another_is_refused(world: World) -> None:
    """A tag that was turned to another image of the archive is seen by the list that was carried beside it."""
    path = _export(world)
    beside = bundle_writing.list_beside(path)
    beside.write_text(beside.read_text().replace('"reference": "plain"', '"reference": "other"'))
    with pytest.raises(errors.IntegrityError, match="another archive"):
        _import(world, path)


def test_an_archive_whose_sum_is_not_the_one_of_its_list_is_refused_before_anything_is_written(world: World) -> None:
    """One byte turned on the way, in the middle of a layer: the site is not even opened."""
    world.maker.image(b"a layer that is only here", tag="v9")
    path = _export(world)
    path.write_bytes(path.read_bytes().replace(b"a layer that is only here", b"a layer that is only hers"))
    with pytest.raises(errors.IntegrityError, match=r"one\.tar is not the archive that its list tells"):
        _import(world, path)
    assert "sejong" not in world.doors.stores


@pytest.mark.parametrize("said", [{}, {"size": 1, "sha256": "x"}, {"size": -1, "sha256": "0" * 64}, [], "x"])
def test_a_list_that_tells_an_impossible_sum_is_refused(world: World, said: Json) -> None:
    """Nobody believes the rest of it."""
    path = _export(world)
    beside = bundle_writing.list_beside(path)
    beside.write_bytes(orjson.dumps({**orjson.loads(beside.read_bytes()), "archive": said}))
    with pytest.raises(errors.IntegrityError, match="cannot be"):
        _import(world, path)


@pytest.mark.needs("docker-registry")
def test_images_are_carried_from_one_registry_to_another_in_two_archives(world: World, tmp_path: Path) -> None:
    """Real registries on both sides: all of it, then only what is new; skopeo's bytes are the same, nothing doubles."""
    with registries.fleet(tmp_path / "fleet", "sejong") as fleet:
        places = {"seoul": fleet.source, "sejong": fleet.sites["sejong"]}
        maker = Maker(store=fleet.source.store(), repository="pay/api")
        shapes = images.corpus(maker)

        def open_doors() -> None:
            world.doors.stores = {site: Watched(registry.store()) for site, registry in places.items()}

        def carry(name: str, **order: object) -> Path:
            open_doors()
            done = bundles.export(world.context, Order(path=tmp_path / name, **order), name="pay/api")  # type: ignore[arg-type]  # a test's short form
            assert done.exit_code == 0
            open_doors()
            world.doors.closed["seoul"] = errors.UnreachableError("There is no line.")
            report = bundles.bring_in(world.context, tmp_path / name, Request(site="sejong"))
            assert {(result.state, result.detail) for result in report.results} == {(State.EQUAL, "")}
            world.doors.closed.clear()
            return tmp_path / name

        first = carry("first.tar")
        maker.platforms(b"what is new" * 1000, tag="v2")
        since = bundle.read_list(bundle_writing.list_beside(first))
        fleet.forget()
        carry("second.tar", since=since)
        sent = [one.path for one in fleet.sites["sejong"].requests() if one.method == "PUT" and "/uploads/" in one.path]
        assert len(sent) == 5  # a layer of both platforms, and one layer and one configuration of each
        for registry in fleet.all:
            assert set(registry.store().tags("pay/api") or {}) >= {*(tag for tag in shapes if tag[0] != "<"), "v2"}
        for described in shapes.values():
            assert verify(fleet.sites["sejong"].store(), "pay/api", described.digest, read=True).whole
        references = [
            one.digest for one in fleet.sites["sejong"].store().referrers("pay/api", shapes["platforms"].digest)
        ]
        assert references == [shapes["<signature>"].digest]


def test_an_archive_goes_only_where_mirrors_say(world: World) -> None:
    """A held site is held; a repository that no mirror brings to the site is refused and not written."""
    path = _export(world)
    world.stances = {"seoul-sejong": Stance.SWITCHED, "seoul-daegu": Stance.NORMAL}
    assert State.HELD in {result.state for result in _import(world, path).results}
    assert "sejong" not in world.doors.stores
    with pytest.raises(errors.NotFoundError, match="holds nothing that pay brings to seoul"):
        bundles.bring_in(world.context, path, Request(site="seoul"), name="pay")
    elsewhere = World(world.doors.root / "else", world.context.database, repositories=["other/*"])
    report = bundles.bring_in(elsewhere.context, path, Request(site="sejong"))
    assert {(one.repository, one.state) for one in report.results} == {
        ("pay/api", State.REFUSED),
        ("pay/blobs", State.REFUSED),
    }


def test_a_source_that_breaks_off_leaves_the_earlier_archive_as_it_was(world: World) -> None:
    """Nobody finds half an archive under its name."""
    path = _export(world)
    whole = path.read_bytes()

    def breaks(method: str, _about: str) -> None:
        if method == "read":
            raise errors.UnreachableError("The line is gone.")

    world.doors.stores["seoul"].hook = breaks
    with pytest.raises(errors.UnreachableError, match="line is gone"):
        bundles.export(world.context, Order(path=path))
    assert path.read_bytes() == whole
    assert not [found for found in world.doors.root.iterdir() if found.name.startswith(".lockstep-")]


def test_an_image_that_is_not_whole_is_told_and_the_rest_is_exported(world: World) -> None:
    """A damaged manifest at the source is a problem of its own tag, and of the exit code."""
    made = world.maker.image(b"broken soon", tag="v9")
    (world.doors.root / "seoul/pay/api/blobs/sha256" / made.digest.partition(":")[2]).write_bytes(b"x" * made.size)
    path = world.doors.root / "one.tar"
    done = bundles.export(world.context, Order(path=path))
    assert [problem.reference for problem in done.problems] == ["v9"]
    assert done.exit_code == 2
    assert "v9" not in done.listed["pay/api"].references


def test_an_archive_that_may_lack_what_a_pattern_names_says_so(world: World) -> None:
    """A source that cannot list gives what is known; that there may be more is told, by the exit code too."""

    def fail(method: str, _about: str) -> None:
        if method == "repositories":
            raise errors.UnreachableError("The list is away.")

    world.doors.images("seoul")
    world.doors.stores["seoul"].hook = fail
    done = bundles.export(world.context, Order(path=world.doors.root / "one.tar"))
    assert list(done.listed) == ["pay/api"]
    assert done.exit_code == 2
    assert [(one.repository, one.detail) for one in done.problems] == [("pay/*", "The list is away.")]


def test_an_archive_for_a_site_that_no_mirror_names_is_not_written(world: World) -> None:
    """A mistyped site is named, with those that there are."""
    with pytest.raises(errors.NotFoundError, match=r"mirrored to sejng\. There are: daegu, sejong"):
        bundles.export(world.context, Order(path=world.doors.root / "one.tar", site="sejng"))
    assert not (world.doors.root / "one.tar").exists()


@pytest.mark.parametrize("how", ["gone", "of another size"])
def test_an_image_without_one_of_its_layers_is_told_and_the_rest_is_exported(world: World, how: str) -> None:
    """harbor#22644 at the source: it keeps itself out of the archive, and no other image."""
    lacking = world.maker.image(b"broken soon", tag="v9")
    manifest = world.maker.store.manifest("pay/api", lacking.digest)
    assert manifest is not None
    layer = oci.contents(manifest).blobs[-1]
    file = world.doors.root / "seoul/pay/api/blobs/sha256" / layer.digest.partition(":")[2]
    file.unlink()
    if how == "of another size":
        file.write_bytes(b"x")
    path = world.doors.root / "one.tar"
    done = bundles.export(world.context, Order(path=path))
    assert [(one.reference, one.state) for one in done.problems] == [("v9", State.FAILED)]
    assert layer.digest in done.problems[0].detail
    world.doors.closed["seoul"] = errors.UnreachableError("There is no line.")
    assert {result.state for result in _import(world, path).results} == {State.EQUAL}
    assert "v9" not in (new_store(world.doors.root / "sejong").tags("pay/api") or {})


def test_two_imports_at_once_leave_what_one_would(world: World) -> None:
    """Two people with one medium: both are told that everything is there, and it is."""
    path = _export(world)
    world.doors.stores.clear()
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(bundles.bring_in, world.context, path, Request(site="sejong")) for _ in range(2)]
        reports = [one.result() for one in asked]
    assert {result.state for report in reports for result in report.results} == {State.EQUAL}
    there, source = new_store(world.doors.root / "sejong"), world.maker.store
    for repository in ("pay/api", "pay/blobs"):
        assert there.tags(repository) == source.tags(repository)
        assert all(verify(there, repository, one, read=True).whole for one in (there.tags(repository) or {}).values())


def test_a_disk_that_fills_leaves_the_earlier_archive_and_nothing_beside_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it fills: in the middle of a member, and when the last bytes are to be kept."""
    path = _export(world)
    whole = path.read_bytes()
    world.maker.image(b"new" * 1000, tag="v9")
    written, real = [0], os.write

    def fills(descriptor: int, data: bytes) -> int:
        written[0] += len(data)
        if written[0] > 20_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", fills)
        with pytest.raises(errors.UnreachableError, match=r"one\.tar: No space left"):
            bundles.export(world.context, Order(path=path))
    assert path.read_bytes() == whole
    beside = {found.name for found in world.doors.root.iterdir() if found.is_file()}
    assert {name for name in beside if not name.startswith("lockstep.db")} == {"one.tar", "one.tar.json"}
    assert {result.state for result in _import(world, path).results} == {State.EQUAL}


_TAG = {"repository": "a", "reference": "v1", "digest": images.digest(b"m"), "size": 5}
_SHELF = {
    "manifests": {images.digest(b"m"): {"mediaType": oci.OCI_MANIFEST, "size": 5}},
    "blobs": {images.digest(b"x"): 1},
    "left": {},
}


@pytest.mark.parametrize(
    ("tags", "repositories", "said"),
    [
        ([_TAG, {**_TAG, "size": 6}], {"a": _SHELF}, "a:v1 is named twice"),
        ([_TAG], {"a": {**_SHELF, "blobs": {images.digest(b"m"): 6}}}, "with 5 and with 6 bytes"),
        ([_TAG], {"a": {**_SHELF, "left": {images.digest(b"x"): 2}}}, "with 1 and with 2 bytes"),
        ([_TAG], {"a": _SHELF, "b": {**_SHELF, "blobs": {images.digest(b"x"): 2}}}, "with 1 and with 2 bytes"),
        ([_TAG, {**_TAG, "repository": "c"}], {"a": _SHELF}, "c has images and is not listed"),
    ],
    ids=["tag", "manifest", "left", "repositories", "repository"],
)
def test_a_list_that_contradicts_itself_is_refused(
    tags: list[dict[str, Json]], repositories: dict[str, Json], said: str
) -> None:
    """Two readers of it would bring two things."""
    raw = orjson.dumps({"lockstepTransfer": 1, "images": tags, "repositories": repositories})
    with pytest.raises(errors.IntegrityError, match=said):
        bundle_list.parse(raw, place="list")


def test_a_list_that_names_more_than_any_disk_holds_is_that_of_a_cut_archive(tmp_path: Path) -> None:
    """A size near the largest number is told as what it is, not as a disk that is not mounted."""
    shelf = {**_SHELF, "blobs": {images.digest(b"x"): 2**63 - 1}}
    raw = orjson.dumps({"lockstepTransfer": 1, "images": [_TAG], "repositories": {"a": shelf}})
    listed = bundle_list.parse(raw, place="list")
    parts = [bundle_writing.header(bundle_list.NAME, len(raw)), raw, bytes(bundle_writing.padding(len(raw)))]
    for member in bundle_list.members(listed):
        data = b"m" if member.data is None else member.data
        parts += [bundle_writing.header(member.name, member.size), data, bytes(bundle_writing.padding(len(data)))]
    path = tmp_path / "one.tar"
    path.write_bytes(b"".join(parts))
    with pytest.raises(errors.IntegrityError, match="is cut inside"):
        bundle.open_bundle(path)


def test_an_archive_is_brought_to_no_site_that_is_mistyped(world: World) -> None:
    """There is no such site, and that is what is said."""
    with pytest.raises(errors.NotFoundError, match="There is no Site 'sejng'"):
        bundles.bring_in(world.context, _export(world), Request(site="sejng"))


def test_a_list_that_no_archive_can_have_is_refused() -> None:
    """Sizes that are not sizes, names that are paths, images without a manifest, a later version."""
    for raw in (b"[]", b"{}", b'{"lockstepTransfer":1,"images":{},"repositories":[]}'):
        with pytest.raises(errors.IntegrityError):
            bundle_list.parse(raw, place="list")
    raw = b'{"lockstepTransfer":1,"images":[],"repositories":{"../x":{"manifests":{},"blobs":{},"left":{}}}}'
    with pytest.raises(errors.IntegrityError, match="not the name of a repository"):
        bundle_list.parse(raw, place="list")
    with pytest.raises(errors.UnsupportedError):
        bundle_list.parse(b'{"lockstepTransfer":2}', place="list")
