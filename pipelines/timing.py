"""When the time of one attempt of a task is over. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from lockstep.store import tasks
from pipelines.documents import durations
from pipelines.orders import Order


def limit(order: Order, task: tasks.Task) -> timedelta | None:
    """How long an attempt may take; None without a limit of its own.

    A task that waits for a person takes its limit from the param ``timeout`` where the pipeline gives it none.
    """
    if order.timeout_seconds is not None:
        return timedelta(seconds=order.timeout_seconds)
    said = task.params.get("timeout") if task.custom else None
    if not isinstance(said, str):
        return None
    try:
        return durations.parse(said) or None
    except ValueError:
        return None


def deadline(order: Order, task: tasks.Task) -> datetime | None:
    """When the time of this attempt is over; None without a limit, or before it began."""
    may_take = limit(order, task)
    return task.started_at + may_take if may_take is not None and task.started_at is not None else None
