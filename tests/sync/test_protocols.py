"""The whole walk over every protocol at once: from a forge behind https to sites behind https and ssh and on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep.sites import git
from lockstep.store.database import Database
from tests.support import git_http, sshd
from tests.support.mirrored import World
from tests.support.repositories import Repository

MAIN = "refs/heads/main"
SERVED, SHELL, DISK = "seoul", "sejong", "daegu"

pytestmark = pytest.mark.needs("git-http-backend", "sshd")


@pytest.fixture(params=["sha1", "sha256"])
def world(request: pytest.FixtureRequest, tmp_path: Path, file_database: Database) -> Iterator[World]:
    """Either kind of ids: the forge and seoul behind https with a password, sejong behind ssh, daegu on disk."""
    root = tmp_path / "world"
    Repository.make(root / "forge/bank/pay.git", object_format=request.param).commit(MAIN)
    world = World(root, file_database, notes=True)
    for site in (SERVED, SHELL):
        world.source.make(world.site(site).path, object_format=request.param)
    certificate = git_http.certificate(tmp_path)
    access = git.Access(password="hunter2", ca=certificate.read_text())
    with (
        git_http.serve(root / "forge", certificate=certificate) as forge,
        git_http.serve(root / SERVED, certificate=certificate) as served,
        sshd.serve(tmp_path / "sshd") as shell,
    ):
        forge.password = served.password = "hunter2"
        key = git.Access(ssh_key=shell.key, known_hosts=shell.known_hosts)
        world.doors.instead |= {
            "forge": lambda: git.Remote(location=f"{forge.url}/bank/pay.git", access=access),
            SERVED: lambda: git.Remote(location=f"{served.url}/bank/pay.git", access=access),
            SHELL: lambda: git.Remote(location=f"ssh://{shell.host}{world.site(SHELL).path}", access=key),
        }
        yield world


def test_one_of_everything_goes_over_every_protocol(world: World) -> None:
    """Branches, annotated tags, notes; then moves, rewinds, deletes, and a branch that becomes a folder."""
    source = world.source
    first = source.refs()[MAIN]
    source.tag("v1", MAIN)
    source.branches(20)
    source.commit("refs/notes/commits", {first: "reviewed"})
    source.commit("refs/heads/topic", {"topic": "x"})
    world.walk()
    assert world.states() == {SERVED: "equal", SHELL: "equal", DISK: "equal"}
    source.commit(MAIN, {"README": "newer"})
    source.tag("v1", MAIN)
    source.point("refs/heads/b1", source.refs()[MAIN])
    source.point("refs/heads/topic", first)
    source.commit("refs/notes/commits", {first: "reviewed twice"})
    source.delete("refs/heads/b2", "refs/heads/b3")
    source.commit("refs/heads/b3/deeper", {"deeper": "x"})
    world.walk()
    assert world.states() == {SERVED: "equal", SHELL: "equal", DISK: "equal"}
    for site in (SERVED, SHELL, DISK):
        assert world.site(site).refs() == source.refs()
        world.site(site).git("fsck", "--full", "--strict")


@pytest.mark.parametrize("world", ["sha1"], indirect=True)
def test_sites_are_pushed_to_at_once(world: World, tmp_path: Path) -> None:
    """Each site's hook waits until the hooks of all three have begun: one after the other they would wait in vain."""
    (tmp_path / "here").mkdir()
    world.source.make(world.site(DISK).path)
    for site in (SERVED, SHELL, DISK):
        script = f'touch {tmp_path}/here/{site}; n=0; until [ "$(ls {tmp_path}/here | wc -l)" = 3 ]; do n=$((n+1)); '
        world.site(site).hook("pre-receive", f"{script}[ $n -lt 2000 ] || exit 1; sleep 0.01; done")
    world.walk()
    assert world.states() == {SERVED: "equal", SHELL: "equal", DISK: "equal"}
