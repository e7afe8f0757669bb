"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Starts at a fixed moment. Both its times move together, or the wall alone, as when somebody sets it."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self.elapsed = 0.0

    def now(self) -> datetime:
        """The wall time."""
        return self.wall

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return self.elapsed

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.elapsed += seconds
        self.wall += timedelta(seconds=seconds)

    def leap(self, seconds: float) -> None:
        """Set the wall clock forward or back."""
        self.wall += timedelta(seconds=seconds)
