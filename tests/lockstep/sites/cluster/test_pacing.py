"""No second sees more requests than were agreed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lockstep.sites.cluster.pacing import Pace


@given(per_second=st.integers(1, 50), pauses=st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_no_second_sees_more_turns_than_were_agreed(per_second: int, pauses: list[float]) -> None:
    """However they are asked for: all at once, after a long silence, now and then."""
    pace, now, turns = Pace(per_second), 1000.0, []
    for pause in pauses:
        now += pause
        seconds = pace.turn(now, until=float("inf"))
        assert seconds is not None
        turns.append(now + seconds)
    assert turns == sorted(turns)
    for begin, end in zip(turns, turns[per_second:], strict=False):
        assert end - begin >= 1 - 1e-6


@given(per_second=st.integers(1, 50), count=st.integers(1, 100))
def test_a_turn_that_comes_too_late_is_not_taken(per_second: int, count: int) -> None:
    """Whoever cannot wait for it leaves it to others."""
    pace = Pace(per_second)
    for _ in range(count):
        pace.turn(0.0, until=float("inf"))
    assert pace.turn(0.0, until=(count - 0.5) / per_second) is None
    last = pace.turn(0.0, until=float("inf"))
    assert last is not None
    assert abs(last - count / per_second) < 1e-6


def test_without_a_bound_nobody_waits() -> None:
    """The server throttles by itself."""
    pace = Pace(None)
    assert [pace.turn(0.0, until=0.0) for _ in range(1000)] == [0.0] * 1000
