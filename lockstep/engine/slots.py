"""The counters of the limit keys: how many jobs run under each, and which keys have jobs waiting for them.

Whoever changes several counters changes them in the order of their names, and last in its transaction: so two
transactions never wait for each other in a circle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, update

from lockstep.engine.tables import slots
from lockstep.store import database


def release(connection: Connection, keys: Iterable[str]) -> None:
    """Jobs that ran under these keys ended. Whoever waits for one is woken by the next claim."""
    freed = [{"freed": key, "count": count} for key, count in sorted(Counter(keys).items())]
    if freed:
        connection.execute(
            update(slots).where(slots.c.key == bindparam("freed")).values(running=slots.c.running - bindparam("count")),
            freed,
        )


def forget_idle(connection: Connection) -> None:
    """Remove the counters that nobody needs; they are made again when somebody does."""
    idle = (
        select(slots.c.key)
        .where(slots.c.running == 0, slots.c.waited.is_(False))
        .order_by(slots.c.key)
        .with_for_update(skip_locked=True)
    )
    connection.execute(delete(slots).where(slots.c.key.in_(idle)))


class Ledger:
    """The counters as one claim sees and changes them: read when they are needed, written once, at the end.

    Only one claim works at a time, and everybody else only frees slots: a count read here is never too low.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stored: dict[str, tuple[int, bool]] = {}
        self.running: Counter[str] = Counter()
        """How many jobs run under each key that was read, with what this claim started or set aside."""
        self.waited: set[str] = set()
        """The keys, of those that were read, that jobs wait for."""

    def load(self, keys: Iterable[str]) -> None:
        """Read these counters, unless they are known."""
        unknown = sorted(set(keys) - self._stored.keys())
        if unknown:
            self._read(slots.c.key.in_(unknown))
            self._stored = dict.fromkeys(unknown, (0, False)) | self._stored

    def load_waited(self) -> None:
        """Read the counters that jobs wait for."""
        self._read(slots.c.waited)

    def write(self) -> None:
        """Write what changed: counts as differences, so that slots freed meanwhile stay free."""
        changed = [
            {"key": key, "running": self.running[key] - running, "waited": key in self.waited}
            for key, (running, waited) in sorted(self._stored.items())
            if (self.running[key], key in self.waited) != (running, waited)
        ]
        if changed:
            insert = database.insert(self._connection, slots)
            difference = {"running": slots.c.running + insert.excluded.running, "waited": insert.excluded.waited}
            self._connection.execute(
                insert.on_conflict_do_update(index_elements=[slots.c.key], set_=difference), changed
            )

    def _read(self, condition: ColumnElement[bool]) -> None:
        for key, running, waited in self._connection.execute(
            select(slots.c.key, slots.c.running, slots.c.waited).where(condition)
        ):
            self._stored[key] = (running, waited)
            self.running[key] = running
            if waited:
                self.waited.add(key)
