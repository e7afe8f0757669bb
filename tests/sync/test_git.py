"""Mirroring git: from a forge to three sites, with everything that goes wrong on the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lockstep import crash, errors, work
from lockstep.sites import git
from lockstep.store import mirrors
from lockstep.store.database import Database, open_database
from lockstep.topology import kinds
from lockstep.values import Stance
from sync import distribute
from sync.git import Request, handle_distribute, handle_fetch, handle_sweep, run
from sync.outcomes import Outcome, Report
from sync.states import State
from tests.support import git_http, repositories
from tests.support.mirrored import SITES, Closed, World, claim
from tests.support.repositories import Repository

MAIN = "refs/heads/main"


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """Three sites on disk, and nothing mirrored yet."""
    return World(tmp_path, file_database)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A folder in which one walk has ended: the forge, three equal sites, our own copy and the database."""
    root = tmp_path_factory.mktemp("finished")
    shutil.copy(sqlite_template, root / "lockstep.db")
    with closing(open_database(f"sqlite:///{root}/lockstep.db")) as database:
        World(root, database).walk()
    return root


@pytest.fixture
def mirrored(tmp_path: Path, finished: Path) -> Iterator[World]:
    """Three sites on disk that have what the forge has."""
    root = tmp_path / "world"
    shutil.copytree(finished, root)
    with closing(open_database(f"sqlite:///{root}/lockstep.db")) as database:
        yield World(root, database)


def _guarded(tmp_path: Path, database: Database, **guards: Any) -> World:
    return World(tmp_path, database, guards=guards)


def _equal(world: World) -> None:
    assert world.states() == dict.fromkeys(SITES, "equal")
    for site in SITES:
        assert world.site(site).refs() == world.source.refs()
        assert world.site(site).head == world.source.head


# --- the walk


def test_one_push_reaches_every_site(world: World) -> None:
    """Branches, tags and HEAD, in repositories that did not exist."""
    world.source.tag("v1", MAIN)
    world.source.commit("refs/heads/trunk")
    world.source.point_head("refs/heads/trunk")
    world.walk()
    _equal(world)


def test_a_fetch_hands_on_to_the_sites_and_to_the_pipelines_at_once(world: World) -> None:
    """Both jobs come from the transaction that records what the source says."""
    done = world.end(handle_fetch(world.context, claim(work.fetch_git("bank/pay", event=True))))
    assert [job.kind for job in done.then] == [work.Kind.GIT_DISTRIBUTE, work.Kind.TRIGGER]
    with world.database.read() as connection:
        seen = mirrors.source(connection, "bank/pay")
    assert seen is not None
    assert (seen.refs, seen.head) == (world.source.refs(), MAIN)


def test_a_repository_that_no_application_uses_starts_no_pipeline(world: World) -> None:
    """It is mirrored all the same."""
    other = world.source.path.with_name("other.git")
    shutil.copytree(world.source.path, other)
    done = world.end(handle_fetch(world.context, claim(work.fetch_git("bank/other", event=True))))
    assert [job.kind for job in done.then] == [work.Kind.GIT_DISTRIBUTE]


def test_mirroring_twice_transfers_nothing(world: World) -> None:
    """Counted at servers: the second walk asks each end for its refs, and no pack goes over the line."""
    with git_http.serve(world.root / "forge") as forge, git_http.serve(world.root / "seoul") as seoul:
        world.source.make(world.site("seoul").path)
        world.doors.instead["forge"] = lambda: git.Remote(location=f"{forge.url}/bank/pay.git")
        world.doors.instead["seoul"] = lambda: git.Remote(location=f"{seoul.url}/bank/pay.git")
        world.walk()
        assert (len(forge.packs), len(seoul.packs)) == (1, 1)
        world.walk()
        assert (len(forge.packs), len(seoul.packs)) == (1, 1)
    _equal(world)


def test_one_read_of_the_source_serves_all_sites(world: World) -> None:
    """Whatever their number."""
    with git_http.serve(world.root / "forge") as forge:
        world.doors.instead["forge"] = lambda: git.Remote(location=f"{forge.url}/bank/pay.git")
        world.walk()
        assert len(forge.packs) == 1
    _equal(world)


def test_sha256_repositories_are_mirrored_into_their_like(tmp_path: Path, file_database: Database) -> None:
    """Repositories made at sites have the source's hash."""
    world = World(tmp_path, file_database)
    shutil.rmtree(world.source.path)
    world.source.make(world.source.path, object_format="sha256")
    assert len(world.source.commit(MAIN)) == 64
    world.walk()
    _equal(world)


def test_moves_deletes_and_a_new_default_branch_follow(world: World) -> None:
    """A force-push, a moved tag, a deleted branch, main that becomes trunk."""
    world.source.tag("v1", MAIN)
    world.source.branches(20)
    world.walk()
    second = world.source.commit(MAIN, {"README": "rewritten"}, orphan=True)
    world.source.tag("v1", second)
    world.source.point("refs/heads/trunk", second)
    world.source.point_head("refs/heads/trunk")
    world.source.delete(MAIN, "refs/heads/b1")
    world.walk()
    _equal(world)


def test_a_branch_becomes_a_folder_even_when_head_names_it(mirrored: World) -> None:
    """``main`` becomes ``main/next``: HEAD moves first, then room is made."""
    oid = mirrored.source.refs()[MAIN]
    mirrored.source.point_head("refs/heads/main/next")
    mirrored.source.delete(MAIN)
    mirrored.source.point("refs/heads/main/next", oid)
    mirrored.walk()
    _equal(mirrored)


def test_notes_go_along_when_they_are_asked_for(tmp_path: Path, file_database: Database) -> None:
    """And what a host keeps for itself never does."""
    world = World(tmp_path, file_database, notes=True)
    main = world.source.refs()[MAIN]
    world.source.point("refs/notes/commits", main)
    world.source.point("refs/pull/1/head", main)
    world.walk()
    assert set(world.site("daegu").refs()) == {MAIN, "refs/notes/commits"}


# --- guards


def test_a_source_that_was_emptied_empties_no_site(world: World) -> None:
    """Everything is held, and our own copy stays too."""
    before = world.source.refs()
    world.walk()
    world.source.delete(MAIN)
    world.walk()
    assert world.states() == dict.fromkeys(SITES, "held")
    assert "empty-source" in str(world.standing("sejong").detail)
    assert world.site("sejong").refs() == before
    assert world.doors.git_cache("bank/pay").staged() == before


def test_many_deletes_wait_for_a_person_and_one_run_lets_them_go(world: World) -> None:
    """Updates go through meanwhile; with a wider guard, this once, the deletes do too."""
    world.source.branches(20)
    world.walk()
    world.source.delete(*(f"refs/heads/b{n}" for n in range(10)))
    newer = world.source.commit(MAIN, {"README": "newer"})
    world.walk()
    assert world.states() == dict.fromkeys(SITES, "held")
    assert world.site("sejong").refs()[MAIN] == newer
    assert len(world.site("sejong").refs()) == 21
    wider = kinds.GitGuards.model_validate({"deletions": {"most": "100%"}})
    assert run(world.context, Request(guards=wider)).exit_code == 0
    _equal(world)


def test_a_commit_made_at_a_site_is_held_there_and_nowhere_else(mirrored: World) -> None:
    """The others go on; the site keeps what somebody needed."""
    theirs = mirrored.site("sejong").commit(MAIN, {"hotfix": "x"})
    mirrored.source.commit(MAIN, {"README": "newer"})
    mirrored.walk()
    assert mirrored.states() == {"seoul": "equal", "sejong": "held", "daegu": "equal"}
    assert mirrored.site("sejong").refs()[MAIN] == theirs
    (detail,) = mirrored.standing("sejong").detail
    assert (detail["ref"], detail["outcome"]) == (MAIN, "held")


def test_a_commit_made_at_a_site_is_backed_up_before_it_is_overwritten(tmp_path: Path, file_database: Database) -> None:
    """Under the time, at the site, and in our own copy."""
    world = _guarded(tmp_path, file_database, diverged="backup")
    world.walk()
    theirs = world.site("sejong").commit(MAIN, {"hotfix": "x"})
    world.walk()
    assert world.site("sejong").refs() == {
        **world.source.refs(),
        "refs/backup/20261122T090000Z/heads/main": theirs,
    }
    assert world.states() == dict.fromkeys(SITES, "equal")
    assert world.doors.git_cache("bank/pay").has(theirs)
    world.walk()
    assert len(world.site("sejong").refs()) == 2


def test_what_could_not_be_backed_up_is_not_overwritten(tmp_path: Path, file_database: Database) -> None:
    """The site refuses the backup, so it keeps the branch."""
    world = _guarded(tmp_path, file_database, diverged="backup")
    world.walk()
    theirs = world.site("sejong").commit(MAIN, {"hotfix": "x"})
    world.site("sejong").hook("update", 'case "$1" in refs/backup/*) exit 1;; esac')
    world.walk()
    assert world.site("sejong").refs() == {MAIN: theirs}
    assert world.standing("sejong").state == "refused"


def test_a_protected_branch_is_refused_by_name_and_the_rest_goes_through(mirrored: World) -> None:
    """With what the site said."""
    mirrored.site("seoul").hook("update", 'case "$1" in */release) echo release is frozen >&2; exit 1;; esac')
    mirrored.source.commit("refs/heads/release", {"x": "1"})
    newer = mirrored.source.commit(MAIN, {"README": "newer"})
    mirrored.walk()
    assert mirrored.states() == {"seoul": "refused", "sejong": "equal", "daegu": "equal"}
    assert mirrored.site("seoul").refs() == {MAIN: newer}
    (detail,) = mirrored.standing("seoul").detail
    assert (detail["ref"], "release is frozen" in detail["reason"]) == ("refs/heads/release", True)


def test_a_default_branch_that_a_server_keeps_is_said(mirrored: World) -> None:
    """Git cannot tell a server; the person who can is told what to do, and the refs are there."""
    with git_http.serve(mirrored.root / "seoul") as seoul:
        mirrored.doors.instead["seoul"] = lambda: git.Remote(location=f"{seoul.url}/bank/pay.git")
        mirrored.source.commit("refs/heads/trunk")
        mirrored.source.point_head("refs/heads/trunk")
        mirrored.walk()
    assert mirrored.states() == {"seoul": "refused", "sejong": "equal", "daegu": "equal"}
    assert mirrored.site("seoul").refs() == mirrored.source.refs()
    assert "It should be trunk" in str(mirrored.standing("seoul").detail)


def test_a_name_that_is_no_text_is_never_equal(world: World) -> None:
    """A branch named in another encoding cannot be mirrored, and is said at every site."""
    world.source.git("update-ref", os.fsdecode(b"refs/heads/\xb1\xd7"), MAIN)
    world.walk()
    assert world.states() == dict.fromkeys(SITES, "held")
    assert world.site("daegu").refs()[MAIN] == world.source.refs()[MAIN]


# --- stances


def test_nothing_is_written_towards_the_site_that_is_the_truth(mirrored: World) -> None:
    """It is not even looked at; the pair and its stance are said."""
    before = mirrored.site("sejong").refs()
    mirrored.stances["seoul-sejong"] = Stance.SWITCHED
    mirrored.source.commit(MAIN, {"README": "newer"})
    mirrored.walk()
    assert mirrored.states() == {"seoul": "equal", "sejong": "held", "daegu": "equal"}
    assert mirrored.site("sejong").refs() == before
    assert "seoul-sejong is in the stance switched" in str(mirrored.standing("sejong").detail)


def test_a_stance_that_nobody_could_tell_holds_both_sides(world: World) -> None:
    """Daegu is of another pair."""
    world.stances.clear()
    world.walk()
    assert world.states() == {"seoul": "held", "sejong": "held", "daegu": "equal"}
    assert not world.site("seoul").path.exists()


# --- failures


def test_a_site_that_does_not_answer_stops_no_other_and_is_asked_again(world: World) -> None:
    """It gets a job of its own; the others are done."""
    world.doors.instead["sejong"] = lambda: git.Remote(location="http://127.0.0.1:1/x.git")
    world.end(handle_fetch(world.context, claim(work.fetch_git("bank/pay", event=True))))
    done = world.distribute()
    assert world.states() == {"seoul": "equal", "sejong": "unreachable", "daegu": "equal"}
    assert [job.payload for job in done.then] == [{"repository": "bank/pay", "site": "sejong"}]
    with pytest.raises(errors.UnreachableError):
        world.distribute("sejong")
    del world.doors.instead["sejong"]
    assert world.distribute("sejong").then == ()
    _equal(world)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (errors.ForbiddenError("no"), "refused"),
        (errors.UnsupportedError("no git end"), "failed"),
        (errors.IntegrityError("damaged"), "failed"),
    ],
)
def test_a_site_that_will_not_take_it_waits_for_the_next_sweep(
    world: World, error: errors.LockstepError, state: str
) -> None:
    """Trying again at once would not help; why is recorded."""
    world.doors.instead["sejong"] = Closed(error)
    world.end(handle_fetch(world.context, claim(work.fetch_git("bank/pay", event=True))))
    assert world.distribute().then == ()
    assert world.standing("sejong").state == state
    assert str(error) in str(world.standing("sejong").detail)


def test_a_repository_that_its_server_lacks_is_refused_with_what_to_do(world: World) -> None:
    """A server may make it when it is pushed to; this one does not."""
    (world.root / "seoul").mkdir()
    with git_http.serve(world.root / "seoul") as seoul:
        world.doors.instead["seoul"] = lambda: git.Remote(location=f"{seoul.url}/bank/pay.git")
        world.walk()
    assert world.standing("seoul").state == "refused"
    assert "Make it there" in str(world.standing("seoul").detail)


def test_a_source_that_does_not_answer_is_recorded_and_raised(world: World) -> None:
    """What it said before stays, and a site that missed that still gets it from our own copy."""
    world.doors.instead["sejong"] = Closed(errors.UnreachableError("down"))
    world.walk()
    world.doors.instead = {"forge": lambda: git.Remote(location="http://127.0.0.1:1/x.git")}
    with pytest.raises(errors.UnreachableError):
        handle_fetch(world.context, claim(work.fetch_git("bank/pay", event=False)))
    with world.database.read() as connection:
        seen = mirrors.source(connection, "bank/pay")
    assert seen is not None
    assert "127.0.0.1" in seen.problem
    world.clock.pass_minutes(10)
    jobs = world.end(handle_sweep(world.context, claim(work.sweep(work.Kind.SWEEP_GIT)))).then
    assert [job.kind for job in jobs] == [work.Kind.GIT_FETCH, work.Kind.GIT_DISTRIBUTE]
    world.distribute()
    _equal(world)


def test_a_source_that_is_gone_is_not_an_empty_one(mirrored: World) -> None:
    """A repository that was renamed away is an error at the source, and touches no site."""
    before = mirrored.site("daegu").refs()
    shutil.move(mirrored.source.path, mirrored.root / "away.git")
    with pytest.raises(errors.NotFoundError):
        handle_fetch(mirrored.context, claim(work.fetch_git("bank/pay", event=True)))
    mirrored.distribute()
    assert mirrored.site("daegu").refs() == before
    assert mirrored.states() == dict.fromkeys(SITES, "equal")


@pytest.mark.needs("git-http-backend")
def test_a_shallow_source_behind_a_server_is_an_error_by_name_and_brings_nothing(world: World) -> None:
    """What has a part of its history is never called complete at any site, and the command says unknown: 2."""
    for number in range(3):
        world.source.commit(MAIN, {"README": str(number)})
    shallow = world.root / "shallow/pay.git"
    repositories.git("clone", "--quiet", "--bare", "--depth=1", world.source.path.as_uri(), str(shallow))
    with git_http.serve(shallow.parent) as server:
        world.doors.instead["forge"] = lambda: git.Remote(location=f"{server.url}/pay.git")
        report = run(world.context, Request())
    assert report.exit_code == 2
    assert "shallow clone" in report.problems["bank/pay"]
    assert not any(world.site(site).path.exists() for site in SITES)


def test_a_site_that_is_a_shallow_clone_is_not_equal_although_its_refs_are(mirrored: World) -> None:
    """Its history is not there: it is said at that site, and at no other."""
    mirrored.source.commit(MAIN, {"README": "newer"})
    shutil.rmtree(mirrored.site("daegu").path)
    repositories.git(
        "clone", "--quiet", "--bare", "--depth=1", mirrored.source.path.as_uri(), str(mirrored.site("daegu").path)
    )
    mirrored.walk()
    assert mirrored.states() == {"seoul": "equal", "sejong": "equal", "daegu": "failed"}
    assert "shallow clone" in str(mirrored.standing("daegu").detail)


@pytest.mark.parametrize(
    "guards", [{}, {"emptySource": "mirror", "deletions": {"most": "100%"}, "diverged": "overwrite"}]
)
def test_a_source_that_was_never_read_changes_no_site(
    tmp_path: Path, file_database: Database, guards: dict[str, Any]
) -> None:
    """Not knowing is not the same as nothing there, whatever the guards allow."""
    world = _guarded(tmp_path, file_database, **guards)
    shutil.move(world.source.path, world.root / "away.git")
    theirs = world.source.make(world.site("seoul").path).commit(MAIN)
    with pytest.raises(errors.NotFoundError):
        handle_fetch(world.context, claim(work.fetch_git("bank/pay", event=True)))
    world.distribute()
    assert world.site("seoul").refs() == {MAIN: theirs}


def test_our_own_copy_may_be_lost(mirrored: World) -> None:
    """It is fetched anew before anything is brought anywhere."""
    shutil.rmtree(mirrored.root / "state")
    newer = mirrored.source.commit(MAIN, {"README": "newer"})
    mirrored.end(handle_fetch(mirrored.context, claim(work.fetch_git("bank/pay", event=True))))
    shutil.rmtree(mirrored.root / "state")
    assert [job.kind for job in mirrored.distribute().then] == [work.Kind.GIT_FETCH]
    mirrored.walk()
    assert mirrored.site("daegu").refs() == {MAIN: newer}


def test_a_lost_store_takes_over_what_is_equal_and_holds_what_is_not(mirrored: World) -> None:
    """A second instance at the standby starts with an empty database."""
    with mirrored.database.write() as connection:
        for site in SITES:
            mirrors.keep_ledger(connection, "bank/pay", site, refs={}, at=mirrored.clock.now())
    mirrored.source.commit("refs/heads/side")
    mirrored.walk()
    _equal(mirrored)
    mirrored.source.commit("refs/heads/side", {"README": "rewritten"}, orphan=True)
    mirrored.walk()
    _equal(mirrored)


def test_a_configuration_that_forgot_the_repository_does_nothing(world: World) -> None:
    """Jobs that were queued before end quietly."""
    for job, handle in (
        (work.fetch_git("vendor/x", event=True), handle_fetch),
        (work.distribute_git("vendor/x", urgent=True), handle_distribute),
    ):
        assert handle(world.context, claim(job)) == work.Done()


def test_work_that_was_lost_records_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker has it: how our push ended says nothing."""
    world.doors.instead["sejong"] = Closed(errors.LostWorkError("lost"))
    world.end(handle_fetch(world.context, claim(work.fetch_git("bank/pay", event=True))))
    with pytest.raises(errors.LostWorkError):
        world.distribute()
    assert "sejong" not in world.states()


# --- writers


def test_a_second_writer_to_a_site_leaves_it_to_the_first(world: World) -> None:
    """It says so, and a job looks again."""
    world.end(handle_fetch(world.context, claim(work.fetch_git("bank/pay", event=True))))
    with world.doors.git_cache("bank/pay").writer("sejong"):
        done = world.distribute()
    assert [job.payload["site"] for job in done.then] == ["sejong"]
    assert not world.site("sejong").path.exists()
    world.distribute("sejong")
    _equal(world)


def test_many_who_mirror_at_once_end_equal(world: World) -> None:
    """Threads that know nothing of each other, while the source moves on."""

    def push_and_mirror(number: int) -> None:
        world.source.git("update-ref", f"refs/heads/t{number}", MAIN)
        run(world.context, Request())

    threads = [threading.Thread(target=push_and_mirror, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run(world.context, Request()).exit_code == 0
    _equal(world)


def test_what_somebody_pushes_between_look_and_push_is_not_overwritten(
    mirrored: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is what was seen; the loser looks again."""
    mirrored.source.commit(MAIN, {"README": "newer"})
    mirrored.end(handle_fetch(mirrored.context, claim(work.fetch_git("bank/pay", event=True))))
    push = git.Cache.push
    theirs: list[str] = []

    def late(cache: git.Cache, remote: Any, updates: Any, **heard: Any) -> Any:
        if remote.location.endswith("sejong/bank/pay.git") and not theirs:
            theirs.append(mirrored.site("sejong").commit(MAIN, {"hotfix": "x"}))
        return push(cache, remote, updates, **heard)

    monkeypatch.setattr(git.Cache, "push", late)
    done = mirrored.distribute()
    assert [job.payload["site"] for job in done.then] == ["sejong"]
    assert mirrored.site("sejong").refs()[MAIN] == theirs[0]
    assert mirrored.standing("sejong").state == "held"


# --- the sweep


def test_the_sweep_asks_for_what_is_named_used_or_known_and_due(tmp_path: Path, file_database: Database) -> None:
    """Each as often as its most impatient mirror says."""
    world = World(tmp_path, file_database, repositories=["bank/*", "vendor/chart"], interval="5m")

    def due() -> list[str]:
        done = world.end(handle_sweep(world.context, claim(work.sweep(work.Kind.SWEEP_GIT))))
        return [str(job.payload["repository"]) for job in done.then]

    assert due() == ["bank/pay", "vendor/chart"]
    at = world.clock.now()
    with file_database.write() as connection:
        for name in ("bank/event", "bank/pay", "gone/x"):
            seen = mirrors.Source(repository=name, head="", refs={}, checked_at=at, changed_at=at)
            mirrors.saw(connection, seen)
    assert due() == ["vendor/chart"]
    world.clock.pass_minutes(5)
    assert due() == ["bank/event", "bank/pay", "vendor/chart"]


# --- the command


def test_the_command_says_how_everything_stands(world: World) -> None:
    """Equal or made equal is 0, ref by ref."""
    report = run(world.context, Request())
    assert report.exit_code == 0
    assert {(one.site, one.state, one.changed) for one in report.sites} == {(site, State.EQUAL, True) for site in SITES}
    assert not any(one.changed for one in run(world.context, Request()).sites)
    assert report.as_json()["counts"]["equal"] == 3
    _equal(world)


def test_patterns_of_which_nobody_knows_a_repository_are_no_success(tmp_path: Path, file_database: Database) -> None:
    """A git server does not list what it has: that nothing was mirrored is told, with what to do."""
    world = World(tmp_path, file_database, repositories=["other/*"])
    for name in ("", "bank"):
        report = run(world.context, Request(), name=name)
        assert report.exit_code == 2
        assert "Name them one by one" in report.problems["other/*"]


def test_a_dry_run_writes_nothing_and_says_what_it_would(world: World) -> None:
    """Neither to sites nor to the store."""
    report = run(world.context, Request(dry_run=True))
    assert report.exit_code == 1
    assert {one.state for one in report.sites} == {State.BEHIND}
    assert {(ref.action, ref.outcome) for ref in report.sites[0].refs} == {
        ("create", Outcome.PLANNED),
        ("head", Outcome.PLANNED),
    }
    assert not any(world.site(site).path.exists() for site in SITES)
    with world.database.read() as connection:
        assert mirrors.source(connection, "bank/pay") is None
        assert mirrors.standings(connection) == []


_LISTED = Request(dry_run=True, transfer=False)


def _told(report: Report, site: str = "sejong") -> dict[str, tuple[str, str, str]]:
    """What is said of each ref at a site: the action, the outcome, and how the reason begins."""
    (found,) = (one for one in report.sites if one.site == site)
    return {ref.ref: (ref.action, ref.outcome.value, ref.reason[:24]) for ref in found.refs}


@pytest.mark.needs("git-http-backend")
def test_a_dry_run_by_lists_alone_transfers_nothing_from_anywhere(mirrored: World) -> None:
    """Not even into our own copy: what is new, moved and gone is told, and what only commits tell is unknown."""
    mirrored.source.commit(MAIN, {"README": "newer"})
    mirrored.source.branches(12)
    mirrored.walk()
    before = sorted(Repository(mirrored.doors.git_cache("bank/pay").repository).objects())
    mirrored.site("sejong").point(MAIN, mirrored.site("sejong").git("rev-parse", f"{MAIN}~1").strip())
    mirrored.source.commit(MAIN, {"README": "newest"})
    mirrored.source.commit("refs/heads/topic", {"README": "topic"})
    mirrored.source.delete("refs/heads/b3")
    with git_http.serve(mirrored.root / "forge") as server:
        mirrored.doors.instead["forge"] = lambda: git.Remote(location=f"{server.url}/bank/pay.git")
        report = run(mirrored.context, _LISTED)
        assert {request.split(" ")[0] for request in server.requests} == {"listing"}
    assert sorted(Repository(mirrored.doors.git_cache("bank/pay").repository).objects()) == before
    assert report.exit_code == 1
    assert _told(report) == {
        MAIN: ("update", "planned", "Whether the source still"),
        "refs/heads/topic": ("create", "planned", ""),
        "refs/heads/b3": ("delete", "planned", ""),
        "LFS": ("lfs", "planned", "Which large files the ne"),
    }
    assert _told(report, "daegu")[MAIN] == ("update", "planned", "Whether the source still")
    assert "(rewritten: hold if not)" in str(report.as_json())


def test_what_our_own_copy_knows_already_is_told_by_lists_alone(mirrored: World) -> None:
    """A commit that somebody made at a site is in nothing that the source has: it is held, and has its name."""
    mirrored.source.commit(MAIN, {"README": "newer"})
    handle_fetch(mirrored.context, claim(work.fetch_git("bank/pay", event=True)))
    mirrored.site("sejong").commit(MAIN, {"README": "hot fix"})
    listed, fetched = run(mirrored.context, _LISTED), run(mirrored.context, Request(dry_run=True))
    action, outcome, reason = _told(listed)[MAIN]
    assert (action, outcome, reason[:9]) == ("keep", "held", "diverged:")
    assert _told(listed, "daegu") == {MAIN: ("update", "planned", "")}
    assert listed.as_json() == fetched.as_json()


def test_equal_by_lists_alone_is_equal_and_says_nothing_of_what_it_did_not_read(mirrored: World) -> None:
    """Nothing is open where nothing moved; without a copy of ours, large files are not called equal unseen."""
    assert run(mirrored.context, _LISTED).exit_code == 0
    shutil.rmtree(mirrored.root / "state")
    report = run(mirrored.context, _LISTED)
    assert not (mirrored.root / "state").exists()
    assert _told(report) == {"LFS": ("lfs", "planned", "Which large files the ne")}


def test_nothing_can_be_brought_that_was_not_fetched() -> None:
    """Only a dry run may do without."""
    with pytest.raises(ValueError, match="not fetched"):
        Request(transfer=False)


@pytest.mark.parametrize("name", ["", "bank", "bank/pay"])
def test_a_mirror_a_repository_or_everything_can_be_asked_for(world: World, name: str) -> None:
    """And one site of it."""
    report = run(world.context, Request(site="daegu"), name=name)
    assert [one.site for one in report.sites] == ["daegu"]
    assert not world.site("seoul").path.exists()


@pytest.mark.parametrize(("name", "site"), [("vendor/x", ""), ("", "busan"), ("bank", "busan")])
def test_what_is_not_configured_is_said_rather_than_called_equal(world: World, name: str, site: str) -> None:
    """A typing error never ends with 0."""
    with pytest.raises(errors.NotFoundError):
        run(world.context, Request(site=site), name=name)


@pytest.mark.parametrize(
    ("place", "error", "code"),
    [
        ("sejong", errors.UnreachableError("x"), 2),
        ("sejong", errors.ForbiddenError("x"), 1),
        ("forge", errors.UnreachableError("x"), 2),
        ("forge", errors.ForbiddenError("x"), 2),
    ],
)
def test_the_exit_code_tells_unknown_from_refused(
    world: World, place: str, error: errors.LockstepError, code: int
) -> None:
    """A source that could not be read is unknown, whatever the reason."""
    world.doors.instead[place] = Closed(error)
    assert run(world.context, Request()).exit_code == code


def test_a_held_repository_is_1(mirrored: World) -> None:
    """A person has to decide."""
    mirrored.source.delete(MAIN)
    assert run(mirrored.context, Request()).exit_code == 1


# --- lag


def test_it_is_known_since_when_a_site_is_behind(mirrored: World) -> None:
    """From the source's change until the site has it."""
    mirrored.doors.instead["sejong"] = Closed(errors.UnreachableError("down"))
    mirrored.clock.pass_minutes(5)
    mirrored.source.commit(MAIN, {"README": "newer"})
    changed = mirrored.clock.now()
    mirrored.walk()
    mirrored.clock.pass_minutes(30)
    mirrored.walk()
    assert mirrored.standing("sejong").behind_since == changed
    assert mirrored.standing("daegu").equal_at == changed
    del mirrored.doors.instead["sejong"]
    mirrored.distribute("sejong")
    assert mirrored.standing("sejong").behind_since is None


# --- crashes

_WALKER = """
import sys
from pathlib import Path
from lockstep import crash
from lockstep.store.database import open_database
from tests.support.mirrored import World
crash.arm(sys.argv[3])
World(Path(sys.argv[1]), open_database(sys.argv[2])).walk()
"""


@pytest.mark.chaos
@pytest.mark.parametrize("point", ["in-fetch", "between-sites"])
def test_a_walk_that_was_killed_ends_the_same_when_it_is_done_again(mirrored: World, point: str) -> None:
    """SIGKILL where nothing was recorded yet: nothing is lost, held or written twice."""
    newer = mirrored.source.commit(MAIN, {"README": "newer"})
    ended = subprocess.run(
        [sys.executable, "-c", _WALKER, str(mirrored.root), f"sqlite:///{mirrored.root}/lockstep.db", point],
        check=False,
    )
    assert ended.returncode == -9
    if point == "between-sites":
        have = [site for site in SITES if mirrored.site(site).refs()[MAIN] == newer]
        assert len(have) == 1
    mirrored.walk()
    _equal(mirrored)


def test_sites_are_written_one_by_one_when_a_crash_between_them_is_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the crash would fall after both."""
    monkeypatch.setattr(crash, "_armed", crash.Point.BETWEEN_SITES)
    assert distribute._at_once([None] * 5) == 1  # type: ignore[list-item]  # only their number counts
    monkeypatch.undo()
    assert distribute._at_once([None] * 5) == 5  # type: ignore[list-item]
