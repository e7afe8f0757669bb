"""Many questions, a few at once."""

from __future__ import annotations

import threading
import tracemalloc

import pytest

from lockstep import errors
from sync import beside


@pytest.mark.parametrize("count", [0, 1, 5, 100])
def test_answers_come_in_the_order_of_the_questions(count: int) -> None:
    """However many are asked at once, also when there are fewer questions than may be asked."""
    assert beside.answers(lambda number: number * 2, range(count), looks=8) == [number * 2 for number in range(count)]


def test_no_more_are_asked_at_once_than_may_be() -> None:
    """All that may are: each of them waits for the others."""
    together = threading.Barrier(4)
    running, most, lock = 0, 0, threading.Lock()

    def ask(_number: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(30)
        with lock:
            running -= 1

    beside.answers(ask, range(16), looks=4)
    assert most == 4


def test_after_an_error_nothing_more_is_asked() -> None:
    """What was raised is raised; a site that does not answer is not asked for the rest."""
    asked = []

    def ask(number: int) -> None:
        asked.append(number)
        raise errors.UnreachableError("Nobody answers.")

    with pytest.raises(errors.UnreachableError):
        beside.answers(ask, range(1000), looks=3)
    assert 1 <= len(asked) <= 3


def test_a_hundred_thousand_questions_take_the_memory_of_their_answers() -> None:
    """No future is kept for each of them."""
    tracemalloc.start()
    try:
        beside.answers(lambda _number: None, range(100_000), looks=16)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30 * 2**20
