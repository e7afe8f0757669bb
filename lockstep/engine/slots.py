"""The counters of the limit keys: how many jobs run under each, and which keys have jobs waiting for them.

Whoever changes several counters changes them in the order of their names, and last in its transaction: so two
transactions never wait for each other in a circle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Insert, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lockstep.engine.tables import slots


def _writing(insert: postgresql.Insert | sqlite.Insert) -> Insert:
    difference = {"running": slots.c.running + insert.excluded.running, "waited": insert.excluded.waited}
    return insert.on_conflict_do_update(index_elements=[slots.c.key], set_=difference)


# The statements are made once: making one costs as much as running it.
_RELEASE = update(slots).where(slots.c.key == bindparam("freed")).values(running=slots.c.running - bindparam("count"))
_READ = select(slots.c.key, slots.c.running).where(slots.c.key.in_(bindparam("keys", expanding=True)))
_WRITE = {"postgresql": _writing(postgresql.insert(slots)), "sqlite": _writing(sqlite.insert(slots))}


def release(connection: Connection, keys: Iterable[str]) -> None:
    """Jobs that ran under these keys ended. Whoever waits for one is woken by the next claim."""
    freed = [{"freed": key, "count": count} for key, count in sorted(Counter(keys).items())]
    if freed:
        connection.execute(_RELEASE, freed)


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
        if not unknown:
            return
        stored = dict(self._connection.execute(_READ, {"keys": unknown}).all())
        for key in unknown:
            self._learn(key, stored.get(key, 0), waited=False)

    def learn_waited(self, running: Mapping[str, int]) -> None:
        """All the keys that jobs wait for, and how many run under each: what is not here is not waited for."""
        for key, count in running.items():
            self._learn(key, count, waited=True)

    def write(self) -> None:
        """Write what changed: counts as differences, so that slots freed meanwhile stay free."""
        changed = [
            {"key": key, "running": self.running[key] - running, "waited": key in self.waited}
            for key, (running, waited) in sorted(self._stored.items())
            if (self.running[key], key in self.waited) != (running, waited)
        ]
        if changed:
            self._connection.execute(_WRITE[self._connection.dialect.name], changed)

    def _learn(self, key: str, running: int, *, waited: bool) -> None:
        self._stored[key] = (running, waited)
        self.running[key] = running
        if waited:
            self.waited.add(key)
