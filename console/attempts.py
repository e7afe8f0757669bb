"""How often somebody may try to sign in: a token cannot be guessed, but a log can be filled."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict

from lockstep.clock import Clock

_log = logging.getLogger(__name__)
_MOST = 10
_WINDOW_SECONDS = 60.0
# Addresses that are remembered; the oldest is forgotten first, so that nobody can fill the memory.
_MOST_ADDRESSES = 10_000


class Attempts:
    """Failed attempts by address. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def wait_seconds(self, address: str) -> int:
        """How long this address has to wait before its next attempt; 0 when it may try now."""
        now = self._clock.monotonic()
        with self._lock:
            recent = self._recent(address, now)
        return int(recent[0] + _WINDOW_SECONDS - now) + 1 if len(recent) >= _MOST else 0

    def failed(self, address: str) -> None:
        """Remember an attempt that failed."""
        now = self._clock.monotonic()
        with self._lock:
            self._failed[address] = [*self._recent(address, now), now][-_MOST:]
            self._failed.move_to_end(address)
            while len(self._failed) > _MOST_ADDRESSES:
                self._failed.popitem(last=False)
        _log.warning("A wrong token came from %s.", address)

    def _recent(self, address: str, now: float) -> list[float]:
        return [moment for moment in self._failed.get(address, ()) if now - moment < _WINDOW_SECONDS]
