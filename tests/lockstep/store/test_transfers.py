"""What is under way is told while somebody tells of it, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lockstep.store import transfers
from lockstep.store.database import Database
from lockstep.store.transfers import Transfer

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
GIT = Transfer(
    kind="git",
    repository="bank/pay",
    site="sejong",
    stage="writing",
    done=1,
    total=3,
    size=2**40,
    began_at=NOW,
    told_at=NOW,
)
SOURCE = replace(GIT, site="", stage="receiving")
IMAGES = replace(GIT, kind="images", site="", stage="copying")


def _tell(database: Database, told: dict[str, Transfer | None], *, kind: str = "git", at: datetime = NOW) -> None:
    with database.write() as connection:
        transfers.tell(connection, kind, "bank/pay", told, at=at)


def _under_way(database: Database, now: datetime = NOW) -> list[Transfer]:
    with database.read() as connection:
        return transfers.under_way(connection, now)


def test_each_transfer_is_told_once_as_it_was_told_last(database: Database) -> None:
    """By kind, repository and site: a fetch and a push of one repository do not take each other's place."""
    _tell(database, {"sejong": GIT})
    _tell(database, {"": SOURCE})
    _tell(database, {"": IMAGES}, kind="images")
    _tell(database, {"sejong": replace(GIT, done=2)})
    assert _under_way(database) == [SOURCE, replace(GIT, done=2), IMAGES]


def test_what_is_over_is_told_of_no_longer(database: Database) -> None:
    """Said by whoever carried it; the others go on."""
    _tell(database, {"sejong": GIT, "daegu": replace(GIT, site="daegu")})
    _tell(database, {"sejong": None, "daegu": replace(GIT, site="daegu", done=2)})
    assert [(one.site, one.done) for one in _under_way(database)] == [("daegu", 2)]


def test_a_transfer_whose_process_was_killed_is_not_under_way(database: Database) -> None:
    """A minute without a word: it is not shown, and whoever tells of another takes it away."""
    _tell(database, {"sejong": GIT})
    later = NOW + timedelta(seconds=61)
    assert _under_way(database, later - timedelta(seconds=1)) == [GIT]
    assert _under_way(database, later) == []
    _tell(database, {"": replace(IMAGES, told_at=later)}, kind="images", at=later)
    assert _under_way(database) == [replace(IMAGES, told_at=later)]
