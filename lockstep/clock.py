"""Time, passed in and never taken from the air, so that tests do not wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Wall time is aware UTC; ``monotonic`` is in seconds from an arbitrary start."""

    def now(self) -> datetime:
        """The wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        ...


_AHEAD = timedelta(minutes=1)


def is_within(at: datetime, *, now: datetime, most: timedelta) -> bool:
    """Whether something that was written down at a moment is no older than ``most``.

    What is more than a minute ahead is of a clock that was wrong, then or now, and may be of any age.
    """
    return -_AHEAD <= now - at <= most


def age_seconds(at: datetime, *, now: datetime) -> float:
    """How long ago something was written down; never less than nothing, whatever the clocks say."""
    return max(0.0, (now - at).total_seconds())


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The wall time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()
