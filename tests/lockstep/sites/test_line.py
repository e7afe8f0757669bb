"""Bytes go no faster than a line may carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.sites.line import Pace


class _Time:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        """Pass."""
        self.now += seconds


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=20), st.floats(1e3, 1e9))
def test_no_stretch_of_bytes_is_faster_than_the_rate(sizes: list[int], rate: float) -> None:
    """Whatever the chunks, all but the last have had their time when the last may go."""
    time = _Time()
    pace = Pace(rate, now=lambda: time.now, sleep=time.sleep)
    for size in sizes:
        pace.wait(size)
    assert time.now - 100.0 == pytest.approx(sum(sizes[:-1]) * 8 / rate, rel=1e-6, abs=1e-6)


def test_a_line_that_rested_owes_nothing() -> None:
    """After a pause the next bytes go at once, and the pause is not saved up."""
    time = _Time()
    pace = Pace(8.0, now=lambda: time.now, sleep=time.sleep)
    pace.wait(10)
    time.sleep(1000)
    began = time.now
    pace.wait(1)
    assert time.now == began
    pace.wait(1)
    assert time.now == began + 1
