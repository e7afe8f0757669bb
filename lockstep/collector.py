"""Python's garbage collector, held off while a great many objects are made that cannot be in a circle.

The collector looks at new objects again and again while others are made; of a page of a list, or of a comparison of
ten thousand objects, that is a third of the whole time, and it finds nothing.
"""

from __future__ import annotations

import contextlib
import gc
import threading
import time
from collections.abc import Iterator

# Longer than this nobody waits for the collector, however many hold it off one after the other. Seconds.
_LONGEST = 10.0


class _Holders:
    """Who holds it off now: it goes on when the last of them has ended, as it was found by the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._was_running = False
        self._since = 0.0

    def begin(self) -> None:
        with self._lock:
            self._count += 1
            if self._count == 1:
                self._was_running, self._since = gc.isenabled(), time.monotonic()
                gc.disable()

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            now = time.monotonic()
            is_due = self._was_running and self._count and now - self._since > _LONGEST
            if is_due:
                self._since = now
            elif not self._count and self._was_running:
                gc.enable()
        if is_due:
            gc.collect(1)


_holders = _Holders()


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Hold the collector off while the block lasts: it is for seconds of work, never for waiting.

    Whoever has stopped the collector finds it stopped. Many threads may do this at once, one may do it inside
    another; where their blocks overlap without end, the new objects are looked at every ten seconds all the same.
    """
    _holders.begin()
    try:
        yield
    finally:
        _holders.end()
