"""Sources that do not have all of their history: each is named, and nothing of it is called complete."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import git
from tests.support import git_http, repositories, sshd
from tests.support.repositories import Repository

MAIN = "refs/heads/main"


@pytest.fixture
def source(tmp_path: Path) -> Repository:
    """Five commits of one file."""
    made = Repository.make(tmp_path / "forge/whole.git")
    for number in range(5):
        made.commit(MAIN, {"README": f"version {number}"})
    return made


@pytest.fixture
def server(source: Repository) -> Iterator[git_http.GitHttp]:
    """A server of what is at the forge."""
    with git_http.serve(source.path.parent) as served:
        yield served


def _shallow(source: Repository) -> Repository:
    made = Repository(source.path.with_name("shallow.git"))
    repositories.git("clone", "--quiet", "--bare", "--depth=1", source.path.as_uri(), str(made.path))
    return made


def _partial(source: Repository) -> Repository:
    source.git("config", "uploadpack.allowFilter", "true")
    made = Repository(source.path.with_name("partial.git"))
    repositories.git("clone", "--quiet", "--bare", "--filter=blob:none", source.path.as_uri(), str(made.path))
    return made


def _grafted(source: Repository) -> Repository:
    made = Repository(source.path.with_name("grafted.git"))
    shutil.copytree(source.path, made.path)
    (made.path / "info").mkdir(exist_ok=True)
    (made.path / "info/grafts").write_text(f"{made.refs()[MAIN]}\n")
    return made


def _holed(source: Repository) -> Repository:
    made = Repository.make(source.path.with_name("holed.git"))
    made.git("fetch", "--quiet", str(source.path), "refs/*:refs/*")
    for pack in (made.path / "objects/pack").glob("*.pack"):
        taken = pack.read_bytes()
        for part in pack.parent.glob(f"{pack.stem}.*"):
            part.unlink()
        made.git("unpack-objects", "-q", stdin=taken)
    old = made.git("rev-parse", f"{MAIN}~2:README").strip()
    (made.path / "objects" / old[:2] / old[2:]).unlink()
    return made


_WAYS = pytest.mark.parametrize(
    ("make", "says"),
    [
        (_shallow, "shallow clone.*fetch --unshallow"),
        (_partial, "partial clone.*--refetch"),
        (_grafted, "info/grafts.*--convert-graft-file"),
        (_holed, "lacks objects that its refs need.*fsck"),
    ],
    ids=["shallow", "partial", "grafted", "holed"],
)


@_WAYS
@pytest.mark.needs("git-http-backend")
@pytest.mark.parametrize("old", [False, True], ids=["protocol-2", "protocol-0"])
def test_a_server_whose_history_is_not_whole_is_named_with_what_to_do(
    source: Repository, server: git_http.GitHttp, cache: git.Cache, *, make: Callable[[Repository], Repository],
    says: str, old: bool,
) -> None:  # fmt: skip
    """Git's second protocol takes a shallow clone without a word: what it has is nobody's mirror all the same."""
    server.old = old
    broken = make(source)
    with pytest.raises(errors.IntegrityError, match=says):
        cache.fetch(git.Remote(location=f"{server.url}/{broken.path.name}"), broken.refs())
    assert cache.staged() == {}
    assert not (cache.repository / "shallow").exists()
    assert cache.fetch(git.Remote(location=f"{server.url}/whole.git"), source.refs()) == 1
    assert cache.repository.is_dir()
    assert Repository(cache.repository).git("rev-list", "--objects", "--count", source.refs()[MAIN]) == "15\n"


@_WAYS
def test_a_repository_on_disk_whose_history_is_not_whole_is_named_too(
    source: Repository, cache: git.Cache, make: Callable[[Repository], Repository], says: str
) -> None:
    """Nobody else is asked for what a partial clone lacks, although its own configuration names somebody."""
    broken = make(source)
    remote = git.Remote(location=str(broken.path))
    with pytest.raises(errors.IntegrityError, match=says):
        cache.fetch(remote, broken.refs())
    assert cache.staged() == {}


@pytest.mark.needs("sshd")
def test_a_shallow_clone_behind_ssh_is_named_too(source: Repository, cache: git.Cache, tmp_path: Path) -> None:
    """Whatever the protocol."""
    shallow = _shallow(source)
    with sshd.serve(tmp_path / "sshd") as host:
        access = git.Access(ssh_key=host.key, known_hosts=host.known_hosts)
        remote = git.Remote(location=f"ssh://{host.host}{shallow.path}", access=access)
        with pytest.raises(errors.IntegrityError, match="shallow clone"):
            cache.fetch(remote, shallow.refs())
    assert cache.staged() == {}


def test_a_shallow_clone_is_no_equal_site_either(source: Repository) -> None:
    """Its refs may be equal and its history is not: it is never listed as if it were whole."""
    shallow = _shallow(source)
    remote = git.Remote(location=str(shallow.path))
    with pytest.raises(errors.IntegrityError, match="shallow clone"):
        remote.advertised()
    shallow.git("fetch", "--quiet", "--unshallow", source.path.as_uri())
    seen = remote.advertised()
    assert seen
    assert seen.refs == source.refs()


@pytest.mark.needs("git-http-backend")
def test_a_cut_that_a_killed_fetch_left_in_our_copy_cuts_nothing_later(
    source: Repository, server: git_http.GitHttp, cache: git.Cache
) -> None:
    """Killed between git's end and our look: the next fetch starts without it, and everything is there."""
    cache.fetch(git.Remote(location=f"{server.url}/whole.git"), source.refs())
    (cache.repository / "shallow").write_text(f"{source.refs()[MAIN]}\n")
    source.commit(MAIN, {"README": "newest"})
    assert cache.fetch(git.Remote(location=f"{server.url}/whole.git"), source.refs()) == 1
    assert not (cache.repository / "shallow").exists()
    assert len(Repository(cache.repository).git("rev-list", source.refs()[MAIN]).split()) == 6
