"""Sites that are git servers with rules of their own: each ref that they refuse is named, the rest goes through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lockstep.sites import git
from lockstep.store.database import Database
from tests.support import git_http
from tests.support.mirrored import World

MAIN = "refs/heads/main"


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """One repository, and sejong is a server that has it empty."""
    made = World(tmp_path, file_database, sites=("seoul", "sejong"))
    made.site("sejong").make(made.site("sejong").path)
    return made


@pytest.fixture
def server(world: World) -> Iterator[git_http.GitHttp]:
    """The server."""
    with git_http.serve(world.root / "sejong") as sejong:
        world.doors.instead["sejong"] = lambda: git.Remote(location=f"{sejong.url}/bank/pay.git")
        yield sejong


def _refused(world: World) -> dict[str, str]:
    """What sejong refused, and why."""
    details: list[Any] = list(world.standing("sejong").detail)
    assert {detail["outcome"] for detail in details} <= {"refused"}
    return {detail["ref"]: detail["reason"] for detail in details}


@pytest.mark.needs("git-http-backend")
def test_each_ref_that_a_server_refuses_is_named_and_the_rest_goes_through(
    world: World, server: git_http.GitHttp
) -> None:
    """A hidden namespace, a protected branch, a rule about tags: three reasons, and everything else is there."""
    server.config = {"receive.hideRefs": "refs/heads/internal"}
    world.site("sejong").hook(
        "update",
        'case "$1" in refs/heads/release/*) echo "release is frozen" >&2; exit 1;;'
        ' refs/tags/bad*) echo "no such tags here" >&2; exit 1;; esac',
    )
    tip = world.source.refs()[MAIN]
    for ref in ("heads/internal/x", "heads/release/1", "tags/bad1", "heads/--upload-pack=x", "heads/ok"):
        world.source.point(f"refs/{ref}", tip)
    tag = world.source.tag("v1", MAIN)
    world.walk()
    assert world.site("sejong").refs() == {
        MAIN: tip,
        "refs/heads/--upload-pack=x": tip,
        "refs/heads/ok": tip,
        "refs/tags/v1": tag,
    }
    refused = _refused(world)
    assert set(refused) == {"refs/heads/internal/x", "refs/heads/release/1", "refs/tags/bad1"}
    assert "hidden" in refused["refs/heads/internal/x"]
    assert "release is frozen" in refused["refs/heads/release/1"]
    assert world.states()["seoul"] == "equal"


@pytest.mark.needs("git-http-backend")
def test_git_mirror_action_28_one_illegal_ref_declines_no_whole_push(world: World, server: git_http.GitHttp) -> None:
    """git-mirror-action#28: a pre-receive hook declines all for one ref; it is found, and the others are pushed."""
    rule = 'while read old new ref; do case "$ref" in */forbidden) echo "not that one"; exit 1;; esac; done'
    world.site("sejong").hook("pre-receive", rule)
    world.source.branches(5)
    world.source.point("refs/heads/forbidden", world.source.refs()[MAIN])
    world.walk()
    assert set(world.source.refs()) - set(world.site("sejong").refs()) == {"refs/heads/forbidden"}
    assert "not that one" in _refused(world)["refs/heads/forbidden"]


@pytest.mark.needs("git-http-backend")
def test_vsts_mirror_125_what_forges_keep_for_themselves_is_nobodys_business(
    world: World, server: git_http.GitHttp
) -> None:
    """vsts-mirror#125, git-mirror-action#1: pull requests of the source are not pushed, the site's are not deleted."""
    server.config = {"receive.hideRefs": "refs/pull"}
    tip = world.source.refs()[MAIN]
    world.source.point("refs/pull/1/head", tip)
    world.source.point("refs/keep-around/x", tip)
    world.walk()
    theirs = world.site("sejong").commit("refs/merge-requests/7/head", {"x": "theirs"})
    world.source.commit(MAIN, {"README": "newer"})
    world.walk()
    assert world.states()["sejong"] == "equal"
    assert world.site("sejong").refs() == {MAIN: world.source.refs()[MAIN], "refs/merge-requests/7/head": theirs}


@pytest.mark.needs("git-http-backend")
def test_a_push_whose_answer_is_lost_is_found_done_by_the_next_look(world: World, server: git_http.GitHttp) -> None:
    """Unreachable is what is said, nothing is held afterwards: what we wrote is known by what is there."""
    server.behaviour = "silent"
    world.walk()
    assert world.states()["sejong"] == "unreachable"
    server.behaviour = ""
    server.requests.clear()
    world.walk()
    assert world.states()["sejong"] == "equal"
    assert server.packs == []
