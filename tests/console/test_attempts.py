"""Signing in may be tried only so often."""

from __future__ import annotations

from console.attempts import Attempts
from tests.support.pages import Stopped


def test_ten_failures_in_a_minute_are_enough() -> None:
    """After ten an address waits until the first is a minute old; others do not wait for it."""
    clock = Stopped()
    attempts = Attempts(clock)
    for _ in range(10):
        assert attempts.wait_seconds("10.0.0.1") == 0
        attempts.failed("10.0.0.1")
        clock.seconds += 1
    assert attempts.wait_seconds("10.0.0.1") == 51
    assert attempts.wait_seconds("10.0.0.2") == 0
    clock.seconds += 51
    assert attempts.wait_seconds("10.0.0.1") == 0


def test_nobody_fills_the_memory_with_addresses() -> None:
    """Only so many addresses are remembered; the oldest is forgotten first."""
    attempts = Attempts(Stopped())
    for number in range(10_050):
        attempts.failed(str(number))
    assert len(attempts._failed) == 10_000
    assert "0" not in attempts._failed
