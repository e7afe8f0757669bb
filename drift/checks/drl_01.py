"""DRL-01: a drill of the pair ended well not long ago. A drill is a run that succeeded, never a document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from drift.checks import answers
from drift.checks.facts import Whole
from drift.checks.results import Outcome, Said, Severity, moment

ID = "DRL-01"
EVERY = timedelta(days=365)
# Of the time that a drill counts, so much passes before the next one is asked for (300 of 365 days).
_WARN = 300 / 365
_FIX = "Run the pipeline of the pair's Drill to its end."


def run(whole: Whole) -> Iterator[Said]:
    """How long ago a drill ended well."""
    if whole.drilled_at is None:
        yield Said(outcome=Outcome.FAIL, severity=Severity.BLOCKER, message="the pair was never drilled", fix=_FIX)
        return
    age, every = whole.now - whole.drilled_at, whole.drill_every or EVERY
    message = f"the last drill ended well {age.days} days ago"
    if age > every:
        yield Said(outcome=Outcome.FAIL, message=message, dr=moment(whole.drilled_at), fix=_FIX)
    elif age > every * _WARN:
        yield Said(outcome=Outcome.WARN, message=message, dr=moment(whole.drilled_at), fix=_FIX)
    else:
        yield answers.passed(message, dr=moment(whole.drilled_at))
