"""Reports of preflights are kept whole, and the newest of a pair is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lockstep import errors
from lockstep.store import preflights
from lockstep.store.database import Database

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def kept(name: str, *, pair: str = "seoul-sejong", application: str = "", minutes: int = 0) -> preflights.Kept:
    """A report."""
    at = NOW + timedelta(minutes=minutes)
    said = {"verdict": "NO-GO", "statement": "one blocker", "by": "kim"}
    return preflights.Kept(name=name, pair=pair, application=application, at=at, **said)


def test_the_newest_report_about_everything_that_a_pair_protects_counts(database: Database) -> None:
    """One about a single application does not stand for the pair; the report before is that of the same scope."""
    with database.write() as connection:
        for one in (kept("a"), kept("b", minutes=1), kept("c", application="pay"), kept("d", pair="seoul-daegu")):
            preflights.record(connection, one, {"id": one.name})
    with database.read() as connection:
        assert {pair: one.name for pair, one in preflights.newest(connection).items()} == {
            "seoul-sejong": "b",
            "seoul-daegu": "d",
        }
        assert preflights.before(connection, "seoul-sejong", "") == {"id": "b"}
        assert preflights.before(connection, "seoul-sejong", "pay") == {"id": "c"}
        assert preflights.before(connection, "nowhere", "") is None
        assert preflights.named(connection, "a") == {"id": "a"}


def test_a_report_that_is_not_there_is_an_error(database: Database) -> None:
    """By its name."""
    with database.read() as connection, pytest.raises(errors.NotFoundError):
        preflights.named(connection, "nothing")
