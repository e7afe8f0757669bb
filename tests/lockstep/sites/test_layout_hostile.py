"""Layouts that lie, are damaged or are meant to hurt: each is told, none is believed, none is waited for."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.sites.layout import LayoutStore
from lockstep.values import Json
from tests.support import images
from tests.support.images import Maker

TAG = "org.opencontainers.image.ref.name"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The layout of the repository ``app``, with one image under the tag ``v1``."""
    Maker(store=LayoutStore(tmp_path), repository="app").image(b"layer", tag="v1")
    return tmp_path / "app"


@pytest.fixture
def store(home: Path) -> LayoutStore:
    """The layouts around ``home``."""
    return LayoutStore(home.parent)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'{"manifests": {}}',
        b'{"manifests": [1]}',
        b'{"schemaVersion": 2}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"manifests": [{"annotations": {"org.opencontainers.image.ref.name": "v1"}}]}',
        b'{"manifests": [{"digest": "sha256:../../x", "annotations": {"org.opencontainers.image.ref.name": "v1"}}]}',
    ],
)
def test_an_index_that_is_none_is_an_error_and_never_empty(home: Path, store: LayoutStore, raw: bytes) -> None:
    """A layout that cannot be read has no tags to compare: that is said, for reads and for writes."""
    (home / "index.json").write_bytes(raw)
    with pytest.raises((errors.IntegrityError, errors.UnsupportedError)):
        store.tags("app")
    with pytest.raises((errors.IntegrityError, errors.UnsupportedError)):
        store.collect("app")
    assert len(list(home.glob("blobs/*/*"))) == 3


def test_an_index_of_a_hundred_megabytes_is_not_read(home: Path, store: LayoutStore) -> None:
    """Its size is bounded before it is parsed."""
    with (home / "index.json").open("wb") as file:
        file.truncate(100 * 2**20)
    with pytest.raises(errors.IntegrityError, match="larger"):
        store.tags("app")


@pytest.mark.parametrize("version", [b"", b"{}", b'{"imageLayoutVersion": 1}', b"no"])
def test_a_layout_file_that_is_none_is_told(home: Path, store: LayoutStore, version: bytes) -> None:
    """What calls itself a layout and is none is not treated as absent."""
    (home / "oci-layout").write_bytes(version)
    with pytest.raises(errors.IntegrityError):
        store.tags("app")


def test_a_layout_of_a_later_version_is_left_alone(home: Path, store: LayoutStore) -> None:
    """Nobody writes into a layout whose rules he does not know."""
    (home / "oci-layout").write_bytes(b'{"imageLayoutVersion": "2.0.0"}')
    with pytest.raises(errors.UnsupportedError):
        store.tags("app")
    with pytest.raises(errors.UnsupportedError):
        Maker(store=store, repository="app").image(b"new", tag="v1")


def test_an_index_that_lies_about_a_size_does_not_hold_that_image(home: Path, store: LayoutStore) -> None:
    """The tag names something that is not there whole; writing it again heals it."""
    _edit(home, lambda entry: entry | {"size": entry["size"] + 1})
    assert store.tags("app") == {"v1": ""}
    assert store.resolve("app", "v1") is None
    made = Maker(store=store, repository="app").image(b"layer", tag="v1")
    assert store.tags("app") == {"v1": made.digest}


def test_a_manifest_that_is_not_its_digest_is_refused(home: Path, store: LayoutStore) -> None:
    """Bytes of the right size and the wrong content are found when they are read."""
    digest = (store.tags("app") or {})["v1"]
    path = home / "blobs" / digest.replace(":", "/")
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(errors.IntegrityError):
        store.manifest("app", digest)
    with pytest.raises(errors.IntegrityError):
        store.collect("app")
    Maker(store=store, repository="app").image(b"layer", tag="v1")
    assert store.manifest("app", digest) is not None


def test_a_tag_claimed_for_two_images_is_nobodys(home: Path, store: LayoutStore) -> None:
    """Docker writes two images of one tag into one layout: which is meant cannot be told, until it is tagged again."""
    other = Maker(store=store, repository="app").image(b"other", tag="v2")
    index = orjson.loads((home / "index.json").read_bytes())
    index["manifests"][1]["annotations"][TAG] = "v1"
    (home / "index.json").write_bytes(orjson.dumps(index))
    assert store.tags("app") == {"v1": ""}
    with pytest.raises(errors.IntegrityError, match="two different"):
        store.resolve("app", "v1")
    Maker(store=store, repository="app").image(b"other", tag="v1")
    assert store.tags("app") == {"v1": other.digest}


@pytest.mark.parametrize("name", ["docker.io/library/nginx:1.25", "a/b", "", "-v1", "ünicode", "v1@stage", "../v1"])
def test_references_that_are_no_tags_are_kept_and_not_shown(home: Path, store: LayoutStore, name: str) -> None:
    """The layout's grammar allows more than a tag's; another tool's names survive our writing."""
    _edit(home, lambda entry: entry | {"annotations": {TAG: name, "theirs": "kept"}})
    assert store.tags("app") == {}
    Maker(store=store, repository="app").image(b"new", tag="v2")
    kept = orjson.loads((home / "index.json").read_bytes())["manifests"][0]
    assert kept["annotations"] == {TAG: name, "theirs": "kept"}


def test_what_another_tool_wrote_into_the_index_is_kept(home: Path, store: LayoutStore) -> None:
    """Fields and entries that mean nothing to us are still there after a tag has moved."""
    index = orjson.loads((home / "index.json").read_bytes())
    blob = Maker(store=store, repository="app").put(b"theirs", "application/theirs")
    index |= {"annotations": {"made-by": "them"}, "custom": [1, {"two": None}]}
    index["manifests"].append(oci.as_json(blob) | {"custom": True})
    (home / "index.json").write_bytes(orjson.dumps(index))
    Maker(store=store, repository="app").image(b"new", tag="v1")
    after = orjson.loads((home / "index.json").read_bytes())
    assert (after["annotations"], after["custom"]) == (index["annotations"], index["custom"])
    assert index["manifests"][1] in after["manifests"]
    store.collect("app")
    assert images.read(store, "app", blob) == b"theirs"


@pytest.mark.parametrize("what", ["pipe", "directory", "socket", "link to a directory", "link to a device"])
def test_something_else_in_the_place_of_a_blob_is_no_blob(home: Path, store: LayoutStore, what: str) -> None:
    """A pipe is not waited for, a device not read without end."""
    layer = images.blob(b"layer")
    path = home / "blobs" / layer.digest.replace(":", "/")
    path.unlink()
    match what:
        case "pipe":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case "socket":
            os.mknod(path, stat.S_IFSOCK | 0o644)
        case "link to a directory":
            path.symlink_to("/proc/self/fd")
        case "link to a device":
            path.symlink_to("/dev/zero")
    assert not store.has_blob("app", layer)
    with pytest.raises(errors.NotFoundError), store.read_blob("app", layer):
        pass


def test_a_link_out_of_the_layout_gives_away_nothing(home: Path, store: LayoutStore, tmp_path: Path) -> None:
    """A blob that is a link to a file of the machine is read only if it is that very digest."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"LAYER")
    layer = images.blob(b"layer")
    path = home / "blobs" / layer.digest.replace(":", "/")
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(errors.IntegrityError):
        images.read(store, "app", layer)


def test_an_index_that_contains_itself_ends(home: Path, store: LayoutStore) -> None:
    """A circle can only be made with bytes that are not their digest: it is told, not followed."""
    circle = images.blob(b"circle", oci.OCI_INDEX)
    body = orjson.dumps(
        {"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": [oci.as_json(circle) | {"size": 400}]}
    ).ljust(400)
    (home / "blobs" / circle.digest.replace(":", "/")).write_bytes(body)
    _edit(home, lambda entry: entry | oci.as_json(circle) | {"size": 400})
    assert store.resolve("app", "v1") is not None
    with pytest.raises(errors.IntegrityError):
        store.manifest("app", circle.digest)
    with pytest.raises(errors.IntegrityError):
        store.collect("app")
    assert store.referrers("app", circle.digest) == []


def test_a_blob_in_the_place_of_a_manifest_is_none(store: LayoutStore) -> None:
    """A layer or a config has a digest too; it is not taken for an image."""
    assert store.resolve("app", images.digest(b"layer")) is None
    assert store.manifest("app", images.digest(b"layer")) is None


def test_a_layout_as_docker_saves_it_opens(tmp_path: Path) -> None:
    """Docker's archive has files of its own beside a layout, and names its images twice."""
    maker = Maker(store=LayoutStore(tmp_path), repository="app")
    made = maker.image(b"layer", tag="v1", docker=True)
    home = tmp_path / "app"
    (home / "manifest.json").write_text('[{"Config": "blobs/sha256/x", "RepoTags": ["app:v1"], "Layers": []}]')
    (home / "repositories").write_text("{}")
    name = "io.containerd.image.name"
    _edit(home, lambda entry: entry | {"annotations": {TAG: "v1", name: "docker.io/library/app:v1"}})
    index = orjson.loads((home / "index.json").read_bytes())
    del index["mediaType"]
    (home / "index.json").write_bytes(orjson.dumps(index))
    store = LayoutStore(tmp_path)
    assert store.tags("app") == {"v1": made.digest}
    assert store.repositories() == ["app"]
    maker.image(b"newer", tag="v1")
    old = orjson.loads((home / "index.json").read_bytes())["manifests"][1]
    assert "annotations" not in old, "a name that moved on must not stay with the old image"


def _edit(home: Path, change: Callable[[dict[str, Json]], dict[str, Json]]) -> None:
    index = orjson.loads((home / "index.json").read_bytes())
    index["manifests"] = [change(entry) for entry in index["manifests"]]
    (home / "index.json").write_bytes(orjson.dumps(index))


def test_the_same_image_may_be_written_by_a_reader_of_another_kind(store: LayoutStore) -> None:
    """A manifest served with another media type than it was written with is refused, not stored twice."""
    found = store.manifest("app", (store.tags("app") or {})["v1"])
    assert found is not None
    lie = ends.Manifest(media_type=oci.DOCKER_MANIFEST, digest=found.digest, raw=found.raw)
    with pytest.raises(errors.IntegrityError, match="calls itself"):
        store.write_manifest("app", lie, tag="v1")
