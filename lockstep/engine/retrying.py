"""What becomes of a job that failed: again, when, or never. Pure."""

from __future__ import annotations

import random
import traceback
from pathlib import Path

from lockstep import errors, settings

# A server that asks for a longer pause is asked again after this.
_LONGEST_PAUSE_SECONDS = 3600.0
# What a person reads of one error; the middle of a longer one says nothing more.
_LONGEST_MESSAGE = 2000
_ROOT = Path(__file__).parents[2]


def wait_before_retry(
    error: BaseException, *, failures: int, attempts: int, working: settings.Working, draw: random.Random
) -> float | None:
    """Seconds until the job runs again; None when it is given up.

    Only temporary and unexpected errors are tried again: any other of the tree is an answer. The wait doubles
    with each failure and is drawn from its upper half, so that jobs which failed together do not return
    together. A server that said how long to wait is given that long.

    Args:
        error: Why it failed.
        failures: How often it has failed, this time included.
        attempts: How often it may.
        working: The back-off and its bound.
        draw: Where the jitter comes from.
    """
    is_answer = isinstance(error, errors.LockstepError) and not isinstance(error, errors.TemporaryError)
    if is_answer or failures >= attempts:
        return None
    # The exponent is bounded because a float is: 2**20 back-offs are beyond any bound of theirs.
    backoff = min(working.backoff_seconds * 2.0 ** min(failures - 1, 20), working.longest_backoff_seconds)
    wait = backoff * draw.uniform(0.5, 1.0)
    if isinstance(error, errors.ThrottledError):
        wait = max(wait, min(error.wait_seconds, _LONGEST_PAUSE_SECONDS))
    return wait


def describe(error: BaseException) -> str:
    """What a person is told of an error.

    An error of the tree speaks for itself. An unexpected one is told with its type and the place it came from,
    for whoever has to mend it; never with a traceback.
    """
    if isinstance(error, errors.LockstepError):
        text = str(error)
    else:
        text = ": ".join(filter(None, (type(error).__name__, str(error)))) + _place(error)
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…"


def _place(error: BaseException) -> str:
    """The innermost of our own lines that the error came through."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(_ROOT):
            return f" ({file.relative_to(_ROOT)}:{frame.lineno})"
    return ""
