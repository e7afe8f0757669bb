"""Servers and repositories that mean harm: nothing hangs, nothing wrong is kept, and each is named."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import git
from lockstep.sites.ends import RefUpdate
from tests.support import git_http, repositories
from tests.support.repositories import Repository

MAIN = "refs/heads/main"
MIB = 2**20


@pytest.fixture
def source(tmp_path: Path) -> Repository:
    """A source with something to send."""
    made = Repository.make(tmp_path / "forge/pay.git")
    made.commit(MAIN, {"big": os.urandom(200_000)})
    return made


@pytest.fixture
def cache(tmp_path: Path) -> git.Cache:
    """Our own copy, empty."""
    return git.Cache(tmp_path / "cache")


def _number(value: int) -> bytes:
    """A size as deltas write it: seven bits a byte, the lowest first (gitformat-pack(5))."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _entry(kind: int, data: bytes, base: bytes = b"") -> bytes:
    """An object of a pack: kind and size, the base that it is a delta of, the compressed data."""
    size = len(data)
    head = bytearray([(kind << 4) | (size & 15)])
    size >>= 4
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    return bytes(head) + base + zlib.compress(data)


def _bomb(repository: Repository, *, unpacked: int) -> str:
    """A commit whose one file is a delta of some bytes that says: the same sixteen MiB again and again."""
    base = bytes(16 * MIB - 1)
    base_oid = hashlib.sha1(b"blob %d\0" % len(base) + base, usedforsecurity=False)
    copies = unpacked // len(base)
    delta = _number(len(base)) + _number(copies * len(base)) + b"\xf0\xff\xff\xff" * copies
    body = b"PACK" + struct.pack(">II", 2, 2) + _entry(3, base) + _entry(7, delta, base_oid.digest())
    pack = body + hashlib.sha1(body, usedforsecurity=False).digest()
    repository.git("index-pack", "--stdin", stdin=pack)
    whole = hashlib.sha1(b"blob %d\0" % (copies * len(base)), usedforsecurity=False)
    for _ in range(copies):
        whole.update(base)
    tree = repository.git(
        "mktree", stdin=f"100644 blob {whole.hexdigest()}\tbomb\n100644 blob {base_oid.hexdigest()}\tbase\n".encode()
    )
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    repository.point(MAIN, repository.git(*who, "commit-tree", "-m", "bomb", tree.strip()).strip())
    assert sum(path.stat().st_size for path in (repository.path / "objects/pack").iterdir()) < 100_000
    return repository.refs()[MAIN]


def test_a_pack_that_unpacks_to_more_than_the_memory_is_given_up(tmp_path: Path, cache: git.Cache) -> None:
    """A few kilobytes that say that they are a quarter of a gigabyte: named, and nothing of it is kept."""
    source = Repository.make(tmp_path / "bomb.git")
    _bomb(source, unpacked=256 * MIB)
    bounded = git.Patience(most_memory_bytes=200 * MIB)
    with pytest.raises(errors.TemporaryError, match="memory"):
        cache.fetch(git.Remote(location=str(source.path), patience=bounded), source.refs())
    assert cache.staged() == {}
    assert not [path for path in cache.folder.rglob("*") if path.is_file() and path.stat().st_size > MIB]


def test_a_list_of_refs_without_an_end_is_given_up(source: Repository) -> None:
    """It is bounded by its bytes, and never taken for a shorter one."""
    source.branches(100)
    remote = git.Remote(location=str(source.path), patience=git.Patience(most_list_bytes=1000))
    with pytest.raises(errors.RefusedError, match="more than can be taken"):
        remote.advertised()


@pytest.mark.parametrize("behaviour", ["cut", "silent"])
def test_a_transfer_that_is_cut_leaves_nothing_and_can_be_done_again(
    source: Repository, cache: git.Cache, behaviour: str
) -> None:
    """Half a pack is no pack; the next fetch has all of it."""
    with git_http.serve(source.path.parent) as server:
        remote = git.Remote(location=f"{server.url}/pay.git")
        refs = source.refs()
        server.behaviour = behaviour
        with pytest.raises(errors.LockstepError) as caught:
            cache.fetch(remote, refs)
        assert isinstance(caught.value, errors.UnreachableError | errors.IntegrityError)
        assert cache.staged() == {}
        server.behaviour = ""
        cache.fetch(remote, refs)
    assert cache.staged() == refs
    Repository(cache.repository).git("fsck", "--full")


def test_a_push_whose_answer_is_lost_is_no_success_and_is_found_done(
    source: Repository, cache: git.Cache, tmp_path: Path
) -> None:
    """Nobody knows what became of it until the site is asked; then a second push has nothing to do."""
    refs = source.refs()
    cache.fetch(git.Remote(location=str(source.path)), refs)
    site = Repository.make(tmp_path / "site/pay.git")
    updates = [RefUpdate(ref=ref, old="", new=oid) for ref, oid in refs.items()]
    with git_http.serve(site.path.parent) as server:
        remote = git.Remote(location=f"{server.url}/pay.git")
        server.behaviour = "silent"
        with pytest.raises(errors.UnreachableError):
            cache.push(remote, updates)
        server.behaviour = ""
        seen = remote.advertised()
    assert seen is not None
    assert dict(seen.refs) == site.refs() == refs


def test_a_server_that_swaps_its_repository_between_list_and_transfer_is_found_out(
    source: Repository, cache: git.Cache, tmp_path: Path
) -> None:
    """What it listed it does not have: nothing else is taken in its place."""
    other = Repository.make(tmp_path / "other/pay.git")
    other.commit(MAIN, {"other": "x"})
    with git_http.serve(source.path.parent) as server:
        remote = git.Remote(location=f"{server.url}/pay.git")
        seen = remote.advertised()
        assert seen is not None
        server.root = other.path.parent
        with pytest.raises(errors.ConflictError):
            cache.fetch(remote, dict(seen.refs))
    assert cache.staged() == {}


def test_an_object_that_is_not_what_its_id_says_never_gets_in(source: Repository, cache: git.Cache) -> None:
    """A file that rotted on the source's disk: git there or here says so, and our copy stays as it is."""
    blob = source.git("hash-object", "-w", "--stdin", stdin=b"sound").strip()
    tree = source.git("mktree", stdin=f"100644 blob {blob}\tx\n".encode()).strip()
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    source.point("refs/heads/x", source.git(*who, "commit-tree", "-m", "x", tree).strip())
    path = source.path / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(zlib.compress(b"blob 5\0wrong"))
    with pytest.raises(errors.LockstepError) as caught:
        cache.fetch(git.Remote(location=str(source.path)), source.refs())
    assert isinstance(caught.value, errors.IntegrityError | errors.UnreachableError)
    assert cache.staged() == {}


def test_a_source_without_its_whole_history_is_said_and_not_taken(
    tmp_path: Path, source: Repository, cache: git.Cache
) -> None:
    """A shallow clone: nothing of it reaches a site, and once it is complete it is mirrored."""
    source.commit("refs/heads/main", {"README": "newer"})
    shallow = Repository(tmp_path / "shallow.git")
    repositories.git("clone", "--quiet", "--bare", "--depth=1", source.path.as_uri(), str(shallow.path))
    remote = git.Remote(location=str(shallow.path))
    with pytest.raises(errors.IntegrityError, match="shallow clone"):
        cache.fetch(remote, shallow.refs())
    assert cache.staged() == {}
    shallow.git("fetch", "--quiet", "--unshallow", source.path.as_uri())
    assert cache.fetch(remote, shallow.refs()) == 1
