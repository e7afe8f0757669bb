"""Large files of git LFS: at every site before its refs, verified by their ids, and never missing in silence."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lockstep.sites import git
from lockstep.sites.git import process
from lockstep.store.database import Database
from sync.git import Request, run
from sync.outcomes import Outcome
from tests.support import git_http, lfs_http, sshd
from tests.support.lfs_http import Lfs
from tests.support.mirrored import World

MAIN = "refs/heads/main"
SITES = ("sejong", "daegu")
CONTENT = os.urandom(3 * 2**20) + b"end"


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """Two sites on disk, and a repository with one large file."""
    made = World(tmp_path, file_database, sites=SITES)
    lfs_http.commit(made.source, MAIN, "photo.bin", CONTENT)
    return made


@pytest.fixture
def server(world: World) -> Iterator[git_http.GitHttp]:
    """Sejong is a git server, with LFS."""
    with git_http.serve(world.root / "sejong") as sejong:
        sejong.lfs = Lfs()
        world.doors.instead["sejong"] = lambda: git.Remote(location=f"{sejong.url}/bank/pay.git")
        world.site("sejong").make(world.site("sejong").path)
        yield sejong


def _has(world: World, site: str, content: bytes) -> bool:
    path = lfs_http.place(world.site(site), hashlib.sha256(content).hexdigest())
    return path.exists() and path.read_bytes() == content


def _problem(world: World, site: str) -> str:
    standing = world.standing(site)
    assert standing.state != "equal"
    return " ".join(str(one["reason"]) for one in standing.detail if str(one["ref"]).startswith("LFS"))


def test_gitea_34897_large_files_reach_every_site(world: World) -> None:
    """go-gitea#34897, git-lfs#4255, gickup#200: a mirror without its large files is no mirror."""
    world.walk()
    assert all(_has(world, site, CONTENT) for site in SITES)
    assert world.states() == dict.fromkeys(SITES, "equal")
    assert not (world.doors.git_cache("bank/pay").folder / "lfs/objects").exists()


@pytest.mark.needs("git-lfs")
def test_git_lfs_itself_checks_out_what_a_site_was_given(world: World, tmp_path: Path) -> None:
    """A clone of the mirror has the file, not its pointer."""
    world.walk()
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_TERMINAL_PROMPT": "0"}
    subprocess.run(["git", "lfs", "install", "--skip-repo"], env=env, check=True, capture_output=True)
    url = world.site("sejong").path.as_uri()
    subprocess.run(["git", "clone", "--quiet", url, str(tmp_path / "clone")], env=env, check=True, capture_output=True)
    assert (tmp_path / "clone/photo.bin").read_bytes() == CONTENT


def test_a_second_run_asks_no_site_about_large_files(world: World, server: git_http.GitHttp) -> None:
    """What a site was seen to have is remembered; a new file is asked for alone."""
    world.walk()
    assert server.lfs
    assert server.lfs.files == {hashlib.sha256(CONTENT).hexdigest(): CONTENT}
    server.lfs.requests.clear()
    world.walk()
    assert server.lfs.requests == []
    other = lfs_http.commit(world.source, MAIN, "other.bin", b"other")
    world.walk()
    assert server.lfs.files[other] == b"other"
    assert sum("PUT" in request for request in server.lfs.requests) == 1


def test_large_files_of_old_commits_and_other_branches_are_there_too(world: World) -> None:
    """Everything that the mirrored refs reach; what a branch that is gone alone reached is asked for no longer."""
    lfs_http.commit(world.source, MAIN, "photo.bin", b"newer")
    lfs_http.commit(world.source, "refs/heads/side", "side.bin", b"side")
    world.source.tag("v1", "refs/heads/side")
    world.walk()
    assert all(_has(world, "daegu", content) for content in (CONTENT, b"newer", b"side"))
    lost = lfs_http.commit(world.source, "refs/heads/broken", "lost.bin", b"lost")
    lfs_http.place(world.source, lost).unlink()
    world.walk()
    assert set(world.states().values()) == {"refused"}
    world.source.delete("refs/heads/broken")
    world.walk()
    assert world.states() == dict.fromkeys(SITES, "equal")


@pytest.mark.needs("sshd")
def test_over_ssh_the_server_says_where_its_large_files_are(world: World, tmp_path: Path) -> None:
    """A real sshd, whose ``git-lfs-authenticate`` leads to an https server with a token for this once."""
    certificate = git_http.certificate(tmp_path)
    with git_http.serve(world.root / "sejong", certificate=certificate) as sejong, sshd.serve(tmp_path / "ssh") as host:
        sejong.lfs, sejong.password = Lfs(), "for-this-once"
        token = git.Access(password=sejong.password).basic
        told = {"href": f"{sejong.url}/bank/pay.git/info/lfs", "header": {"Authorization": f"Basic {token}"}}
        host.lfs.write_text(json.dumps(told))
        access = git.Access(ssh_key=host.key, known_hosts=host.known_hosts, ca=certificate.read_text())
        world.site("sejong").make(world.site("sejong").path)
        location = f"ssh://{host.host}{world.site('sejong').path}"
        world.doors.instead["sejong"] = lambda: git.Remote(location=location, access=access)
        world.walk()
        assert sejong.lfs.files == {hashlib.sha256(CONTENT).hexdigest(): CONTENT}
        asked = set(host.asked.read_text().splitlines())
        assert {f"git-lfs-authenticate {world.site('sejong').path} {what}" for what in ("download", "upload")} == asked
    assert world.states() == dict.fromkeys(SITES, "equal")


@pytest.mark.needs("sshd")
def test_a_server_over_ssh_that_keeps_no_large_files_is_told_so(world: World, tmp_path: Path) -> None:
    """The refs are there, the files are not, and what to do is said."""
    with sshd.serve(tmp_path / "ssh") as host:
        access = git.Access(ssh_key=host.key, known_hosts=host.known_hosts)
        world.site("sejong").make(world.site("sejong").path)
        location = f"ssh://{host.host}{world.site('sejong').path}"
        world.doors.instead["sejong"] = lambda: git.Remote(location=location, access=access)
        world.walk()
    assert "Turn LFS on there" in _problem(world, "sejong")
    assert world.site("sejong").refs() == world.source.refs()


def test_they_go_from_server_to_server(world: World, server: git_http.GitHttp) -> None:
    """Over the Batch API at both ends, with the credentials of each; read from the source once for both."""
    with git_http.serve(world.root / "forge") as forge:
        forge.lfs, forge.password = Lfs(files={hashlib.sha256(CONTENT).hexdigest(): CONTENT}), "s3cret"
        access = git.Access(password="s3cret")
        world.doors.instead["forge"] = lambda: git.Remote(location=f"{forge.url}/bank/pay.git", access=access)
        world.walk()
        assert world.states() == dict.fromkeys(SITES, "equal")
        assert sum(request.startswith("GET objects/") for request in forge.lfs.requests) == 1
    assert server.lfs
    assert CONTENT in server.lfs.files.values()


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("off", "keeps no large files"),
        ("page", "not git LFS"),
        ("junk", "something else"),
        ("header", "a header that is none"),
        ("elsewhere", "private"),
        ("forgets", "does not have it"),
        ("403", "403"),
        ("429", "429"),
        ("500", "500"),
        ("507", "507"),
    ],
)
def test_a_site_that_does_not_take_them_is_never_equal(
    world: World, server: git_http.GitHttp, behaviour: str, said: str
) -> None:
    """It is said there, with why, in words that cannot draw; the refs are there, and other sites have it all."""
    assert server.lfs
    server.lfs.behaviour = behaviour
    world.walk()
    assert said in _problem(world, "sejong")
    assert "\x1b" not in _problem(world, "sejong")
    assert world.site("sejong").refs() == world.source.refs()
    assert world.states()["daegu"] == "equal"


def test_a_site_that_takes_them_again_gets_what_it_lacks(world: World, server: git_http.GitHttp) -> None:
    """Without a new push: the next look is enough."""
    assert server.lfs
    for behaviour, state in (("507", "refused"), ("forgets", "refused"), ("500", "behind"), ("", "equal")):
        server.lfs.behaviour = behaviour
        world.walk()
        assert world.states()["sejong"] == state


@pytest.mark.parametrize(
    ("behaviour", "said"), [("lies", "not what its id says"), ("cut", "not what its id says"), ("elsewhere", "private")]
)
def test_a_source_that_lies_writes_no_wrong_byte(world: World, behaviour: str, said: str) -> None:
    """No site has a file under an id that is not its own, and each says what it lacks."""
    with git_http.serve(world.root / "forge") as forge:
        forge.lfs = Lfs(files={hashlib.sha256(CONTENT).hexdigest(): CONTENT}, behaviour=behaviour)
        world.doors.instead["forge"] = lambda: git.Remote(location=f"{forge.url}/bank/pay.git")
        world.walk()
    for site in SITES:
        assert said in _problem(world, site)
        assert not [path for path in (world.site(site).path / "lfs").rglob("*") if path.is_file()]


def test_a_private_host_that_is_trusted_by_name_is_gone_to(world: World, server: git_http.GitHttp) -> None:
    """An object store inside the network: it is written in `trusts`, and nobody else's credentials reach it."""
    assert server.lfs
    with ExitStack() as stack:
        storage = stack.enter_context(git_http.serve(world.root / "storage"))
        storage.lfs = server.lfs
        host = storage.url.removeprefix("http://").replace("127.0.0.1", "localhost")
        here = Lfs._object

        def elsewhere(self: Lfs, base: str, operation: str, one: dict[str, object]) -> dict[str, object]:
            return here(self, f"http://{host}/bank/pay.git/info/lfs", operation, one)

        stack.enter_context(pytest.MonkeyPatch.context()).setattr(Lfs, "_object", elsewhere)
        server.password, access = "s3cret", git.Access(password="s3cret")
        for trusts in ((), (host,)):
            sejong = git.Remote(location=f"{server.url}/bank/pay.git", access=access, trusts=trusts)
            world.doors.instead["sejong"] = partial(replace, sejong)
            world.walk()
            assert (world.states()["sejong"] == "equal") is bool(trusts)
        assert storage.headers
        assert not any("Authorization" in headers for headers in storage.headers)


def test_what_a_repository_says_of_its_large_files_is_not_followed(world: World) -> None:
    """``.lfsconfig`` names another server, and leaves everything out: neither counts."""
    world.source.commit(MAIN, {".lfsconfig": "[lfs]\n\turl = http://10.255.255.1/\n\tfetchexclude = *\n"})
    world.walk()
    assert _has(world, "sejong", CONTENT)


def test_a_mirror_may_leave_them_out(tmp_path: Path, file_database: Database) -> None:
    """As configured."""
    world = World(tmp_path, file_database, lfs=False, sites=SITES)
    lfs_http.commit(world.source, MAIN, "photo.bin", CONTENT)
    world.walk()
    assert world.states() == dict.fromkeys(SITES, "equal")
    assert not _has(world, "sejong", CONTENT)


def test_a_repository_that_nobody_has_pushed_to_has_none(tmp_path: Path, file_database: Database) -> None:
    """It was made a moment ago at the forge: nothing is missing anywhere."""
    world = World(tmp_path, file_database, sites=SITES)
    world.source.delete(MAIN)
    world.walk()
    assert world.states() == dict.fromkeys(SITES, "equal")


def test_a_dry_run_says_what_is_lacking_and_writes_nothing(world: World) -> None:
    """Files and bytes."""
    (sejong, *_) = run(world.context, Request(dry_run=True), name="bank/pay").sites
    (told,) = [ref for ref in sejong.refs if ref.action == "lfs"]
    assert (told.outcome, told.reason) == (Outcome.PLANNED, f"1 large files, {len(CONTENT)} bytes.")
    assert not world.site("sejong").path.exists()


def test_what_a_change_brings_is_looked_at_once_where_there_are_no_large_files(
    tmp_path: Path, file_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing could have been lost with the old commits, so nobody asks; and three sites ask git one thing once."""
    made = World(tmp_path, file_database)
    made.walk()
    ran: list[str] = []
    run_git = process.run

    def counted(call: process.Call, **how: Any) -> Any:
        ran.append(call.arguments[0])
        return run_git(call, **how)

    made.source.commit(MAIN, {"README": "newer"})
    monkeypatch.setattr(process, "run", counted)
    made.walk()
    assert made.states() == dict.fromkeys(("seoul", "sejong", "daegu"), "equal")
    assert {name: ran.count(name) for name in ("merge-base", "rev-list", "cat-file", "fetch", "push")} == {
        "merge-base": 1,
        "rev-list": 1,
        "cat-file": 1,
        "fetch": 1,
        "push": 3,
    }
