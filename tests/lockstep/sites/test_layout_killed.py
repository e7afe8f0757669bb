"""Layouts under kill -9 and many hands: whole blobs, a whole index, nothing else that stays."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from lockstep import errors
from lockstep.sites import ends, layout_files, oci
from lockstep.sites.layout import LayoutStore
from tests.support import images
from tests.support.images import Maker, new_store
from tests.support.killing import Forked, killed_at_each_step

pytestmark = pytest.mark.chaos


@pytest.fixture(params=["nameless", "named"])
def store(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LayoutStore:
    """A directory of layouts, on a file system with nameless files and on one without."""
    if request.param == "named":
        monkeypatch.setattr(layout_files, "_DESCRIPTORS", tmp_path / "no-proc")
    return new_store(tmp_path / "layouts")


def test_killed_at_any_step_of_a_new_tag_the_layout_is_whole(store: LayoutStore) -> None:
    """The old tag stands until the new one does, and the next writer leaves no trace of the dead one."""
    old = Maker(store=store, repository="app").image(b"old", tag="v1")

    def halves() -> Iterator[bytes]:
        yield b"first half, "
        sys.audit("test.step")
        yield b"second half"

    def work() -> None:
        with store.writing("app"):
            wanted = images.blob(b"first half, second half")
            store.write_blob("app", wanted, halves())
            Maker(store=store, repository="app").image(b"first half, second half", b"more", tag="v1")

    seen = set()
    for _ in killed_at_each_step(work):
        _require_whole(store, "app")
        tags = store.tags("app")
        assert tags is not None
        seen.add(tags["v1"])
    assert seen >= {old.digest}
    assert _strays(store, "app") == set()
    assert (store.tags("app") or {})["v1"] != old.digest


def test_killed_while_a_damaged_blob_is_healed_it_is_whole_or_as_before(store: LayoutStore) -> None:
    """A blob that takes another's place never leaves a hole, and no second file stays."""
    maker = Maker(store=store, repository="app")
    maker.image(b"right", tag="v1")
    path = store.root / "app/blobs" / images.digest(b"right").replace(":", "/")

    def work() -> None:
        maker.put(b"right")
        maker.image(b"right", tag="v2")

    path.write_bytes(b"wrong")
    for _ in killed_at_each_step(work):
        assert path.read_bytes() in (b"right", b"wrong")
    assert path.read_bytes() == b"right"
    assert _strays(store, "app") == set()


def test_killed_at_any_step_of_the_first_write_the_layout_heals(store: LayoutStore) -> None:
    """However little of a new layout was made, the next writer makes the rest."""

    def work() -> None:
        Maker(store=store, repository="a/b").image(b"layer", tag="v1")

    for _ in killed_at_each_step(work):
        assert (store.tags("a/b") or {}).keys() <= {"v1"}
        _require_whole(store, "a/b")
        with contextlib.suppress(FileNotFoundError):
            for file in sorted((store.root / "a/b").rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink()
    assert _strays(store, "a/b") == set()
    assert set(store.tags("a/b") or {}) == {"v1"}


def test_killed_while_it_collects_nothing_that_is_listed_is_lost(store: LayoutStore) -> None:
    """However far a collector came, every listed image is whole."""
    maker = Maker(store=store, repository="app")
    maker.platforms(b"kept", tag="kept")

    def work() -> None:
        store.collect("app")

    def garbage() -> None:
        gone = maker.platforms(b"kept", b"gone", tag="gone")
        store.untag("app", "gone")
        store.forget("app", gone.digest)

    garbage()
    for step in killed_at_each_step(work):
        _require_whole(store, "app")
        if step % 5 == 0:
            garbage()
    _require_whole(store, "app")
    assert store.collect("app").digests == ()


def test_a_lock_ends_with_its_holder(store: LayoutStore) -> None:
    """A writer that was killed holds nobody up."""
    maker = Maker(store=store, repository="app")
    maker.image(b"layer", tag="v1")
    reader, writer = os.pipe()

    def work() -> None:
        with store.writing("app"), layout_files.locked(store.root / "app/oci-layout", layout_files.Region.INDEX):
            os.write(writer, b".")
            signal.pause()

    child = Forked(work)
    assert os.read(reader, 1) == b"."
    with pytest.raises(errors.ConflictError):
        store.collect("app")
    child.kill()
    maker.image(b"another", tag="v2")
    assert store.collect("app").digests == ()
    os.close(reader)
    os.close(writer)


def test_many_writers_lose_no_tag_and_a_collector_takes_nothing_from_them(tmp_path: Path) -> None:
    """Four processes write to one repository while a fifth collects: every tag is there, and whole."""
    store = new_store(tmp_path)
    names = [[f"w{writer}-{turn}" for turn in range(12)] for writer in range(4)]

    def writing(own: list[str]) -> Callable[[], None]:
        def work() -> None:
            maker = Maker(store=store, repository="app")
            for name in own:
                with store.writing("app"):
                    maker.platforms(b"shared by all", f"only {name}".encode(), tag=name)

        return work

    def collecting() -> None:
        while True:
            with contextlib.suppress(errors.ConflictError):
                store.collect("app")

    with Forked(collecting):
        writers = [Forked(writing(own)) for own in names]
        assert [child.wait() for child in writers] == [0] * len(writers)
    assert set(store.tags("app") or {}) == {name for own in names for name in own}
    _require_whole(store, "app")
    Maker(store=store, repository="app").image(tag="last")
    assert _strays(store, "app") == set()


def test_writers_that_are_killed_lose_nothing_that_they_had_finished(tmp_path: Path) -> None:
    """Whatever a writer reported before it was killed is there afterwards, beside the work of the others."""
    store = new_store(tmp_path)
    finished: set[str] = set()
    for turn in range(6):
        reader, writer = os.pipe()
        with Forked(_endless(store, f"{turn}-a", writer)), Forked(_endless(store, f"{turn}-b", writer)):
            for _ in range(3 + turn):
                finished.add(os.read(reader, 32).decode().strip())
        os.close(writer)
        with os.fdopen(reader) as rest:
            finished.update(line.strip() for line in rest)
        _require_whole(store, "app")
    assert set(store.tags("app") or {}) >= finished
    Maker(store=store, repository="app").image(tag="last")
    assert _strays(store, "app") == set()


def _endless(store: LayoutStore, name: str, report: int) -> Callable[[], None]:
    def work() -> None:
        turn = 0
        while True:
            turn += 1
            tag = f"{name}-{turn}"
            with store.writing("app"):
                Maker(store=store, repository="app").image(b"shared", os.urandom(200_000), tag=tag)
            os.write(report, f"{tag:<31}\n".encode())

    return work


def _require_whole(store: LayoutStore, repository: str) -> None:
    """Every blob is what its name says, and everything that the index reaches is there."""
    home = store.root / repository
    for path in home.glob("blobs/*/*"):
        assert images.digest(path.read_bytes(), path.parent.name) == f"{path.parent.name}:{path.name}"
    for described in _reached(store, repository):
        assert store.has_blob(repository, described), described


def _reached(store: LayoutStore, repository: str) -> Iterator[ends.Descriptor]:
    index = store.root / repository / "index.json"
    if not index.exists():
        return
    waiting = [oci.descriptor(entry) for entry in orjson.loads(index.read_bytes())["manifests"]]
    while waiting:
        described = waiting.pop()
        yield described
        manifest = store.manifest(repository, described.digest)
        assert manifest is not None
        contents = oci.contents(manifest)
        yield from contents.blobs
        waiting.extend(contents.children)


def _strays(store: LayoutStore, repository: str) -> set[str]:
    """Files that are no part of a layout."""
    home = store.root / repository
    own = {"index.json", "oci-layout"}
    return {
        str(path.relative_to(home))
        for path in home.rglob("*")
        if path.is_file() and not (path.parent.parent.name == "blobs" and len(path.name) in (64, 128))
    } - own
