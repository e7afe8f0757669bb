"""When the next request to a server may begin, so that no second sees more than were agreed. Pure but for a lock."""

from __future__ import annotations

import threading


class Pace:
    """Gives turns to many threads, evenly spread: nothing is saved up for later.

    Args:
        per_second: Turns of a second; None when there is no bound.
    """

    def __init__(self, per_second: int | None) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._lock = threading.Lock()
        self._next = float("-inf")

    def turn(self, now: float, *, until: float) -> float | None:
        """Take the next turn: seconds until it comes; None, and nothing is taken, when it would come too late.

        Args:
            now: This moment, as ``time.monotonic`` tells it.
            until: The moment when it would be too late.
        """
        if not self._gap:
            return 0.0
        with self._lock:
            turn = max(self._next, now)
            if turn > until:
                return None
            self._next = turn + self._gap
        return turn - now
