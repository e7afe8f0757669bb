"""Who serves."""

from __future__ import annotations

from datetime import timedelta

from lockstep.store import instances, tables
from lockstep.store.database import Database

MINUTE = timedelta(minutes=1)


def announce(database: Database, name: str, url: str = "") -> None:
    """One process says that it is there."""
    with database.write() as connection:
        instances.announce(connection, name, url=url)


def shift(database: Database, name: str, by: timedelta) -> None:
    """Move the moment when a process was last seen."""
    with database.write() as connection:
        row = connection.execute(tables.instances.select().where(tables.instances.c.id == name)).one()
        seen = row.seen_at + by
        connection.execute(tables.instances.update().where(tables.instances.c.id == name).values(seen_at=seen))


def alive(database: Database) -> list[tuple[str, str]]:
    """Name and address of those heard of within a minute."""
    with database.read() as connection:
        return [(found.id, found.url) for found in instances.alive(connection, MINUTE)]


def test_a_process_that_announced_itself_is_alive(database: Database) -> None:
    """In the order in which they started, each once, with the newest address."""
    announce(database, "b", "http://b:8080")
    announce(database, "a")
    announce(database, "b", "http://b:9090")
    assert alive(database) == [("b", "http://b:9090"), ("a", "")]


def test_a_silent_process_is_not_alive(database: Database) -> None:
    """After the time that the caller names it is gone; one that speaks again is back."""
    announce(database, "a")
    shift(database, "a", -2 * MINUTE)
    assert alive(database) == []
    announce(database, "a")
    assert alive(database) == [("a", "")]


def test_a_process_from_the_future_is_not_alive(database: Database) -> None:
    """It died before the clock was set back, and would else seem alive for ever."""
    announce(database, "a")
    shift(database, "a", 60 * MINUTE)
    assert alive(database) == []


def test_a_process_that_ends_in_order_leaves_at_once(database: Database) -> None:
    """Nobody waits for its silence."""
    announce(database, "a")
    with database.write() as connection:
        instances.withdraw(connection, "a")
    assert alive(database) == []


def test_processes_of_yesterday_are_forgotten(database: Database) -> None:
    """A process with a new name at each start does not fill the table."""
    announce(database, "old")
    shift(database, "old", timedelta(days=-2))
    announce(database, "new")
    with database.read() as connection:
        assert [row.id for row in connection.execute(tables.instances.select())] == ["new"]
