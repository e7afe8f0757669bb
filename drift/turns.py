"""Whose turn it is to read a site: one that answers nothing keeps a few comparisons waiting, never all workers.

A comparison holds a site only while it is read. So many that face one frozen follower do not hold the truth that they
share with others, and those go on.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator

from lockstep import errors

# A site whose readings last longer than this is not waited for with a worker in hand. Seconds.
_PATIENCE_SECONDS = 2.0


class TakenError(errors.TemporaryError):
    """A site is being read by as many as may, and it does not answer them: come back later."""


class Turns:
    """The readings that go on in this process. Safe to share between threads.

    Args:
        most: How many may read one site at once.
        patience_seconds: A turn is waited for as long as no reading of the site has lasted longer than this.
    """

    def __init__(self, *, most: int = 3, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._most = most
        self._patience = patience_seconds
        self._changed = threading.Condition()
        self._readings: defaultdict[str, list[float]] = defaultdict(list)  # when each began, the oldest first

    @classmethod
    def of(cls, threads: int, *, patience_seconds: float = _PATIENCE_SECONDS) -> Turns:
        """For a process with so many workers: of eight, two sites that are frozen at once leave two."""
        return cls(most=max(1, threads * 3 // 8), patience_seconds=patience_seconds)

    @contextlib.contextmanager
    def taken(self, sites: Collection[str]) -> Iterator[Callable[[str], None]]:
        """Take a turn at all of these sites, or at none.

        Yields:
            What gives the turn at one site back before the others; the rest is given back at the end.

        Raises:
            TakenError: One of them keeps those that read it waiting.
        """
        begun = self._begin(sites)
        held = set(sites)

        def give_back(site: str) -> None:
            with self._changed:
                if site in held:
                    held.remove(site)
                    self._readings[site].remove(begun)
                    self._changed.notify_all()

        try:
            yield give_back
        finally:
            for site in sites:
                give_back(site)

    def _begin(self, sites: Collection[str]) -> float:
        with self._changed:
            while full := [site for site in sites if len(self._readings[site]) >= self._most]:
                oldest = min((self._readings[site][0], site) for site in full)
                left = oldest[0] + self._patience - time.monotonic()
                if left <= 0:
                    raise TakenError(f"{oldest[1]} keeps the {self._most} comparisons waiting that read it now.")
                self._changed.wait(left)
            begun = time.monotonic()
            for site in sites:
                self._readings[site].append(begun)
            return begun
