"""A directory of OCI image layouts keeps what it is given, byte for byte, and answers as a registry does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.sites.layout import LayoutStore
from tests.support import images
from tests.support.images import Maker, new_store


@pytest.fixture
def store(tmp_path: Path) -> LayoutStore:
    """An empty directory of layouts."""
    return new_store(tmp_path / "layouts")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_everything_the_specification_allows_comes_back_as_it_was_written(store: LayoutStore, algorithm: str) -> None:
    """Each shape of image keeps its digest, its media type and its bytes, with either algorithm."""
    made = images.corpus(Maker(store=store, repository="pay/api", algorithm=algorithm))
    tags = store.tags("pay/api")
    assert tags is not None
    assert tags == {tag: one.digest for tag, one in made.items() if not tag.startswith("<")}
    for one in made.values():
        kept = store.manifest("pay/api", one.digest)
        assert kept is not None
        assert (kept.media_type, len(kept.raw)) == (one.media_type, one.size)
        assert images.digest(kept.raw, algorithm) == one.digest
        for blob in oci.contents(kept).blobs:
            assert store.has_blob("pay/api", blob)
            assert images.digest(images.read(store, "pay/api", blob), algorithm) == blob.digest


def test_a_disk_that_is_not_mounted_is_no_empty_registry(store: LayoutStore) -> None:
    """Nobody is told that it has nothing, and nothing is written under the mount point."""
    store.root.rmdir()
    with pytest.raises(errors.UnreachableError):
        store.repositories()
    with pytest.raises(errors.UnreachableError):
        store.tags("app")
    with pytest.raises(errors.UnreachableError):
        Maker(store=store, repository="app").image(tag="v1")
    assert not store.root.exists()


def test_nothing_there_is_a_value_and_not_an_error(store: LayoutStore) -> None:
    """An absent repository, tag, digest or blob is told from an unreadable one."""
    absent = images.blob(b"absent")
    assert store.repositories() == []
    assert store.tags("pay/api") is None
    assert store.resolve("pay/api", "v1") is None
    assert store.manifest("pay/api", absent.digest) is None
    assert store.referrers("pay/api", absent.digest) == []
    assert not store.has_blob("pay/api", absent)
    assert store.untag("pay/api", "v1")
    assert store.collect("pay/api").digests == ()
    assert not list(store.root.iterdir())
    with pytest.raises(errors.NotFoundError), store.read_blob("pay/api", absent):
        pass


def test_repositories_may_lie_inside_each_other(store: LayoutStore) -> None:
    """A repository below another, and one named like a part of a layout, are layouts of their own."""
    names = ["pay", "pay/api", "pay/blobs", "pay/blobs/sha256", "pay/index.json", "oci-layout", "blobs/blobs", "a/b/c"]
    for name in names:
        Maker(store=store, repository=name).image(images.tar_gz({"name": name.encode()}), tag="v1")
    assert store.repositories() == sorted(names)
    digests = {store.tags(name) and (store.tags(name) or {})["v1"] for name in names}
    assert len(digests) == len(names)
    for name in names:
        assert store.collect(name).digests == ()


@pytest.mark.parametrize(
    "name", ["", "/", "..", "../up", "a/../b", "/etc", "a//b", "UPPER", "a b", "a/", ".hidden", "a\0b", "a" * 256, "é"]
)
def test_a_name_that_is_no_repository_never_becomes_a_path(store: LayoutStore, name: str) -> None:
    """Names with dots, slashes or worse are refused before anything is opened."""
    with pytest.raises(errors.InputError):
        store.tags(name)
    with pytest.raises(errors.InputError):
        Maker(store=store, repository=name).image(tag="v1")
    assert not list(store.root.iterdir())


@pytest.mark.parametrize("reference", ["", "../v1", "a/b", "sha256:../../x", "sha256:" + "A" * 64, "é", "a" * 129])
def test_a_reference_that_is_neither_tag_nor_digest_is_refused(store: LayoutStore, reference: str) -> None:
    """No reference from outside becomes a path."""
    with pytest.raises(errors.InputError):
        store.resolve("pay/api", reference)
    with pytest.raises(errors.InputError):
        store.has_blob("pay/api", ends.Descriptor(media_type="x", digest=reference, size=1))


def test_a_moved_tag_leaves_the_old_image_reachable_by_its_digest(store: LayoutStore) -> None:
    """A site may still run what a tag named yesterday: it stays, listed without a tag, and is not collected."""
    maker = Maker(store=store, repository="pay/api")
    old = maker.image(b"old", tag="v1")
    new = maker.image(b"new", tag="v1")
    assert store.tags("pay/api") == {"v1": new.digest}
    assert store.collect("pay/api").digests == ()
    kept = store.manifest("pay/api", old.digest)
    assert kept is not None
    assert images.read(store, "pay/api", oci.contents(kept).blobs[1]) == b"old"


def test_moving_a_tag_back_and_forth_lists_each_image_once(store: LayoutStore) -> None:
    """The index does not grow with what was already listed."""
    maker = Maker(store=store, repository="pay/api")
    for _ in range(3):
        maker.image(b"one", tag="v1")
        maker.image(b"two", tag="v1")
    index = orjson.loads((store.root / "pay/api/index.json").read_bytes())
    assert len(index["manifests"]) == 2


def test_an_untagged_image_goes_only_when_it_is_forgotten_and_collected(store: LayoutStore) -> None:
    """Taking a tag away removes nothing; forgetting and collecting removes exactly what only it reached."""
    maker = Maker(store=store, repository="pay/api")
    kept = maker.image(b"shared", tag="kept")
    gone = maker.image(b"shared", b"alone", tag="gone")
    store.untag("pay/api", "gone")
    assert store.tags("pay/api") == {"kept": kept.digest}
    assert store.collect("pay/api").digests == ()
    assert store.collect("pay/api", keep=[gone.digest]).digests == ()
    store.forget("pay/api", kept.digest)
    store.forget("pay/api", gone.digest)
    assert store.collect("pay/api", keep=[gone.digest]).digests == ()
    removed = store.collect("pay/api")
    assert gone.digest in removed.digests
    assert images.digest(b"alone") in removed.digests
    assert images.digest(b"shared") not in removed.digests
    assert store.resolve("pay/api", gone.digest) is None
    assert store.resolve("pay/api", "kept") is not None


def test_a_child_is_found_by_its_digest_and_not_listed(store: LayoutStore) -> None:
    """An index lists its platforms itself; the layout lists the index only."""
    root = Maker(store=store, repository="pay/api").platforms(b"layer", tag="v1")
    listed = orjson.loads((store.root / "pay/api/index.json").read_bytes())["manifests"]
    assert [entry["digest"] for entry in listed] == [root.digest]
    top = store.manifest("pay/api", root.digest)
    assert top is not None
    for child in oci.contents(top).children:
        found = store.resolve("pay/api", child.digest)
        assert found is not None
        assert (found.media_type, found.size) == (child.media_type, child.size)


def test_what_refers_to_an_image_is_found_in_the_layout(store: LayoutStore) -> None:
    """Signatures are listed with their type and notes, also right after one was added or its image replaced."""
    maker = Maker(store=store, repository="pay/api")
    signed = maker.image(b"layer", tag="v1")
    assert store.referrers("pay/api", signed.digest) == []
    first = maker.artifact(signed, b"first")
    assert [one.digest for one in store.referrers("pay/api", signed.digest)] == [first.digest]
    second = maker.artifact(signed, b"second")
    found = store.referrers("pay/api", signed.digest)
    assert {one.digest for one in found} == {first.digest, second.digest}
    assert {one.artifact_type for one in found} == {"application/vnd.example.signature"}
    assert all(one.annotations == {"signed-by": "us"} for one in found)
    assert store.referrers("pay/api", first.digest) == []


@pytest.mark.parametrize("given", [b"shor", b"longer than it said", b"other"])
def test_a_blob_that_is_not_what_was_announced_leaves_nothing(store: LayoutStore, given: bytes) -> None:
    """Too few, too many or other bytes than the digest's are refused, and no file stays."""
    wanted = images.blob(b"right")
    with pytest.raises(errors.IntegrityError):
        _write(store, wanted, given)
    assert not store.has_blob("pay/api", wanted)
    assert _files(store) == {"index.json", "oci-layout"}


def test_a_blob_that_is_given_up_leaves_nothing(store: LayoutStore) -> None:
    """When what gives its bytes fails in the middle, there is no blob."""

    def failing() -> Iterator[bytes]:
        yield b"ri"
        raise errors.UnreachableError("The source went away.")

    with pytest.raises(errors.UnreachableError):
        store.write_blob("pay/api", images.blob(b"right"), failing())
    assert _files(store) == {"index.json", "oci-layout"}


def test_an_image_is_listed_only_when_all_of_it_is_there(store: LayoutStore) -> None:
    """A manifest whose layer, config or child is missing is refused, and the tag stays where it was."""
    maker = Maker(store=store, repository="pay/api")
    old = maker.image(b"old", tag="v1")
    config, layer = images.blob(b"{}", oci.OCI_CONFIG), images.blob(b"absent")
    body = {"config": oci.as_json(config), "layers": [oci.as_json(layer)]}
    with pytest.raises(errors.NotFoundError, match=config.digest):
        maker.manifest(body, oci.OCI_MANIFEST, tag="v1")
    maker.put(b"{}")
    with pytest.raises(errors.NotFoundError, match=layer.digest):
        maker.manifest(body, oci.OCI_MANIFEST, tag="v1")
    with pytest.raises(errors.NotFoundError):
        maker.index([images.blob(b"absent", oci.OCI_MANIFEST)], tag="v1")
    assert store.tags("pay/api") == {"v1": old.digest}


def test_a_layer_that_lives_elsewhere_may_be_absent(store: LayoutStore) -> None:
    """Layers with URLs, and those that must not be distributed, are not asked for."""
    maker = Maker(store=store, repository="pay/api")
    config = maker.put(b"{}", oci.OCI_CONFIG)
    absent = [
        images.blob(b"there", images.FOREIGN_LAYER),
        images.blob(b"elsewhere", urls=("https://layers.example/one",)),
    ]
    body = {"config": oci.as_json(config), "layers": [oci.as_json(one) for one in absent]}
    made = maker.manifest(body, oci.OCI_MANIFEST, tag="v1")
    assert store.tags("pay/api") == {"v1": made.digest}


def test_a_blob_is_taken_over_from_another_repository_without_a_copy(store: LayoutStore) -> None:
    """Both repositories have the blob, and one that loses it does not take it from the other."""
    shared = Maker(store=store, repository="base").put(b"shared")
    assert store.mount_blob("pay/api", shared, origin="base")
    assert store.mount_blob("pay/api", shared, origin="base")
    first, second = (store.root / name / "blobs" / shared.digest.replace(":", "/") for name in ("base", "pay/api"))
    assert first.samefile(second)
    first.unlink()
    assert images.read(store, "pay/api", shared) == b"shared"
    assert not store.mount_blob("other", shared, origin="base")


def test_a_damaged_blob_is_healed_by_writing_it_again(store: LayoutStore) -> None:
    """What was written last and verified stands in the place of what had the name."""
    maker = Maker(store=store, repository="pay/api")
    layer = maker.put(b"right")
    path = store.root / "pay/api/blobs" / layer.digest.replace(":", "/")
    path.write_bytes(b"wrong")
    with pytest.raises(errors.IntegrityError):
        images.read(store, "pay/api", layer)
    maker.put(b"right")
    assert images.read(store, "pay/api", layer) == b"right"
    assert _files(store) == {"index.json", "oci-layout"}


def test_nothing_is_collected_under_somebody_who_writes(store: LayoutStore) -> None:
    """While an image is being written the collector steps back; afterwards it removes what nothing names."""
    maker = Maker(store=store, repository="pay/api")
    with store.writing("pay/api"):
        layer = maker.put(b"about to be named")
        with pytest.raises(errors.ConflictError):
            store.collect("pay/api")
        with store.writing("pay/api"):  # two writers do not mind each other
            assert store.has_blob("pay/api", layer)
    assert store.collect("pay/api").digests == (layer.digest,)


def test_a_writer_without_a_lock_cannot_list_what_was_collected(store: LayoutStore) -> None:
    """The manifest is refused, so that no tag ever names a hole."""
    maker = Maker(store=store, repository="pay/api")
    config, layer = maker.put(b"{}", oci.OCI_CONFIG), maker.put(b"layer")
    store.collect("pay/api")
    with pytest.raises(errors.NotFoundError):
        maker.manifest({"config": oci.as_json(config), "layers": [oci.as_json(layer)]}, oci.OCI_MANIFEST, tag="v1")
    assert store.tags("pay/api") == {}


def test_a_directory_that_is_not_ours_to_write_is_told(store: LayoutStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the operating system refuses is one of the house's errors, with a remedy."""
    (store.root / "pay").mkdir(parents=True)
    (store.root / "pay/api").write_text("a file in the place of a layout")
    with pytest.raises(errors.UnreachableError, match="disk"):
        Maker(store=store, repository="pay/api").image(tag="v1")


def _write(store: LayoutStore, wanted: ends.Descriptor, given: bytes) -> None:
    store.write_blob("pay/api", wanted, [given])


def _files(store: LayoutStore) -> set[str]:
    """What lies in the layout beside its directories."""
    return {str(path.name) for path in (store.root / "pay/api").rglob("*") if path.is_file()} - _blobs(store)


def _blobs(store: LayoutStore) -> set[str]:
    return {path.name for path in (store.root / "pay/api/blobs").glob("*/*") if len(path.name) in (64, 128)}
