"""What has been over for long is removed, so that the database does not grow for ever.

A step removes so much that its transactions stay short; the job runs again at once while there is more. Two
workers that do this at the same moment are no harm: what one of them is removing is passed over by the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from lockstep import settings, work
from lockstep.engine.queue import Queue
from lockstep.engine.tables import State
from lockstep.store import deliveries, notices
from lockstep.store.database import Database

# Rows of each kind in one step.
_STEP = 1000
_TROUBLED = (State.FAILED, State.ASIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What the sweep stands on."""

    database: Database
    queue: Queue
    keeping: settings.Keeping
    step: int = _STEP
    """Rows of each kind that are removed in one transaction."""


def handle_sweep(retention: Retention, _claim: work.Claim) -> work.Outcome:
    """Remove what is older than it has to be kept: ended jobs, deliveries that were worked off, messages.

    Returns:
        Done when nothing is left to remove; else later, at once.

    Raises:
        TemporaryError: The database cannot be written just now.
    """
    steps = (_remove_jobs, _remove_troubled_jobs, _remove_deliveries, _remove_messages)
    removed = [step(retention) for step in steps]
    if max(removed) >= retention.step:
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


def _remove_deliveries(retention: Retention) -> int:
    older_than = timedelta(days=retention.keeping.deliveries_days)
    with retention.database.write() as connection:
        before = retention.queue.now(connection) - older_than
        return deliveries.forget(connection, before=before, most=retention.step)


def _remove_messages(retention: Retention) -> int:
    older_than = timedelta(days=retention.keeping.messages_days)
    with retention.database.write() as connection:
        before = retention.queue.now(connection) - older_than
        return notices.forget(connection, before=before, most=retention.step)
