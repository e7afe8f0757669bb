"""Moments of a server's store, as its resource versions tell them: whether an answer goes back behind an earlier one.

A server that lags behind the others of its cluster answers with what was once true; so does one that was restored
from a backup, and there it is true again. Which of the two it is nobody can say at once: an older answer is refused,
and believed when the server still gives it after a while. Source: KEP-5504, "Comparable Resource Version": resource
versions are numbers that grow. What is no number is never taken for older.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from lockstep import errors

# Revisions of etcd have 64 bits.
_MOST_DIGITS = 20


def is_before(one: str, other: str) -> bool:
    """Whether a resource version is of an earlier moment than another; False when nobody can say. Pure."""
    first, second = _number(one), _number(other)
    return first is not None and second is not None and first < second


def _number(version: str) -> int | None:
    return int(version) if version.isascii() and version.isdecimal() and len(version) <= _MOST_DIGITS else None


@dataclass(slots=True, kw_only=True)
class Newest:
    """The newest moment that answers about one thing were of. Safe to share between threads."""

    _version: str = ""
    _refused_since: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, version: str, *, what: str, now: float, patience: float) -> None:
        """Take an answer of some moment.

        Args:
            version: Its resource version.
            what: What it is about, for the message.
            now: The time, as ``time.monotonic`` tells it.
            patience: Seconds after which an older answer is believed.

        Raises:
            FaultError: It is of an earlier moment than one before.
        """
        with self._lock:
            since = self._refused_since
            if is_before(version, self._version) and (since is None or now - since < patience):
                self._refused_since = now if since is None else since
                raise errors.FaultError(
                    f"The {what} are told as they were at {version}, which is before {self._version}.",
                    remedy="Look whether one of its API servers lags behind. What was restored is believed soon.",
                )
            self._version, self._refused_since = version or self._version, None
