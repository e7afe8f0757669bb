"""What has been over for long is removed, so that the database does not grow for ever.

A step removes so much that its transactions stay short; the job runs again at once while there is more. Two
workers that do this at the same moment are no harm: what one of them is removing is passed over by the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from lockstep import settings, work
from lockstep.engine.queue import Queue
from lockstep.engine.tables import State
from lockstep.store import deliveries, notices, outdated, parts, runs
from lockstep.store.database import Database

# Rows of each kind in one step.
_STEP = 1000
# A run brings its tasks, steps and logs along, which may be megabytes.
_STEP_OF_RUNS = 20
_TROUBLED = (State.FAILED, State.ASIDE)


class _Forget(Protocol):
    """Deletes so many at most of what was over before a moment, and says how many."""

    def __call__(self, connection: Connection, /, *, before: datetime, most: int) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What the sweep stands on."""

    database: Database
    queue: Queue
    keeping: settings.Keeping
    step: int = _STEP
    """Rows of each kind that are removed in one transaction."""


def handle_sweep(retention: Retention, _claim: work.Claim) -> work.Outcome:
    """Remove what is older than it has to be kept: ended jobs and runs, deliveries, messages, resolved findings.

    And what images consist of that no site has any more.

    Returns:
        Done when nothing is left to remove; else later, at once.

    Raises:
        TemporaryError: The database cannot be written just now.
    """
    removed = (
        _remove_jobs(retention) >= retention.step,
        _remove_troubled_jobs(retention) >= retention.step,
        _remove(retention, deliveries.forget, retention.keeping.deliveries_days, most=retention.step),
        _remove(retention, notices.forget, retention.keeping.messages_days, most=retention.step),
        _remove(retention, outdated.forget, retention.keeping.findings_days, most=retention.step),
        _remove(retention, parts.forget, retention.keeping.findings_days, most=retention.step),
        _remove(retention, runs.forget, retention.keeping.runs_days, most=min(retention.step, _STEP_OF_RUNS)),
    )
    if any(removed):
        return work.Later(seconds=0.0, reason="There is more to remove.")
    return work.Done()


def _remove_jobs(retention: Retention) -> int:
    older_than = timedelta(days=retention.keeping.jobs_days)
    with retention.database.write() as connection:
        return retention.queue.prune(connection, older_than, most=retention.step)


def _remove_troubled_jobs(retention: Retention) -> int:
    older_than = timedelta(days=retention.keeping.troubled_jobs_days)
    with retention.database.write() as connection:
        return retention.queue.prune(connection, older_than, states=_TROUBLED, most=retention.step)


def _remove(retention: Retention, forget: _Forget, days: float, *, most: int) -> bool:
    """Remove what was over before so many days; whether there may be more."""
    with retention.database.write() as connection:
        before = retention.queue.now(connection) - timedelta(days=days)
        return forget(connection, before=before, most=most) >= most
