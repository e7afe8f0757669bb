"""What is said of one site is so, and what is wrong at it stays there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lockstep.sites import ends, git
from lockstep.store.database import Database
from sync import distribute, release
from sync.git import Request, run
from sync.outcomes import SiteOutcome
from tests.support import lfs_http
from tests.support.mirrored import World
from tests.support.repositories import Repository

MAIN = "refs/heads/main"
SITES = ("seoul", "sejong")


def _world(tmp_path: Path, database: Database, **guards: object) -> World:
    made = World(tmp_path, database, sites=SITES, guards=guards)
    made.source.commit("refs/heads/work", {"file": "first"})
    made.walk()
    assert made.states() == dict.fromkeys(SITES, "equal")
    return made


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """A repository with two branches that is equal at two sites."""
    return _world(tmp_path, file_database)


def _run(world: World) -> dict[str, SiteOutcome]:
    return {outcome.site: outcome for outcome in run(world.context, Request(), name="bank/pay").sites}


def _between_the_looks(world: World, monkeypatch: pytest.MonkeyPatch, ref: str, oid: str) -> None:
    """Seoul's ref is moved after it was looked at first, and before it is looked at again."""
    looks, look = [0], git.Remote.advertised

    def advertised(remote: git.Remote) -> ends.Advertised | None:
        if "seoul" in remote.location:
            looks[0] += 1
            if looks[0] == 2:
                world.site("seoul").point(ref, oid)
        return look(remote)

    monkeypatch.setattr(git.Remote, "advertised", advertised)


@pytest.mark.parametrize("ref", [MAIN, "refs/heads/theirs"], ids=["one that was equal", "one that was not there"])
def test_what_moved_while_something_else_was_pushed_is_not_called_equal(
    tmp_path: Path, file_database: Database, monkeypatch: pytest.MonkeyPatch, ref: str
) -> None:
    """It needed nothing at the first look: the second one counts, whatever the guards would let happen to it."""
    world = _world(tmp_path, file_database, diverged="overwrite")
    first = world.source.refs()[MAIN]
    world.source.commit(MAIN, {"README": "newer"})
    world.walk()
    world.source.commit("refs/heads/work", {"file": "second"})
    _between_the_looks(world, monkeypatch, ref, first)
    seoul = _run(world)["seoul"]
    assert [(one.ref, one.outcome.value) for one in seoul.open] == [(ref, "stale")]
    assert (seoul.state.value, seoul.again) == ("behind", True)
    assert _run(world)["seoul"].state.value == "equal"
    assert world.site("seoul").refs() == world.source.refs()


@pytest.mark.parametrize("diverged", ["overwrite", "hold"])
def test_a_symbolic_ref_of_a_site_is_not_deleted_for_that_deletes_what_it_follows(
    tmp_path: Path, file_database: Database, diverged: str
) -> None:
    """Git deletes the branch behind it, which the source has: neither a guard that is off nor an approval does that."""
    world = _world(tmp_path, file_database, diverged=diverged)
    world.site("seoul").git("symbolic-ref", "refs/heads/alias", "refs/heads/work")
    outcomes = _run(world)
    (told,) = outcomes["seoul"].open
    assert (told.ref, told.outcome.value, told.held) == ("refs/heads/alias", "held", ())
    assert "follows refs/heads/work" in told.reason
    assert world.site("seoul").refs()["refs/heads/work"] == world.source.refs()["refs/heads/work"]
    assert outcomes["sejong"].state.value == "equal"


def test_a_symbolic_ref_that_the_source_has_too_is_equal_once_the_ref_is_that_it_follows(world: World) -> None:
    """One push makes both what they should be; the followed one is not deleted under the other."""
    for place in (world.source, world.site("seoul")):
        place.git("symbolic-ref", "refs/heads/alias", "refs/heads/work")
    world.source.commit("refs/heads/work", {"file": "second"})
    world.walk()
    assert world.states() == dict.fromkeys(SITES, "equal")
    assert world.site("seoul").refs() == world.source.refs()
    kept = world.source.refs()["refs/heads/work"]
    world.source.git("symbolic-ref", "--delete", "refs/heads/alias")
    world.source.point("refs/heads/alias", kept)
    world.source.delete("refs/heads/work")
    world.walk()
    assert world.states() == {"seoul": "held", "sejong": "equal"}
    assert world.site("seoul").refs()["refs/heads/alias"] == kept


def test_a_commit_that_cannot_be_backed_up_because_it_is_damaged_keeps_no_other_ref(
    tmp_path: Path, file_database: Database
) -> None:
    """What somebody put at the site fails git's check: it stays there and is named, and the rest goes on."""
    world = _world(tmp_path, file_database, diverged="backup")
    seoul = world.site("seoul")
    empty = seoul.git("hash-object", "-w", "-t", "tree", "--stdin").strip()
    tree = b"40000 .git\0" + bytes.fromhex(empty)
    made = seoul.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=tree).strip()
    bad = seoul.git("commit-tree", made, "-m", "x").strip()
    seoul.point("refs/heads/bad", bad)
    new = world.source.commit(MAIN, {"README": "newer"})
    outcomes = _run(world)
    assert seoul.refs() == {**world.source.refs(), "refs/heads/bad": bad}
    assert seoul.refs()[MAIN] == new
    told = {one.ref: one.reason for one in outcomes["seoul"].open}
    assert "contains '.git'" in told["refs/heads/bad"]
    assert (outcomes["seoul"].state.value, outcomes["sejong"].state.value) == ("refused", "equal")


def test_a_site_with_the_old_hash_algorithm_does_not_take_our_copy_from_the_others(
    tmp_path: Path, file_database: Database
) -> None:
    """The source was made anew with SHA-256: a backup of the old commits cannot come into what the others live by."""
    world = World(tmp_path, file_database, sites=SITES, guards={"diverged": "backup", "rewritten": "backup"})
    world.walk()
    before = world.site("seoul").refs()
    shutil.rmtree(world.source.path)
    shutil.rmtree(world.site("sejong").path)
    new = Repository.make(world.source.path, object_format="sha256").commit(MAIN, {"README": "hello"})
    for _ in range(2):
        outcomes = _run(world)
        assert {site: outcome.state.value for site, outcome in outcomes.items()} == {
            "seoul": "refused",
            "sejong": "equal",
        }
        assert "hash algorithm" in {one.ref: one.reason for one in outcomes["seoul"].open}[MAIN]
        assert world.doors.git_cache("bank/pay").has(new)
    assert world.site("seoul").refs() == before


def test_a_disk_that_refuses_one_site_stops_no_other(tmp_path: Path, file_database: Database) -> None:
    """It is that site's problem, with the file that could not be written."""
    world = World(tmp_path, file_database, sites=SITES)
    (Repository.make(world.site("seoul").path).path / "packed-refs.written").mkdir()
    outcomes = _run(world)
    assert (outcomes["seoul"].state.value, outcomes["sejong"].state.value) == ("unreachable", "equal")
    assert "packed-refs.written" in outcomes["seoul"].reason
    assert world.states() == {"seoul": "unreachable", "sejong": "equal"}


@pytest.mark.parametrize("how", ["lost", "moved"])
def test_large_files_are_looked_for_again_in_a_repository_that_is_another_now(world: World, how: str) -> None:
    """What a site was seen to have is not believed of one that was made anew, or that is at another address."""
    content = b"large" * 1000
    oid = lfs_http.commit(world.source, MAIN, "photo.bin", content)
    world.walk()
    place = lfs_http.place(world.site("seoul"), oid)
    assert place.exists()
    if how == "lost":
        shutil.rmtree(world.site("seoul").path)
    else:
        moved = world.root / "elsewhere.git"
        shutil.move(world.site("seoul").path, moved)
        shutil.rmtree(moved / "lfs")
        world.doors.instead["seoul"] = lambda: git.Remote(location=str(moved))
        place = lfs_http.place(Repository(moved), oid)
    world.walk()
    assert world.states() == dict.fromkeys(SITES, "equal")
    assert place.read_bytes() == content


def test_a_site_that_takes_no_rewrite_says_so_and_gets_one_backup_however_often_it_is_asked(
    tmp_path: Path, file_database: Database
) -> None:
    """Its rule is no race: nobody moved anything, no second look helps, and copies of one commit do not pile up."""
    world = _world(tmp_path, file_database, diverged="backup")
    seoul = world.site("seoul")
    seoul.git("config", "receive.denyNonFastForwards", "true")
    theirs = seoul.commit("refs/heads/work", {"hotfix": "x"}, orphan=True)
    for _ in range(3):
        outcome = _run(world)["seoul"]
        world.clock.pass_minutes(1)
        (told,) = outcome.open
        assert (told.ref, told.outcome.value) == ("refs/heads/work", "refused")
        assert told.reason.startswith("non-fast-forward")
        assert not outcome.again
    backups = {ref: oid for ref, oid in seoul.refs().items() if "backup" in ref}
    assert list(backups.values()) == [theirs]
    assert seoul.refs()["refs/heads/work"] == theirs


def test_an_emptied_source_can_be_let_go_when_our_own_copy_was_lost(tmp_path: Path, file_database: Database) -> None:
    """There is nothing to fetch any more, and the deletes are pushed all the same."""
    world = _world(tmp_path, file_database)
    for site in SITES:
        world.site(site).git("config", "receive.denyDeleteCurrent", "warn")
    world.source.delete(*world.source.refs())
    shutil.rmtree(world.root / "state")
    held = run(world.context, Request(), name="bank/pay").sites
    letting = release.Letting(holds=[outcome.hold for outcome in held], by="ada", reason="the project is over")
    report = release.let_go(world.context, letting, name="bank/pay")
    assert {outcome.site: outcome.state.value for outcome in report.sites} == dict.fromkeys(SITES, "equal")
    assert [world.site(site).refs() for site in SITES] == [{}, {}]


def test_a_ref_that_somebody_is_writing_is_looked_at_again(world: World) -> None:
    """It is locked, which is no refusal: the job comes back for it, and the rest went through."""
    new = world.source.commit(MAIN, {"README": "newer"})
    world.source.commit("refs/heads/work", {"file": "second"})
    lock = world.site("seoul").path / "refs/heads/work.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    outcome = _run(world)["seoul"]
    (told,) = outcome.open
    assert (told.ref, told.outcome.value, outcome.state.value, outcome.again) == (
        "refs/heads/work",
        "stale",
        "behind",
        True,
    )
    assert "File exists" in told.reason
    assert world.site("seoul").refs()[MAIN] == new
    lock.unlink()
    assert _run(world)["seoul"].state.value == "equal"


def test_a_site_that_waited_for_its_turn_gets_nothing_older_than_it_has(
    tmp_path: Path, file_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first was written, the source moved on and somebody else brought that to the second."""
    world = _world(tmp_path, file_database, diverged="overwrite")
    monkeypatch.setattr(distribute, "_MOST_AT_ONCE", 1)
    world.source.commit(MAIN, {"README": "second"})
    seoul = world.doors.git_site("seoul", "bank/pay")
    newer: list[str] = []

    def meanwhile() -> ends.GitRemote:
        if not newer:
            newer.append(world.source.commit(MAIN, {"README": "third"}))
            world.clock.pass_minutes(1)
            run(world.context, Request(site="sejong"), name="bank/pay")
        return seoul

    world.doors.instead["seoul"] = meanwhile
    outcomes = _run(world)
    assert world.site("sejong").refs()[MAIN] == newer[0]
    for site in SITES:
        assert (outcomes[site].state.value, outcomes[site].again) == ("unreachable", True)
        assert "moved on meanwhile" in outcomes[site].reason
    outcomes = _run(world)
    assert [outcomes[site].state.value for site in SITES] == ["equal", "equal"]
    assert world.site("seoul").refs() == world.source.refs()
