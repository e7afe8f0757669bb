"""What is remembered of git repositories, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lockstep.store import mirrors
from lockstep.store.database import Database

A, B = "1" * 40, "2" * 64
MAIN = "refs/heads/main"


def _at(minute: int) -> datetime:
    return datetime(2026, 1, 1, 12, minute, tzinfo=UTC)


def _stand(database: Database, state: str, minute: int, *, changed: int, seen: bool = True) -> mirrors.Standing:
    standing = mirrors.Standing(
        repository="bank/pay", site="sejong", state=state, detail=[], head=MAIN, refs=1, checked_at=_at(minute)
    )
    with database.write() as connection:
        mirrors.stands(connection, standing, changed_at=_at(changed), seen=seen)
        (found,) = mirrors.standings(connection, "bank/pay")
    return found


def _saw(
    database: Database, refs: dict[str, str], minute: int, *, head: str = MAIN, unsound: tuple[str, ...] = ()
) -> bool:
    seen = mirrors.Source(
        repository="bank/pay", head=head, refs=refs, checked_at=_at(minute), changed_at=_at(minute), unsound=unsound
    )
    with database.write() as connection:
        return mirrors.saw(connection, seen)


def test_a_source_changes_when_it_says_something_else(database: Database) -> None:
    """The first time counts; the same again moves only the moment of looking."""
    assert _saw(database, {MAIN: A}, 1)
    assert not _saw(database, {MAIN: A}, 2)
    with database.read() as connection:
        found = mirrors.source(connection, "bank/pay")
    assert found is not None
    assert (found.refs, found.checked_at, found.changed_at) == ({MAIN: A}, _at(2), _at(1))
    assert _saw(database, {MAIN: B}, 3)
    assert _saw(database, {MAIN: B}, 4, head="")
    assert _saw(database, {MAIN: B}, 5, head="", unsound=("what",))
    assert not _saw(database, {MAIN: B}, 6, head="", unsound=("what",))


def test_a_source_that_could_not_be_asked_keeps_what_it_said(database: Database) -> None:
    """The problem goes with the next answer, also for one that never answered."""
    with database.write() as connection:
        mirrors.could_not_ask(connection, "bank/new", problem="gone", at=_at(1))
    _saw(database, {MAIN: A}, 1)
    with database.write() as connection:
        mirrors.could_not_ask(connection, "bank/pay", problem="gone", at=_at(2))
        found = mirrors.source(connection, "bank/pay")
        assert found is not None
        assert (found.refs, found.problem, found.changed_at) == ({MAIN: A}, "gone", _at(1))
        assert mirrors.last_checked(connection) == {"bank/new": _at(1), "bank/pay": _at(2)}
        assert mirrors.silent(connection) == {"bank/new", "bank/pay"}
    assert not _saw(database, {MAIN: A}, 3)
    with database.read() as connection:
        found = mirrors.source(connection, "bank/pay")
    assert found is not None
    assert found.problem == ""


def test_nobody_knows_a_source_that_was_never_asked(database: Database) -> None:
    """It is None, not an empty repository."""
    with database.read() as connection:
        assert mirrors.source(connection, "bank/pay") is None


@pytest.mark.parametrize("count", [1, 2500])
def test_the_ledger_says_exactly_what_it_is_told(database: Database, count: int) -> None:
    """Refs come, move and go; other sites keep theirs."""
    refs = {f"refs/heads/b{n}": A for n in range(count)}
    with database.write() as connection:
        mirrors.keep_ledger(connection, "bank/pay", "daegu", refs={MAIN: A}, at=_at(1))
        for wanted in (refs, {**refs, "refs/heads/b0": B}, {"refs/heads/한글": B}, {}):
            mirrors.keep_ledger(connection, "bank/pay", "sejong", refs=wanted, at=_at(1))
            assert mirrors.written(connection, "bank/pay", "sejong") == wanted
        assert mirrors.written(connection, "bank/pay", "daegu") == {MAIN: A}


def test_an_equal_site_is_equal_since_the_first_time_it_was_seen(database: Database) -> None:
    """Looking again changes nothing; a newer source, once it arrived, starts anew."""
    assert _stand(database, "equal", 2, changed=1).equal_at == _at(2)
    assert _stand(database, "equal", 3, changed=1).equal_at == _at(2)
    found = _stand(database, "equal", 6, changed=5)
    assert (found.equal_at, found.behind_since, found.lag(_at(9))) == (_at(6), None, timedelta(0))


@pytest.mark.parametrize("state", ["unreachable", "held", "refused", "failed"])
def test_a_site_is_behind_since_the_first_change_that_did_not_arrive(database: Database, state: str) -> None:
    """Later changes do not make it younger; arriving ends it."""
    _stand(database, "equal", 1, changed=0)
    _stand(database, state, 6, changed=5, seen=state != "unreachable")
    found = _stand(database, state, 9, changed=8)
    assert (found.behind_since, found.lag(_at(9))) == (_at(5), timedelta(minutes=4))
    assert _stand(database, "equal", 10, changed=8).lag(_at(10)) == timedelta(0)


def test_a_site_that_changed_by_itself_is_behind_since_that_was_seen(database: Database) -> None:
    """The source did not move; one that could not be looked at is not called behind for it."""
    _stand(database, "equal", 1, changed=0)
    assert _stand(database, "unreachable", 2, changed=0, seen=False).behind_since is None
    assert _stand(database, "held", 3, changed=0).behind_since == _at(3)


def test_a_site_that_never_had_it_is_behind_from_the_start(database: Database) -> None:
    """Since the source had it."""
    assert _stand(database, "unreachable", 4, changed=1, seen=False).behind_since == _at(1)


def test_sites_that_receive_nothing_any_more_are_forgotten_and_their_ledger_is_not(database: Database) -> None:
    """They may come back, and then it matters what was written there."""
    _stand(database, "equal", 1, changed=0)
    with database.write() as connection:
        mirrors.keep_ledger(connection, "bank/pay", "sejong", refs={MAIN: A}, at=_at(1))
        mirrors.keep_sites(connection, "bank/pay", ["daegu"])
        assert mirrors.standings(connection) == []
        assert mirrors.written(connection, "bank/pay", "sejong") == {MAIN: A}


def test_details_come_back_as_they_were(database: Database) -> None:
    """What is not equal, and why, in any alphabet."""
    detail: list[Any] = [{"ref": "refs/heads/한글", "outcome": "held", "reason": "\u202e"}]
    standing = mirrors.Standing(
        repository="bank/pay", site="sejong", state="held", detail=detail, head="", refs=0, checked_at=_at(1)
    )
    with database.write() as connection:
        mirrors.stands(connection, standing, changed_at=_at(1))
        assert mirrors.standings(connection)[0].detail == detail
