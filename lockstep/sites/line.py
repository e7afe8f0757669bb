"""The line to a site, and how fast bytes may go over it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_MOST_AT_ONCE = 2**16


class Pace:
    """Bytes go no faster than a line may carry. Safe to share between threads.

    ``rate`` is in bits for each second; what was not used is not saved up.
    """

    def __init__(
        self, rate: float, *, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._rate = rate
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = 0.0

    @property
    def portion(self) -> int:
        """How many bytes to send at once, where the sender may choose: those of a second, and not more than 64 KiB."""
        return max(1, min(_MOST_AT_ONCE, int(self._rate / 8)))

    def wait(self, size: int) -> None:
        """Wait until so many bytes may be sent; the next ones wait until these are through."""
        with self._lock:
            now = self._now()
            begin = max(now, self._free_at)
            self._free_at = begin + size * 8 / self._rate
        if begin > now:
            self._sleep(begin - now)
