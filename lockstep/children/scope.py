"""Whose the children are, until when they may live, and how somebody ends one from another thread."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from lockstep import leash


class Scope:
    """The children of one piece of work, and until when they may live. Safe to share between threads.

    Args:
        until: The moment at which the lease of the work ends, as ``time.monotonic`` tells it; 0: it has none.
            It is a moment and not a duration, so that no pause between setting and reading it makes it later.
    """

    def __init__(self, *, until: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._until = until
        self._controls: set[int] = set()
        self._fleeting: set[Callable[[], None]] = set()
        self._closed = False

    @property
    def until(self) -> float:
        """The end of the lease; 0: there is none."""
        return self._until

    @property
    def lost(self) -> bool:
        """Whether the lease ended, or somebody killed the children."""
        return self._closed or 0 < self._until <= time.monotonic()

    def renew(self, until: float) -> None:
        """The lease was extended: let the children live on until this moment."""
        with self._lock:
            self._until = until
            for control in self._controls:
                with contextlib.suppress(BrokenPipeError, BlockingIOError):
                    os.write(control, leash.renewal(until))

    def kill(self) -> None:
        """Kill every child, and any that is started from now on."""
        with self._lock:
            self._closed = True
            for control in self._controls:
                os.close(control)
            self._controls.clear()
            for end in self._fleeting:
                end()

    @contextlib.contextmanager
    def charge(self, end: Callable[[], None]) -> Iterator[None]:
        """Take charge of a child without a leash while the block lasts: ``end`` kills it."""
        with self._lock:
            self._fleeting.add(end)
            if self._closed:
                end()
        try:
            yield
        finally:
            with self._lock:
                self._fleeting.discard(end)
            end()

    def add(self, control: int) -> None:
        """Take charge of a child by the writing end of its leash."""
        with self._lock:
            if self._closed:
                os.close(control)
            else:
                self._controls.add(control)

    def remove(self, control: int) -> None:
        """Let go of a child: it ends if it has not."""
        with self._lock:
            if control in self._controls:
                self._controls.discard(control)
                os.close(control)


_current: ContextVar[Scope | None] = ContextVar("lockstep_children", default=None)


@contextlib.contextmanager
def scope(of: Scope) -> Iterator[Scope]:
    """Everything started inside belongs to this scope; at the end nothing of it is left."""
    token = _current.set(of)
    try:
        yield of
    finally:
        _current.reset(token)
        of.kill()


def current() -> Scope | None:
    """The scope that what is started now belongs to; None outside of one."""
    return _current.get()


class Stop:
    """Ends, from another thread, the one command that was given it; a command that begins later ends at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kill: Callable[[], None] | None = None
        self._asked = False

    @property
    def asked(self) -> bool:
        """Whether somebody wanted the command to end."""
        return self._asked

    def __call__(self) -> None:
        """End the command, with everything that it started."""
        with self._lock:
            self._asked = True
            if self._kill is not None:
                self._kill()

    def arm(self, kill: Callable[[], None] | None) -> None:
        """Say how the command is ended; None once it has ended by itself."""
        with self._lock:
            self._kill = kill
            if kill is not None and self._asked:
                kill()
