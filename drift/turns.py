"""Whose turn it is to read a site: some that answer nothing keep a few comparisons waiting, never all workers.

A comparison holds a site only while it is read. So many that face one frozen follower do not hold the truth that they
share with others, and those go on.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from lockstep import errors

# A site whose readings last longer than this is not waited for with a worker in hand. Seconds.
_PATIENCE_SECONDS = 2.0


class TakenError(errors.TemporaryError):
    """A site is being read by as many as may, and it does not answer them: come back later."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Reading:
    """What a comparison reads: when it began, the sites that it still reads, and those of them that are in doubt."""

    begun: float
    sites: set[str]
    doubtful: set[str]


class Turns:
    """The readings that go on in this process. Safe to share between threads.

    A few comparisons read one site at once while workers abound; where they do not, one. A site is in doubt until it
    was read within the patience, and again when a reading of it took longer: of comparisons that read such sites only
    so many go on at once, however many sites are frozen.

    Args:
        most: How many may read one site at once, and how many readings there are before a site has one reader alone.
        doubtful: How many may read sites that are in doubt.
        patience_seconds: A turn is waited for as long as no reading in its way has lasted longer than this.
    """

    def __init__(self, *, most: int = 3, doubtful: int = 4, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._most = most
        self._doubtful = doubtful
        self._patience = patience_seconds
        self._changed = threading.Condition()
        self._readings: list[_Reading] = []  # the oldest first
        self._proven: set[str] = set()

    @classmethod
    def of(cls, threads: int, *, patience_seconds: float = _PATIENCE_SECONDS) -> Turns:
        """For a process with so many workers: of eight, three sites that are frozen at once leave three."""
        most = max(1, threads * 3 // 8)
        return cls(most=most, doubtful=max(most, threads // 2), patience_seconds=patience_seconds)

    @contextlib.contextmanager
    def taken(self, sites: Collection[str]) -> Iterator[Callable[[str], None]]:
        """Take a turn at all of these sites, or at none.

        Yields:
            What gives the turn at one site back before the others; the rest is given back at the end.

        Raises:
            TakenError: One of them keeps those that read it waiting, or too many wait for sites that are in doubt.
        """
        reading = self._begin(sites)
        try:
            yield lambda site: self._give_back(reading, site)
        finally:
            for site in sites:
                self._give_back(reading, site)

    def _begin(self, sites: Collection[str]) -> _Reading:
        with self._changed:
            while ahead := self._ahead(sites):
                begun, why = ahead
                left = begun + self._patience - time.monotonic()
                if left <= 0:
                    raise TakenError(why)
                self._changed.wait(left)
            reading = _Reading(begun=time.monotonic(), sites=set(sites), doubtful=set(sites) - self._proven)
            self._readings.append(reading)
            return reading

    def _ahead(self, sites: Collection[str]) -> tuple[float, str] | None:
        """Since when something is in the way of a reading, and what; None when nothing is."""
        most = self._most if len(self._readings) < self._most else 1
        for site in sites:
            begun = [one.begun for one in self._readings if site in one.sites]
            if len(begun) >= most:
                return begun[0], f"{site} keeps the {len(begun)} comparisons waiting that read it now."
        doubtful = [one.begun for one in self._readings if one.doubtful]
        if len(doubtful) >= self._doubtful and not self._proven.issuperset(sites):
            return doubtful[0], f"{len(doubtful)} comparisons wait for sites that did not answer in time before."
        return None

    def _give_back(self, reading: _Reading, site: str) -> None:
        with self._changed:
            if site not in reading.sites:
                return
            reading.sites.remove(site)
            reading.doubtful.discard(site)
            if time.monotonic() - reading.begun <= self._patience:
                self._proven.add(site)
            else:
                self._proven.discard(site)
            if not reading.sites:
                self._readings.remove(reading)
            self._changed.notify_all()
