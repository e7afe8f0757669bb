"""Transfers that last are told of in the store while they do, for whoever looks at the pages."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from lockstep import clock, errors
from lockstep.sites.ends import Movement, Stage
from lockstep.store import transfers
from lockstep.store.database import Database
from lockstep.store.transfers import Transfer

# What is over sooner is not told of, and what lasts is told of as often. Seconds.
_EVERY = 2.0
# After its last byte the other side may be busy for a while.
_THROUGH = timedelta(seconds=60)


class Told:
    """Hears, in any thread, how far the transfers of a repository are; never keeps who says so waiting.

    Args:
        kind: ``git`` or ``images``.
        repository: The one whose transfers count.
        time: Tells the time.
    """

    def __init__(self, kind: str, repository: str, time: clock.Clock) -> None:
        self._kind = kind
        self._repository = repository
        self._clock = time
        self._lock = threading.Lock()
        self._heard: dict[str, Transfer] = {}

    def moved(self, repository: str, site: str, movement: Movement) -> None:
        """Implements ``movements.Moving``."""
        if repository != self._repository:
            return
        now = self._clock.now()
        with self._lock:
            before = self._heard.get(site)
            self._heard[site] = Transfer(
                kind=self._kind,
                repository=repository,
                site=site,
                stage=movement.stage.value,
                done=movement.done,
                total=movement.total,
                size=movement.size,
                began_at=before.began_at if before else now,
                told_at=now,
            )

    def copied(self, done: int, total: int) -> None:
        """So many bytes were handed to sites, of so many that will be as far as is known."""
        self.moved(self._repository, "", Movement(stage=Stage.COPYING, done=done, total=total, size=done))

    def latest(self, now: datetime) -> list[Transfer]:
        """How far each is. One that stands still is told of; one that is through and gives no word more is over."""
        with self._lock:
            heard = list(self._heard.values())
        through = [one for one in heard if one.total and one.done >= one.total and now - one.told_at > _THROUGH]
        return [replace(one, told_at=now) for one in heard if one not in through]


@contextlib.contextmanager
def told(database: Database, kind: str, repository: str, time: clock.Clock) -> Iterator[Told]:
    """Tell of a repository's transfers, ``git`` or ``images``, every few seconds while the block lasts.

    A database that does not answer is told when the result is recorded.
    """
    heard, ended = Told(kind, repository, time), threading.Event()

    def tell() -> None:
        written: set[str] = set()
        lasts = True
        while lasts:
            lasts = not ended.wait(_EVERY)
            now = time.now()
            latest: dict[str, Transfer | None] = dict.fromkeys(written)
            latest |= {one.site: one for one in heard.latest(now) if lasts}
            written |= latest.keys()
            if latest:
                with contextlib.suppress(errors.LockstepError), database.write() as connection:
                    transfers.tell(connection, kind, repository, latest, at=now)

    telling = threading.Thread(target=tell, name=f"telling-{kind}", daemon=True)
    telling.start()
    try:
        yield heard
    finally:
        ended.set()
        telling.join()
