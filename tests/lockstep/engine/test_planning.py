"""Which jobs may start."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from lockstep.engine import planning

LIMITS = {"a": 1, "b": 2, "c": 0}
KEYS = st.lists(st.sampled_from(["a:1", "a:2", "b:1", "c:1", "d:1"]), unique=True, max_size=3).map(tuple)
LINES = st.lists(KEYS, max_size=20).map(lambda keys: list(enumerate(keys)))
RUNNING = st.dictionaries(st.sampled_from(["a:1", "b:1", "d:1"]), st.integers(0, 2))


@given(LINES, RUNNING, st.integers(0, 8))
def test_no_key_gets_more_than_its_limit(
    line: list[tuple[int, tuple[str, ...]]], running: dict[str, int], room: int
) -> None:
    """What starts never takes a key beyond its limit, and never more than the room."""
    plan = planning.plan(line, running=running, limits=LIMITS, room=room)
    keys = dict(line)
    started = Counter(key for job in plan.start for key in keys[job])
    assert all(running.get(key, 0) + count <= planning.most_under(key, LIMITS) for key, count in started.items())
    assert len(plan.start) <= room


@given(LINES, RUNNING)
def test_whoever_waits_waits_for_a_full_key_of_its_own(
    line: list[tuple[int, tuple[str, ...]]], running: dict[str, int]
) -> None:
    """With room for all, each job starts or waits for one of its keys, and that key is full at the end."""
    plan = planning.plan(line, running=running, limits=LIMITS, room=len(line) + 1)
    keys = dict(line)
    taken = Counter(running) + Counter(key for job in plan.start for key in keys[job])
    assert set(plan.start) | plan.wait.keys() == keys.keys()
    assert not set(plan.start) & plan.wait.keys()
    assert all(key in keys[job] and taken[key] >= planning.most_under(key, LIMITS) for job, key in plan.wait.items())


def test_a_blocked_job_does_not_hold_up_those_behind_it() -> None:
    """Jobs behind a blocked one start, in their order."""
    line = [(1, ("a:1",)), (2, ("a:1",)), (3, ("a:2",)), (4, ())]
    plan = planning.plan(line, running={}, limits=LIMITS, room=9)
    assert plan.start == (1, 3, 4)
    assert plan.wait == {2: "a:1"}


def test_jobs_beyond_the_room_are_left_as_they_are() -> None:
    """Nobody is made to wait for a key by a claim that had no room for it."""
    plan = planning.plan([(1, ("a:1",)), (2, ("a:1",))], running={}, limits=LIMITS, room=1)
    assert plan.wait == {}
