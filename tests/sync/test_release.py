"""What a guard holds, and how a person lets it go: exactly what was seen, with a reason, and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.store import releases
from lockstep.store.database import Database
from sync.git import Request, run
from sync.outcomes import Outcome, Report
from sync.release import Letting, let_go
from tests.support.mirrored import SITES, World

MAIN = "refs/heads/main"


@pytest.fixture
def rewritten(tmp_path: Path, file_database: Database) -> World:
    """Three sites that hold a default branch which the source has rewritten since, and a branch that is equal."""
    world = World(tmp_path, file_database)
    world.source.commit("refs/heads/x")
    world.walk()
    world.source.commit(MAIN, {"README": "another history"}, orphan=True)
    world.walk()
    return world


def _look(world: World) -> dict[str, str]:
    """The name of what is held, by site."""
    return {one.site: one.hold for one in run(world.context, Request(dry_run=True), name="bank/pay").sites}


def _let_go(world: World, *holds: str, site: str = "", reason: str = "the old key is in its history") -> Report:
    letting = Letting(holds=holds, by="kim", reason=reason)
    return let_go(world.context, letting, name="bank/pay", site=site)


def _released(world: World) -> list[releases.Release]:
    with world.database.read() as connection:
        return releases.newest(connection, "bank/pay")


def test_go_gitea_14076_a_rewritten_branch_destroys_no_copy(rewritten: World) -> None:
    """go-gitea#14076: a force-push at the source is held at every site, named with both ids, and stops nothing else."""
    assert rewritten.states() == dict.fromkeys(SITES, "held")
    (detail,) = rewritten.standing("sejong").detail
    old = rewritten.site("sejong").refs()[MAIN]
    assert (detail["old"], detail["new"]) == (old, rewritten.source.refs()[MAIN])
    assert "rewritten" in detail["reason"]
    assert detail["hold"] == _look(rewritten)["sejong"]  # as the page of the mirrors shows it
    newer = rewritten.source.commit("refs/heads/x")
    rewritten.walk()
    assert rewritten.site("sejong").refs() == {MAIN: old, "refs/heads/x": newer}


def test_what_is_held_goes_at_the_site_that_it_was_let_go_at(rewritten: World) -> None:
    """At no other; who and why is kept, and a second time there is nothing to let go."""
    hold = _look(rewritten)["sejong"]
    report = _let_go(rewritten, hold)
    assert report.exit_code == 1  # the other two still wait
    assert rewritten.states() == {"seoul": "held", "sejong": "equal", "daegu": "held"}
    assert rewritten.site("sejong").refs() == rewritten.source.refs()
    (release,) = _released(rewritten)
    assert (release.site, release.by, release.reason) == ("sejong", "kim", "the old key is in its history")
    assert release.ended_at == rewritten.clock.now()
    with pytest.raises(errors.ConflictError, match="let go already"):
        _let_go(rewritten, hold)


def test_all_sites_can_be_let_go_at_once(rewritten: World) -> None:
    """Each by its own name: what is held there is not what is held elsewhere."""
    holds = _look(rewritten)
    assert len(set(holds.values())) == 3
    assert _let_go(rewritten, *holds.values()).exit_code == 0
    assert rewritten.states() == dict.fromkeys(SITES, "equal")


@pytest.mark.parametrize("where", ["source", "sejong"])
def test_what_moved_since_it_was_seen_is_not_let_go(rewritten: World, where: str) -> None:
    """Another commit at either end is another question; nothing at all goes then."""
    holds = _look(rewritten)
    place = rewritten.source if where == "source" else rewritten.site("sejong")
    place.commit(MAIN, {"README": "and another"}, orphan=True)
    before = {site: rewritten.site(site).refs() for site in SITES}
    with pytest.raises(errors.ConflictError, match="something moved"):
        _let_go(rewritten, *holds.values())
    assert {site: rewritten.site(site).refs() for site in SITES} == before
    assert _released(rewritten) == []


def test_what_was_let_go_while_a_site_was_away_goes_when_it_is_back(rewritten: World) -> None:
    """The decision is kept; but a site that somebody wrote to meanwhile is asked about again."""
    change = releases.Change(ref=MAIN, old=rewritten.site("sejong").refs()[MAIN], new=rewritten.source.refs()[MAIN])
    for site in ("sejong", "daegu"):
        release = releases.Release(
            repository="bank/pay", site=site, change=change, by="kim", reason="r", at=rewritten.clock.now()
        )
        with rewritten.database.write() as connection:
            releases.release(connection, [release, release])
    theirs = rewritten.site("daegu").commit(MAIN, {"hotfix": "x"})
    rewritten.walk()
    assert rewritten.states() == {"seoul": "held", "sejong": "equal", "daegu": "held"}
    assert rewritten.site("daegu").refs()[MAIN] == theirs
    assert all(release.ended_at for release in _released(rewritten))
    assert len(_released(rewritten)) == 2
    rewritten.site("daegu").point(MAIN, change.old)  # it is over: the same ids do not revive it
    rewritten.walk()
    assert rewritten.states()["daegu"] == "held"


def test_an_emptied_source_can_be_let_go(tmp_path: Path, file_database: Database) -> None:
    """Every ref that was seen goes, but for the branch that git itself keeps, which is said."""
    world = World(tmp_path, file_database)
    world.source.commit("refs/heads/x")
    world.walk()
    world.source.delete(MAIN, "refs/heads/x")
    report = _let_go(world, _look(world)["sejong"], site="sejong")
    assert list(world.site("sejong").refs()) == [MAIN]
    assert [(ref.ref, ref.outcome) for ref in report.sites[0].open] == [(MAIN, Outcome.REFUSED)]


def test_many_deletes_can_be_let_go(tmp_path: Path, file_database: Database) -> None:
    """As one decision."""
    world = World(tmp_path, file_database)
    world.source.branches(20)
    world.walk()
    world.source.delete(*(f"refs/heads/b{n}" for n in range(10)))
    world.walk()
    assert _let_go(world, *_look(world).values()).exit_code == 0
    assert world.site("daegu").refs() == world.source.refs()
    assert len(_released(world)) == 30


def test_a_reason_is_asked_for(rewritten: World) -> None:
    """Before anything is looked at."""
    with pytest.raises(errors.InputError, match="reason"):
        _let_go(rewritten, _look(rewritten)["sejong"], reason=" \n")


_RELEASER = """
import sys
from pathlib import Path
from lockstep import crash
from lockstep.store.database import open_database
from sync.release import Letting, let_go
from tests.support.mirrored import World
world = World(Path(sys.argv[1]), open_database(sys.argv[2]))
crash.arm("between-sites")
let_go(world.context, Letting(holds=sys.argv[3:], by="kim", reason="r"), name="bank/pay")
"""


@pytest.mark.chaos
def test_a_release_that_was_killed_in_the_middle_is_finished_by_the_next_look(rewritten: World) -> None:
    """SIGKILL after the first site was written: the others go without being asked about again."""
    holds = _look(rewritten)
    database = f"sqlite:///{rewritten.root}/lockstep.db"
    command = [sys.executable, "-c", _RELEASER, str(rewritten.root), database, *holds.values()]
    assert subprocess.run(command, check=False).returncode == -9
    rewritten.walk()
    assert rewritten.states() == dict.fromkeys(SITES, "equal")
    assert all(release.ended_at for release in _released(rewritten))
