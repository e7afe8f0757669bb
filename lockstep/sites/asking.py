"""Asking several places the same, where some may not answer: nobody waits long for those once another has.

A place that is refused says so at once; one that stands still says nothing for as long as it is waited for. What is
asked goes on in the background until it ends by itself.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from lockstep import errors

_Answer = TypeVar("_Answer")


class Asking:
    """Asks places by name, and remembers who kept others waiting. Safe to share between threads.

    Args:
        grace_seconds: How long others may take, once one has answered.
        rest_seconds: How long one that took longer is asked only where nobody else answers.
    """

    def __init__(self, *, grace_seconds: float = 5.0, rest_seconds: float = 60.0) -> None:
        self._grace = grace_seconds
        self._rest = rest_seconds
        self._resting: dict[str, float] = {}
        self._lock = threading.Lock()

    def answers(self, asks: Mapping[str, Callable[[], _Answer | None]]) -> dict[str, _Answer]:
        """What they answer, in the order in which they were named; who has nothing to say, or fails, is left out.

        Args:
            asks: Asks a place, by its name.
        """
        now = time.monotonic()
        with self._lock:
            resting = {name for name in asks if self._resting.get(name, now) > now}
        found = self._asked({name: ask for name, ask in asks.items() if name not in resting})
        return found or self._asked({name: ask for name, ask in asks.items() if name in resting})

    def _asked(self, asks: Mapping[str, Callable[[], _Answer | None]]) -> dict[str, _Answer]:
        told: queue.SimpleQueue[tuple[str, _Answer | None]] = queue.SimpleQueue()
        for name, ask in asks.items():
            # A thread that nobody waits for: the end of the process does not wait for a place that stands still.
            target, arguments = contextvars.copy_context().run, (_ask, name, ask, told)
            threading.Thread(target=target, args=arguments, name=f"asking-{name}", daemon=True).start()
        found: dict[str, _Answer] = {}
        waiting, until = set(asks), float("inf")
        while waiting:
            left = until - time.monotonic()
            try:
                name, answer = told.get(timeout=None if left == float("inf") else max(0.0, left))
            except queue.Empty:
                break
            waiting.discard(name)
            if answer is not None:
                found[name] = answer
                until = min(until, time.monotonic() + self._grace)
        with self._lock:
            self._resting.update(dict.fromkeys(waiting, time.monotonic() + self._rest))
        return {name: found[name] for name in asks if name in found}


def _ask(name: str, ask: Callable[[], _Answer | None], told: queue.SimpleQueue[tuple[str, _Answer | None]]) -> None:
    answer = None
    try:
        answer = ask()
    except errors.LockstepError:
        pass  # whoever asks says so, where nobody answers
    finally:
        told.put((name, answer))
