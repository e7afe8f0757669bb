"""How a task ends: written with its steps' results, tried again, or handed to its run. In the job's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from lockstep import work
from lockstep.store import approvals, tasks
from lockstep.values import Json
from pipelines import advancing, documents, results
from pipelines.orders import Order
from pipelines.run import Runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one attempt of a task ended. ``status`` is True or False."""

    status: str
    reason: str
    message: str
    results: Mapping[str, documents.Value] = field(default_factory=dict)
    detail: Mapping[str, Json] = field(default_factory=dict)
    final: bool = False
    """It is not tried again, whatever its retries are: somebody ended it."""


def begin(connection: Connection, runs: Runs, task: tasks.Task) -> tasks.Task:
    """A task is worked on now; as it stands then."""
    now = runs.clock.now()
    values = {"state": "running", "status": "Unknown", "reason": "Running", "started_at": task.started_at or now}
    message = "Not all Steps in the Task have finished executing" if not task.custom else ""
    tasks.change(connection, task.id, message=message, **values)
    return tasks.get(connection, task.id)


def wait(
    connection: Connection, runs: Runs, question: approvals.Question, *, detail: Mapping[str, Json] | None = None
) -> None:
    """A task waits for a person: the question is stored, and the run sees whether it has to give way.

    A task that its run wants to end asks nobody.
    """
    found = tasks.get(connection, question.task)
    if found.asked:
        advancing.end_cancelled(connection, found, found.asked, at=runs.clock.now())
    else:
        approvals.ask(connection, question, at=runs.clock.now())
        values = {"state": "waiting", "reason": "Waiting", "message": question.question}
        tasks.change(connection, found.id, detail={**found.detail, **(detail or {})}, **values)
    runs.advance(connection, question.run)


def end(connection: Connection, runs: Runs, task: int, ended: Ended) -> None:
    """An attempt of a task has ended: try it again, or let its run go on. Nothing of one that has ended already."""
    found = tasks.get(connection, task)
    if found.state == "ended":
        return
    for approval in approvals.of_task(connection, task):
        approvals.close(connection, approval.id, "cancelled", at=runs.clock.now())
    order = Order.of_json(tasks.spec(connection, task))
    if ended.status == "False" and not ended.final and found.attempt < order.retries:
        _try_again(connection, runs, found, ended)
        return
    ignored = ended.status == "False" and order.ignores_failure and not ended.final
    tasks.change(
        connection,
        task,
        state="ended",
        status=ended.status,
        reason="FailureIgnored" if ignored else ended.reason,
        message=ended.message,
        results=results.as_json(ended.results),
        detail={**found.detail, **ended.detail},
        ended_at=runs.clock.now(),
    )
    runs.advance(connection, found.run)


def _try_again(connection: Connection, runs: Runs, task: tasks.Task, ended: Ended) -> None:
    """The attempt is archived as Tekton does it; its results are gone, its steps stay under its number."""
    now = runs.clock.now()
    attempt = {
        "attempt": task.attempt,
        "status": ended.status,
        "reason": ended.reason,
        "message": ended.message,
        "results": results.as_json(ended.results),
        "startedAt": task.started_at.isoformat() if task.started_at else None,
        "endedAt": now.isoformat(),
    }
    tasks.change(
        connection,
        task.id,
        state="queued",
        status="Unknown",
        reason="ToBeRetried",
        message=ended.message,
        attempt=task.attempt + 1,
        retries=[*task.retries, attempt],
        results=[],
        started_at=None,
    )
    runs.queue.enqueue(connection, work.run_task(task.id))
    runs.advance(connection, task.run)
