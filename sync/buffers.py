"""Bytes that wait for a slow site: how many there may be."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator

from lockstep import errors
from lockstep.sites import ends

# A blob of this size comes in one chunk, whose bytes all sites share.
_SMALL_BYTES = 2**19


def is_small(blob: ends.Descriptor) -> bool:
    """Whether little of a blob can wait anywhere: it goes beside the large ones, with many others of its kind."""
    return blob.size <= _SMALL_BYTES


class LaggingError(errors.UnreachableError):
    """A site was slower than the others could wait for."""


class Room:
    """Bytes that may wait for one site, over all its inboxes. Safe to share between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._used = 0
        self._changed = threading.Condition()

    def take(self, amount: int, inbox: Inbox, *, wait_seconds: float | None) -> bool:
        """Take room, when there is some in time; an empty room takes anything. False when the inbox closed."""
        with self._changed:
            self._changed.wait_for(lambda: inbox.closed or self._fits(amount), wait_seconds)
            if inbox.closed or not self._fits(amount):
                return False
            self._used += amount
            return True

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits here."""
        return not self._used

    def give(self, amount: int) -> None:
        """Give room back, and wake those that wait for it."""
        with self._changed:
            self._used -= amount
            self._changed.notify_all()

    def _fits(self, amount: int) -> bool:
        return not self._used or self._used + amount <= self._size


class Inbox:
    """One blob's bytes on their way to one site, in order, and how they end. One thread puts, one reads."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._waiting: queue.SimpleQueue[bytes | BaseException | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._held = 0
        self.closed = False
        self.ended = False
        self.broken = False

    def put(self, chunk: bytes) -> None:
        """Bytes for which room was taken."""
        with self._lock:
            if not self.closed:
                self._waiting.put(chunk)
                return
        self._room.give(len(chunk))

    def end(self) -> None:
        """All bytes were put."""
        self.ended = True
        self._waiting.put(None)

    def abort(self, error: BaseException) -> bool:
        """The rest will not come; False when nobody waits for it: it ended, or was closed."""
        with self._lock:
            self.broken = self.broken or not (self.ended or self.closed)
        self._waiting.put(error)
        return self.broken

    def close(self) -> None:
        """Take nothing more, and give back the room of what was not written. A reader that waits is told."""
        with self._lock:
            self.closed = True
            left, self._held = self._held, 0
            with contextlib.suppress(queue.Empty):
                while True:
                    item = self._waiting.get_nowait()
                    left += len(item) if isinstance(item, bytes) else 0
        self._waiting.put(LaggingError("The rest was not waited for."))
        self._room.give(left)

    def __iter__(self) -> Iterator[bytes]:
        while (item := self._waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            self._held = len(item)
            yield item
            with self._lock:
                read, self._held = self._held, 0
            self._room.give(read)
