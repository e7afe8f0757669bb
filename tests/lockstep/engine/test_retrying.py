"""What becomes of a job that failed."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors, settings
from lockstep.engine import retrying

WORKING = settings.Working(backoff_seconds=2.0, longest_backoff_seconds=300.0)


def wait(error: Exception, *, failures: int = 1, attempts: int = 5, seed: int = 0) -> float | None:
    """How long a job waits that failed with this error."""
    draw = random.Random(seed)  # noqa: S311 - the test repeats it
    return retrying.wait_before_retry(error, failures=failures, attempts=attempts, working=WORKING, draw=draw)


@given(st.integers(1, 10_000), st.integers(0, 99))
def test_the_wait_grows_within_its_bounds(failures: int, seed: int) -> None:
    """The wait is between half the back-off and all of it, and the back-off doubles up to its bound."""
    seconds = wait(errors.UnreachableError("no answer"), failures=failures, attempts=20_000, seed=seed)
    backoff = min(2.0 * 2.0 ** min(failures - 1, 100), 300.0)
    assert seconds is not None
    assert backoff / 2 <= seconds <= backoff


@pytest.mark.parametrize("error", [errors.UnreachableError("no answer"), KeyError("x")])
def test_the_last_attempt_is_the_last(error: Exception) -> None:
    """A job is given up with its last attempt, whether the error was temporary or unexpected."""
    assert wait(error, failures=4) is not None
    assert wait(error, failures=5) is None


@pytest.mark.parametrize("error", [errors.ForbiddenError("no"), errors.HeldError("held"), errors.InputError("bad")])
def test_an_answer_is_not_asked_for_again(error: Exception) -> None:
    """An error of the tree that is not temporary is final at once."""
    assert wait(error) is None


@pytest.mark.parametrize(("asked", "least", "most"), [(120.0, 120.0, 120.0), (0.0, 1.0, 2.0), (-5.0, 1.0, 2.0)])
def test_a_server_is_given_the_time_it_asks_for(asked: float, least: float, most: float) -> None:
    """A throttled job waits as long as the server said, and never less than the back-off."""
    seconds = wait(errors.ThrottledError("not now", wait_seconds=asked))
    assert seconds is not None
    assert least <= seconds <= most


@pytest.mark.parametrize("asked", [1e308, math.inf, math.nan])
def test_no_server_can_put_a_job_off_for_ever(asked: float) -> None:
    """A hostile pause is cut to an hour."""
    seconds = wait(errors.ThrottledError("not now", wait_seconds=asked))
    assert seconds is not None
    assert seconds <= 3600.0


def test_an_error_of_the_tree_speaks_for_itself() -> None:
    """Its message and its remedy are what people read."""
    assert retrying.describe(errors.InputError("It is bad.", remedy="Mend it.")) == "It is bad. Mend it."


def test_an_unexpected_error_names_its_type_and_our_line() -> None:
    """Whoever has to mend it finds the place, and no traceback."""
    try:
        "".index("x")
    except ValueError as error:
        text = retrying.describe(error)
    assert text.startswith("ValueError: substring not found (tests/lockstep/engine/test_retrying.py:")
    assert "\n" not in text


def test_a_long_message_is_cut() -> None:
    """A message of a megabyte does not fill the page that shows it."""
    assert len(retrying.describe(RuntimeError("x" * 2**20))) < 3000
