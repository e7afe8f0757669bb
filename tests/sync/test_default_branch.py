"""The default branch follows the source's: on disk, and at forges whose API is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep.sites import git
from lockstep.sites.git.forge import Forge, Kind, api_of
from lockstep.sites.git.opening import open_remote
from lockstep.store.database import Database
from lockstep.topology import kinds, secrets
from tests.support import git_http
from tests.support.forge_http import TOKEN, Api
from tests.support.mirrored import World

MAIN = "refs/heads/main"
TRUNK = "refs/heads/trunk"


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """A site that is equal; then the source's default branch was renamed."""
    made = World(tmp_path, file_database, sites=("sejong",))
    made.walk()
    made.source.git("branch", "-m", "main", "trunk")
    made.source.point_head(TRUNK)
    return made


@pytest.fixture
def server(world: World) -> Iterator[git_http.GitHttp]:
    """Sejong is a git server."""
    with git_http.serve(world.root / "sejong") as sejong:
        yield sejong


def _forge(world: World, server: git_http.GitHttp, kind: Kind, *, token: str = TOKEN) -> Api:
    """Sejong is a forge of this kind, as its configuration says."""
    end = kinds.GitEnd.model_validate(
        {"url": f"{server.url}/{{repository}}.git", "forge": {"kind": kind, "token": {"env": "TOKEN"}}}
    )
    world.doors.instead["sejong"] = lambda: open_remote(
        end, "bank/pay", reader=secrets.Reader(Path("/"), {"TOKEN": f"{token}\n"}), path=world.topology.path
    )
    server.api = Api(kind=kind, root=world.root / "sejong")
    return server.api


@pytest.mark.parametrize("kind", ["github", "gitea", "gitlab"])
def test_gitea_36736_a_renamed_default_branch_breaks_no_mirror(
    world: World, server: git_http.GitHttp, kind: Kind
) -> None:
    """go-gitea#36736: the new one is made the default before the old one is deleted, which git would refuse."""
    api = _forge(world, server, kind)
    world.walk()
    assert world.states()["sejong"] == "equal"
    assert (world.site("sejong").head, list(world.site("sejong").refs())) == (TRUNK, [TRUNK])
    assert len(api.asked) == 1
    world.walk()
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("status", "said"), [(301, "301"), (401, "forge.token"), (403, "administer"), (404, "forge.api"), (500, "500")]
)
def test_an_api_that_refuses_is_said_and_stops_no_ref(
    world: World, server: git_http.GitHttp, status: int, said: str
) -> None:
    """The new branch is there, the old one stays because it is the default; the token is in no message."""
    _forge(world, server, "gitea").status = status
    world.walk()
    assert world.states()["sejong"] in ("refused", "behind")
    assert set(world.site("sejong").refs()) == {MAIN, TRUNK}
    detail = str(world.standing("sejong").detail)
    assert said in detail
    assert "It should be trunk" in detail
    assert TOKEN not in detail


def test_without_a_kind_of_forge_it_is_reported(world: World, server: git_http.GitHttp) -> None:
    """Git has no words for it: a person is told what to do there."""
    world.doors.instead["sejong"] = lambda: git.Remote(location=f"{server.url}/bank/pay.git")
    world.walk()
    assert "It should be trunk" in str(world.standing("sejong").detail)
    world.site("sejong").point_head(TRUNK)
    world.walk()
    assert world.states()["sejong"] == "equal"


@pytest.mark.parametrize(
    ("kind", "location", "api"),
    [
        ("github", "https://github.com/bank/pay.git", "https://api.github.com"),
        ("github", "git@github.com:bank/pay.git", "https://api.github.com"),
        ("github", "https://ghe.example:8443/bank/pay", "https://ghe.example:8443/api/v3"),
        ("gitea", "http://gitea.example:3000/bank/pay.git", "http://gitea.example:3000/api/v1"),
        ("gitlab", "ssh://git@gitlab.example:2222/bank/pay.git", "https://gitlab.example/api/v4"),
    ],
)
def test_an_api_is_at_the_host_of_the_repositories_unless_it_is_said(kind: Kind, location: str, api: str) -> None:
    """Never on the port of ssh, never in the clear when the repositories are not."""
    assert api_of(kind, location) == api


def test_a_token_is_shown_nowhere() -> None:
    """Not even in a traceback's locals."""
    assert TOKEN not in repr(Forge(kind="gitea", api="https://x/api/v1", repository="a/b", token=TOKEN))
