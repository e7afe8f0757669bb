"""Refs and tags of every shape that git allows: each is at every site as it is at the source."""

from __future__ import annotations

import os
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep.sites import git
from lockstep.store.database import Database
from sync.git import Request, run
from sync.states import State
from tests.support import git_http
from tests.support.mirrored import World

MAIN = "refs/heads/main"
SITES = ("seoul", "sejong")


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """One repository, and two sites on disk that have nothing yet."""
    return World(tmp_path, file_database, sites=SITES)


@pytest.fixture
def served(tmp_path: Path, file_database: Database) -> Iterator[tuple[World, git_http.GitHttp]]:
    """The same, and sejong is a server that has the repository empty."""
    world = World(tmp_path, file_database, sites=SITES)
    world.site("sejong").make(world.site("sejong").path)
    with git_http.serve(world.root / "sejong") as server:
        world.doors.instead["sejong"] = lambda: git.Remote(location=f"{server.url}/bank/pay.git")
        yield world, server


def _equal(world: World) -> None:
    assert world.states() == dict.fromkeys(SITES, "equal")
    for site in SITES:
        assert world.site(site).refs() == world.source.refs()


def _tag(world: World, name: str, target: str, kind: str) -> str:
    """A tag object of something of this kind, under its own ref; its id."""
    lines = f"object {target}\ntype {kind}\ntag {name}\ntagger Ada <ada@bank.example> 1700000000 +0000\n\nWhy\n"
    oid = world.source.git("hash-object", "-t", "tag", "-w", "--stdin", stdin=lines.encode()).strip()
    world.source.point(f"refs/tags/{name}", oid)
    return oid


@pytest.mark.needs("git-http-backend")
def test_a_tag_may_name_a_tag_a_tree_or_a_blob_and_another_kind_tomorrow(
    served: tuple[World, git_http.GitHttp],
) -> None:
    """With an object of its own and without one: the ids are the source's, and a tag that changes its kind follows."""
    world, _ = served
    commit = world.source.refs()[MAIN]
    tree = world.source.git("rev-parse", f"{commit}^{{tree}}").strip()
    blob = world.source.git("hash-object", "-w", "--stdin", stdin=b"a public key").strip()
    inner = _tag(world, "commit", commit, "commit")
    for name, target, kind in (("tag", inner, "tag"), ("tree", tree, "tree"), ("blob", blob, "blob")):
        _tag(world, name, target, kind)
    for name, oid in (("plain-tree", tree), ("plain-blob", blob), ("moves", commit)):
        world.source.point(f"refs/tags/{name}", oid)
    world.walk()
    _equal(world)
    world.source.point("refs/tags/moves", blob)
    world.source.point("refs/tags/plain-blob", commit)
    world.source.point("refs/tags/tag", tree)
    world.walk()
    _equal(world)
    for site in SITES:
        assert world.site(site).git("cat-file", "blob", "refs/tags/moves") == "a public key"


@pytest.mark.needs("ssh-keygen")
def test_a_signed_tag_is_still_signed_at_every_site(world: World, tmp_path: Path) -> None:
    """Git itself verifies the signature of the tag and of its commit there, with the key of who made them."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers = tmp_path / "signers"
    signers.write_text(f"ada@bank.example {key.with_suffix('.pub').read_text()}")
    ssh = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}", "-c", f"gpg.ssh.allowedSignersFile={signers}")
    tree = world.source.git("rev-parse", f"{MAIN}^{{tree}}").strip()
    signed = world.source.git(*ssh, "commit-tree", "-S", "-m", "Signed", "-p", MAIN, tree).strip()
    world.source.point(MAIN, signed)
    world.source.git(*ssh, "tag", "--sign", "--message=A release", "v1", signed)
    world.walk()
    _equal(world)
    for site in SITES:
        world.site(site).git(*ssh, "verify-tag", "v1")
        world.site(site).git(*ssh, "verify-commit", signed)


@pytest.mark.needs("git-http-backend")
def test_names_that_only_look_alike_are_two_refs(served: tuple[World, git_http.GitHttp]) -> None:
    """Composed and decomposed letters, and case: neither overwrites the other, and one goes without the other."""
    world, _ = served
    first = world.source.refs()[MAIN]
    composed, decomposed = (unicodedata.normalize(form, "refs/heads/서울-é") for form in ("NFC", "NFD"))
    assert composed != decomposed
    world.source.branches(30)  # so that three deletes are few
    pairs = {composed: first, "refs/heads/Fix": first, "refs/tags/V1": first}
    for ref, oid in pairs.items():
        world.source.point(ref, oid)
    for ref in (decomposed, "refs/heads/fix", "refs/tags/v1"):
        world.source.commit(ref, {"other": ref}, orphan=True)
    world.walk()
    _equal(world)
    world.source.delete(composed, "refs/heads/fix", "refs/tags/V1")
    world.walk()
    _equal(world)
    assert {decomposed, "refs/heads/Fix", "refs/tags/v1"} <= set(world.site("sejong").refs())


@pytest.mark.needs("git-http-backend")
def test_a_dry_run_asks_the_sites_and_changes_no_byte_of_them(served: tuple[World, git_http.GitHttp]) -> None:
    """New, moved and deleted refs are planned: a server is asked for its refs alone, a disk is as it was."""
    world, server = served
    world.source.branches(20)
    world.walk()
    world.source.commit(MAIN, {"README": "newer"})
    world.source.tag("v1", MAIN)
    world.source.delete("refs/heads/b1")
    before = {site: _bytes(world.root / site) for site in SITES}
    states = world.states()
    server.requests.clear()
    report = run(world.context, Request(dry_run=True))
    assert {one.state for one in report.sites} == {State.BEHIND}
    for one in report.sites:
        assert {(ref.ref, ref.action) for ref in one.refs} == {
            (MAIN, "update"),
            ("refs/tags/v1", "create"),
            ("refs/heads/b1", "delete"),
        }
    assert {site: _bytes(world.root / site) for site in SITES} == before
    assert {request.split(" ")[0] for request in server.requests} == {"listing"}
    assert not any("receive-pack" in request for request in server.requests)
    assert world.states() == states


def _bytes(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything below a folder: mode, time of the last change, content."""
    found = {}
    for place, _, files in os.walk(folder):
        for path in (Path(place), *(Path(place) / name for name in files)):
            status = path.lstat()
            found[str(path)] = (status.st_mode, status.st_mtime_ns, path.read_bytes() if path.is_file() else b"")
    return found


@pytest.mark.needs("git-http-backend")
@pytest.mark.parametrize(("answer", "says"), [("401", "does not know us"), ("403", "does not let us")])
def test_a_site_that_may_be_read_and_not_written_is_refused_with_what_to_do(
    served: tuple[World, git_http.GitHttp], answer: str, says: str
) -> None:
    """Reading is let through and writing is not, as at every forge: it is refused, and the other site is served."""
    world, server = served
    server.refuses_pushes = int(answer)
    world.walk()
    assert world.states() == {"seoul": "equal", "sejong": "refused"}
    assert says in str(world.standing("sejong").detail)
    server.refuses_pushes = 0
    world.walk()
    _equal(world)


@pytest.mark.needs("git-http-backend")
def test_credentials_that_are_known_and_not_let_in_are_told_from_unknown_ones(
    served: tuple[World, git_http.GitHttp],
) -> None:
    """401 without them and 403 with them: what is said is about rights, not about the password."""
    world, server = served
    server.password, server.forbids = "hunter2", True
    address = f"{server.url}/bank/pay.git"
    for password, says in (("hunter2", "does not let us"), ("wrong", "does not know us")):
        access = git.Access(password=password)
        world.doors.instead["sejong"] = lambda access=access: git.Remote(location=address, access=access)  # type: ignore[misc]  # mypy knows no lambda with a default
        world.walk()
        assert world.states() == {"seoul": "equal", "sejong": "refused"}
        assert says in str(world.standing("sejong").detail)
        assert password not in str(world.standing("sejong").detail)
