"""Writing the tree of a commit to a folder."""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import checkout, git, trees
from tests.support import repositories

_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:1234\nsize 12\n"


@pytest.fixture
def source(tmp_path: Path) -> repositories.Repository:
    """An empty repository."""
    return repositories.Repository.make(tmp_path / "source.git")


def _cache(source: repositories.Repository, tmp_path: Path) -> git.Cache:
    cache = git.Cache(tmp_path / "cache")
    cache.fetch(git.Remote(location=str(source.path)), source.refs())
    return cache


def _tree(source: repositories.Repository, *rows: tuple[str, str, str]) -> str:
    """A commit of a tree that git itself would not write: mode, name, content (or the id of a tree or commit)."""
    content = b""
    for mode, name, body in rows:
        named = mode in ("40000", "160000")
        oid = body if named else source.git("hash-object", "-w", "--stdin", stdin=body.encode()).strip()
        content += f"{mode} {name}\0".encode() + bytes.fromhex(oid)
    return _object(source, "tree", content)


def _object(source: repositories.Repository, kind: str, content: bytes) -> str:
    """Put an object in by hand, past every check of git."""
    whole = b"%s %d\0%s" % (kind.encode(), len(content), content)
    oid = hashlib.sha1(whole).hexdigest()
    path = source.path / "objects" / oid[:2] / oid[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(whole))
    return oid


def _commit(source: repositories.Repository, tree: str) -> str:
    who = b"A <a> 1 +0000"
    commit = b"tree %s\nauthor %s\ncommitter %s\n\nx\n" % (tree.encode(), who, who)
    return _object(source, "commit", commit)


def _own(source: repositories.Repository) -> git.Cache:
    """A copy that shares the source's folder, so that objects need not pass a fetch's own checks."""
    folder = source.path.parent / "direct"
    folder.mkdir()
    (folder / "repository").symlink_to(source.path)
    return git.Cache(folder)


def test_files_arrive_byte_for_byte(source: repositories.Repository, tmp_path: Path) -> None:
    """Folders, empty files, large ones, other encodings; no attribute of the repository changes any."""
    files = {
        "README": b"hello\r\n",
        "deep/er/empty": b"",
        "large": os.urandom(300_000),
        "한글.txt": "값".encode(),
        "crlf.txt": b"a\r\nb\n$Id$\n",
        ".gitattributes": b"*.txt text eol=crlf ident filter=evil export-ignore\n",
    }
    oid = source.commit("refs/heads/main", files)
    done = checkout.extract(_cache(source, tmp_path), oid, tmp_path / "out")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in files} == files
    assert (done.files, done.bytes) == (len(files), sum(len(content) for content in files.values()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "out", "source.git"]


def test_sha256_repositories_are_written_too(tmp_path: Path) -> None:
    """Each file is checked with the hash of its repository."""
    source = repositories.Repository.make(tmp_path / "modern.git", object_format="sha256")
    oid = source.commit("refs/heads/main", {"a": "b"})
    checkout.extract(_cache(source, tmp_path), oid, tmp_path / "out")
    assert (tmp_path / "out/a").read_text() == "b"


def test_modes_links_pointers_and_submodules_are_what_they_are(source: repositories.Repository, tmp_path: Path) -> None:
    """Programs can be run, links inside are links, and what is not there is said."""
    below = _tree(source, ("100755", "run", "#!/bin/sh\n"), ("120000", "up", "../README"))
    top = _tree(
        source,
        ("100644", "README", "x"),
        ("40000", "bin", below),
        ("100644", "model.bin", _POINTER),
        ("160000", "vendor", "2" * 40),
    )
    done = checkout.extract(_own(source), _commit(source, top), tmp_path / "out")
    out = tmp_path / "out"
    assert os.access(out / "bin/run", os.X_OK)
    assert not os.access(out / "README", os.X_OK)
    assert (out / "bin/up").is_symlink()
    assert (out / "bin/up").read_text() == "x"
    assert not (out / "vendor").exists()
    assert (done.lfs, done.submodules) == (("model.bin",), ("vendor",))


def test_only_a_folder_of_it_keeps_its_paths(source: repositories.Repository, tmp_path: Path) -> None:
    """What an overlay refers to by a path is where the path says."""
    oid = source.commit("refs/heads/main", {"deploy/base/a": "1", "src/b": "2", "deploy2/c": "3"})
    cache = _cache(source, tmp_path)
    assert checkout.extract(cache, oid, tmp_path / "out", path="./deploy/").files == 1
    assert (tmp_path / "out/deploy/base/a").exists()
    with pytest.raises(errors.NotFoundError, match="nowhere"):
        checkout.extract(cache, oid, tmp_path / "out2", path="nowhere")
    assert not (tmp_path / "out2").exists()


@pytest.mark.parametrize(
    "rows",
    [
        [("120000", "l", "/etc/passwd")],
        [("120000", "l", "../../etc/passwd")],
        [("100644", "..", "x")],
        [("100644", ".git", "x")],
        [("100644", "a/b", "x")],
        [("100644", "a", "x"), ("100644", "a", "y")],
        [("120000", "a", "b"), ("100644", "a", "y")],
    ],
    ids=["absolute", "climbing", "dots", "git", "slash", "twice", "through"],
)
def test_a_tree_that_would_do_harm_writes_nothing(
    source: repositories.Repository, tmp_path: Path, rows: list[tuple[str, str, str]]
) -> None:
    """It is refused before the first file."""
    if rows[0][1] == "a/b":
        rows = [*rows, ("100644", "a", "x")]
    oid = _commit(source, _tree(source, *rows))
    with pytest.raises(errors.RefusedError):
        checkout.extract(_own(source), oid, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_bomb_of_trees_is_given_up_while_it_is_listed(source: repositories.Repository, tmp_path: Path) -> None:
    """Ten trees that name each other ten times hold ten thousand million files."""
    tree = _tree(source, *(("100644", f"f{n}", "x") for n in range(10)))
    for _ in range(9):
        tree = _tree(source, *(("40000", f"d{n}", tree) for n in range(10)))
    with pytest.raises(errors.RefusedError, match="more than 500 files"):
        checkout.extract(_own(source), _commit(source, tree), tmp_path / "out", bounds=trees.Bounds(most_files=500))


def test_a_damaged_copy_is_said_and_writes_nothing(source: repositories.Repository, tmp_path: Path) -> None:
    """Every file is checked against its id: bytes that rotted are never deployed."""
    oid = source.commit("refs/heads/main", {"a": "good"})
    cache = _own(source)
    blob = source.git("rev-parse", f"{oid}:a").strip()
    path = source.path / "objects" / blob[:2] / blob[2:]
    path.chmod(0o600)
    path.write_bytes(zlib.compress(b"blob 4\0evil"))
    with pytest.raises(errors.IntegrityError):
        checkout.extract(cache, oid, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_commit_and_a_full_folder_are_told_apart(source: repositories.Repository, tmp_path: Path) -> None:
    """Neither is mistaken for an empty tree."""
    oid = source.commit("refs/heads/main", {"a": "1"})
    cache = _cache(source, tmp_path)
    with pytest.raises(errors.NotFoundError):
        checkout.extract(cache, "3" * 40, tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/theirs").write_text("precious")
    with pytest.raises(errors.TemporaryError):
        checkout.extract(cache, oid, tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["theirs"]


def test_an_empty_tree_is_an_empty_folder(source: repositories.Repository, tmp_path: Path) -> None:
    """A commit may hold nothing."""
    oid = _commit(source, _object(source, "tree", b""))
    assert checkout.extract(_own(source), oid, tmp_path / "out").files == 0
    assert list((tmp_path / "out").iterdir()) == []
