"""Counts what became of posts, without letting a stranger write to the database as often as he can post.

Counts are gathered in memory and written a moment later, in one transaction however many there were. What a
crash loses is a moment of counting: the deliveries themselves are rows already.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from lockstep import errors
from lockstep.store import hooks
from lockstep.store.database import Database
from lockstep.store.hooks import Count

_log = logging.getLogger(__name__)


class Tally:
    """The counts of this process that are not written yet. Safe to share between threads."""

    def __init__(self, database: Database, *, delay_seconds: float = 1.0) -> None:
        self._database = database
        self._delay_seconds = delay_seconds
        self._lock = threading.Lock()
        self._pending: dict[str, Count] = {}
        self._timer: threading.Timer | None = None

    def accepted(self, hook: str, at: datetime) -> None:
        """Count a post that was believed."""
        self._add(hook, Count(accepted=1, last_accepted_at=at))

    def refused(self, hook: str, at: datetime, why: str) -> None:
        """Count a post that was not."""
        self._add(hook, Count(refused=1, last_refused_at=at, last_refusal=why))

    def flush(self) -> None:
        """Write what was counted; a database that does not answer gets it the next time."""
        with self._lock:
            pending, self._pending = self._pending, {}
            if self._timer:
                self._timer.cancel()
            self._timer = None
        for hook, count in pending.items():
            if count.refused:
                _log.warning("Refused %d posts to the hook %s: %s.", count.refused, hook, count.last_refusal)
        if not pending:
            return
        try:
            self._write(pending)
        except errors.TemporaryError as error:
            _log.warning("The counts of hooks are kept for later: %s", error)
            for hook, count in pending.items():
                self._add(hook, count)

    def close(self) -> None:
        """Write what is left, at the end of the process."""
        self.flush()
        with self._lock:
            if self._timer:
                self._timer.cancel()

    def _write(self, pending: dict[str, Count]) -> None:
        with self._database.write() as connection:
            for hook in sorted(pending):  # in one order, so that two processes never wait for each other
                hooks.add(connection, hook, pending[hook])

    def _add(self, hook: str, count: Count) -> None:
        with self._lock:
            self._pending[hook] = _sum(self._pending.get(hook, Count()), count)
            if self._timer is None:
                self._timer = threading.Timer(self._delay_seconds, self.flush)
                self._timer.daemon = True
                self._timer.start()


def _sum(older: Count, newer: Count) -> Count:
    return Count(
        accepted=older.accepted + newer.accepted,
        refused=older.refused + newer.refused,
        last_accepted_at=newer.last_accepted_at or older.last_accepted_at,
        last_refused_at=newer.last_refused_at or older.last_refused_at,
        last_refusal=newer.last_refusal or older.last_refusal,
    )
