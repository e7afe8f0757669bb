"""Large files: pointers, the shelf, what was seen where, and an address over ssh."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.sites.ends import LargeFile
from lockstep.sites.git import Remote
from lockstep.sites.git.cache import Cache
from lockstep.sites.git.lfs import batch, pointers
from lockstep.sites.git.lfs.scanning import _Pointers, scan
from lockstep.sites.git.lfs.shelf import Shelf
from tests.support import lfs_http
from tests.support.repositories import Repository

MAIN = "refs/heads/main"
FILE = LargeFile(oid=hashlib.sha256(b"hello").hexdigest(), size=5)


@pytest.mark.parametrize(
    "content",
    [
        lfs_http.pointer(b"hello").encode(),
        lfs_http.pointer(b"hello").replace("\n", "\r\n").encode(),
        lfs_http.pointer(b"hello").replace("git-lfs.github.com", "hawser.github.com").encode(),
        lfs_http.pointer(b"hello").replace("oid", "ext-0-foo sha256:" + "0" * 64 + "\noid").encode(),
    ],
)
def test_a_pointer_is_read_as_git_lfs_reads_it(content: bytes) -> None:
    """Also from old versions, with extensions, and with the line ends of Windows."""
    assert pointers.parse(content) == FILE


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"version 1\n",
        lfs_http.pointer(b"").encode(),  # the empty file is kept nowhere
        lfs_http.pointer(b"hello").replace("sha256:", "md5:").encode(),
        lfs_http.pointer(b"hello").replace("size 5", "size -5").encode(),
        lfs_http.pointer(b"hello").replace("spec/v1", "spec/v9").encode(),
        lfs_http.pointer(b"hello").encode() + b" " * 1024,
        b"version \xff\xfe",
    ],
)
def test_what_is_no_pointer_is_none(content: bytes) -> None:
    """It is mirrored as the file that it is."""
    assert pointers.parse(content) is None


@given(st.lists(st.binary(max_size=40) | st.just(lfs_http.pointer(b"hello").encode()), max_size=8), st.integers(1, 50))
def test_pointers_are_found_however_the_stream_is_cut(blobs: list[bytes], size: int) -> None:
    """In pieces of any size, among blobs that hold anything."""
    stream = b"".join(b"%s blob %d\n%s\n" % (b"a" * 40, len(blob), blob) for blob in blobs)
    found = _Pointers()
    for at in range(0, len(stream), size):
        found.feed(stream[at : at + size])
    assert found.whole
    assert found.files == ({FILE} if any(pointers.parse(blob) for blob in blobs) else set())


def test_a_tree_that_names_itself_a_billion_times_is_looked_at_once(tmp_path: Path) -> None:
    """A git bomb: ten levels of ten times the same folder; each object counts once."""
    bomb = Repository.make(tmp_path / "bomb.git")
    entry = bomb.git("hash-object", "-w", "--stdin", stdin=lfs_http.pointer(b"hello").encode()).strip()
    tree = bomb.git("mktree", stdin="".join(f"100644 blob {entry}\tf{n}\n" for n in range(10)).encode()).strip()
    for _ in range(10):
        rows = "".join(f"040000 tree {tree}\td{n}\n" for n in range(10))
        tree = bomb.git("mktree", stdin=rows.encode()).strip()
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    tip = bomb.git(*who, "commit-tree", "-m", "bomb", tree).strip()
    assert scan(bomb.path, [tip]) == {FILE}


def test_a_shelf_shows_nothing_that_is_not_whole(tmp_path: Path) -> None:
    """Wrong bytes, too many, too few, an error in the middle: no file is left, not even a part."""
    shelf = Shelf(tmp_path)

    def broken() -> object:
        yield b"he"
        raise errors.UnreachableError("gone")

    for chunks in ([b"hallo"], [b"hello", b"!"], [b"hell"], broken()):
        with pytest.raises(errors.LockstepError):
            shelf.write(FILE, chunks)  # type: ignore[arg-type]  # a generator of bytes that raises
        assert shelf.lacks([FILE]) == {FILE}
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    shelf.write(FILE, [b"he", b"llo"])
    with shelf.read(FILE) as content:
        assert b"".join(content) == b"hello"


def test_parts_of_a_file_that_was_not_finished_go_when_it_is(tmp_path: Path) -> None:
    """A writer that was killed could not; another that is still at it finds the file there, and is content."""
    shelf = Shelf(tmp_path)

    def killed() -> Iterator[bytes]:
        yield b"he"
        os.link(next(tmp_path.rglob(".new-*")), tmp_path / FILE.oid[:2] / FILE.oid[2:4] / f".new-{FILE.oid}-left")
        shelf.write(FILE, [b"hello"])
        yield b"llo"

    shelf.write(FILE, killed())
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [FILE.oid]
    with shelf.read(FILE) as chunks:
        assert b"".join(chunks) == b"hello"


def test_a_file_that_rotted_on_its_disk_is_not_handed_on(tmp_path: Path) -> None:
    """It is found out while it is read."""
    shelf = Shelf(tmp_path)
    shelf.write(FILE, [b"hello"])
    (path,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    path.write_bytes(b"hallo")
    with pytest.raises(errors.IntegrityError, match="not what its id says"), shelf.read(FILE) as content:
        list(content)


def test_what_new_commits_reach_is_added_to_what_is_known(tmp_path: Path) -> None:
    """By looking through the new alone; from nothing when the old is gone."""
    source = Repository.make(tmp_path / "source.git")
    lfs_http.commit(source, MAIN, "a.bin", b"hello")
    large = Cache(tmp_path / "cache").large
    large._repository = source.path
    tip = source.refs()[MAIN]
    assert large.wanted([tip]) == {FILE}
    lfs_http.commit(source, MAIN, "b.bin", b"other")
    assert len(large.wanted([source.refs()[MAIN]])) == 2
    assert large.wanted([tip]) == {FILE}


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(x) | st.dictionaries(st.text(max_size=9), x)
    )
)
def test_an_answer_that_is_none_is_an_error_of_ours(said: object) -> None:
    """Whatever JSON a server makes up."""
    with pytest.raises(errors.LockstepError):
        batch.answers(json.dumps(said).encode(), [FILE], address="there")


@pytest.mark.parametrize("files", [b"hello", b""], ids=["with large files", "without"])
def test_what_is_known_of_a_copy_that_was_made_anew_is_counted_anew(
    source: Repository, cache: Cache, files: bytes
) -> None:
    """The old tips are in nobody's hands any more: what the new ones reach is looked for from the beginning."""
    if files:
        lfs_http.commit(source, MAIN, "a.bin", files)
    cache.fetch(Remote(location=str(source.path)), source.refs())
    assert len(cache.large.wanted(source.refs().values())) == bool(files)
    source.commit(MAIN, {"other": "history"}, orphan=True)
    lfs_http.commit(source, MAIN, "b.bin", b"new")
    shutil.rmtree(cache.repository)
    cache.fetch(Remote(location=str(source.path)), source.refs())
    assert [file.size for file in cache.large.wanted(source.refs().values())] == [3]
