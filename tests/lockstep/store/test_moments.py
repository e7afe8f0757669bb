"""The database's time inside a statement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Float, bindparam, select

from lockstep.store import database as databases
from lockstep.store import moments
from lockstep.store.database import Database

GIVEN = datetime(2028, 2, 28, 23, 59, 59, 250_000, tzinfo=UTC)
LATER = moments.after(moments.NOW, bindparam("delay", type_=Float()))


def ask(database: Database, what: ColumnElement[Any], **parameters: object) -> Any:
    """What the database answers."""
    with database.read() as connection:
        return connection.execute(select(what), parameters).scalar_one()


def test_the_time_is_the_one_that_is_given(database: Database) -> None:
    """An engine with a clock of its own is not given another one's time."""
    assert ask(database, moments.NOW, now=GIVEN) == GIVEN


def test_without_one_it_is_that_of_the_database(database: Database) -> None:
    """It agrees with what a statement of its own would have asked for; SQLite counts in milliseconds."""
    with database.read() as connection:
        before = databases.now(connection)
    answered = ask(database, moments.NOW, now=None)
    with database.read() as connection:
        after = databases.now(connection)
    assert before - timedelta(milliseconds=1) <= answered <= after


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.75, 30.0, 86_400.0])
def test_seconds_are_added_over_every_boundary(database: Database, seconds: float) -> None:
    """Also over a second, a day and the end of a February."""
    assert ask(database, LATER, now=GIVEN, delay=seconds) == GIVEN + timedelta(seconds=seconds)


def test_what_a_statement_counts_compares_with_what_is_handed_over(database: Database) -> None:
    """Both are written in one form, so that SQLite, which compares text, finds equal what is equal."""
    assert ask(database, moments.NOW == LATER, now=GIVEN, delay=0.0)
