"""When an end is given up: it says "not now", or it does not answer time after time."""

from __future__ import annotations

import threading

from lockstep import errors

# One broken thing (a blob that a registry's storage has lost, say) is asked for in vain wherever it is shared, and is
# no reason to leave everything else. Of an end that is gone, this many are on their way at once and end at once.
_MOST = 8


class Silence:
    """Counts how often in a row one end did not answer. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def after(self, error: BaseException | None) -> bool:
        """Take in how something ended; whether the end is to be given up: all the rest would wait to learn the same."""
        with self._lock:
            self._count = self._count + 1 if isinstance(error, errors.UnreachableError) else 0
            return self._count >= _MOST or isinstance(error, errors.ThrottledError)
