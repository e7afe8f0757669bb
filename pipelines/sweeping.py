"""What nobody else does in time: limits that have passed, tasks whose job was given up, folders of ended runs."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from lockstep import errors, work
from lockstep.engine.tables import State
from lockstep.store import approvals, runs, tasks
from pipelines import advancing, endings, timing
from pipelines.documents import durations
from pipelines.endings import Ended
from pipelines.local import trees
from pipelines.orders import Order
from pipelines.service import Service

# Somebody who looks at a run that failed may want to look at its folders too.
_KEPT = timedelta(hours=1)


def handle_sweep(service: Service, claim: work.Claim) -> work.Outcome:  # noqa: ARG001 - a sweep has no payload
    """One pass over all runs that have not ended, and what is left of those that have."""
    end_overdue(service)
    _remove_folders(service)
    return work.Done()


def end_overdue(service: Service) -> None:
    """End what has taken too long or was given up, and let runs go on that nobody has asked."""
    _end_given_up(service)
    _end_unanswered(service)
    for run in _due(service):
        with service.database.write() as connection:
            service.runs.advance(connection, run)


def _due(service: Service) -> list[int]:
    """The runs that would go on if somebody asked: mostly because a limit has passed."""
    found = []
    with service.database.read() as connection:
        for run in runs.unended(connection):
            if run.state == "running":
                prepared = service.runs.prepared(connection, run.id)
                moment = advancing.Moment(run=run, prepared=prepared, now=service.clock.now())
                if advancing.is_due(connection, moment):
                    found.append(run.id)
    return found


def _end_given_up(service: Service) -> None:
    """A task whose job failed for good, or kept killing its worker, has failed: its run must not wait for ever."""
    for task, message in _given_up(service).items():
        with service.database.write() as connection:
            try:
                found = tasks.get(connection, task)
            except errors.NotFoundError:
                continue  # its run was removed meanwhile
            service.runs.lock(connection, found.run)
            # One that waits for a person has no job, and an answer gives it a new one.
            if tasks.get(connection, task).state in ("queued", "running"):
                ended = Ended(status="False", reason="Failed", message=f"It was given up: {message}", final=True)
                endings.end(connection, service.runs, task, ended)


def _given_up(service: Service) -> dict[int, str]:
    """The tasks of runs that go on whose job is in trouble, with why; however many jobs are."""
    with service.database.read() as connection:
        unended = {task.id for run in runs.unended(connection) for task in tasks.of_run(connection, run.id)}
    found: dict[int, str] = {}
    before: int | None = None
    while unended:
        page = service.queue.listing(states=(State.FAILED, State.ASIDE), before=before)
        of_tasks = [job for job in page if job.kind == work.Kind.TASK.value]
        found |= {int(job.payload["task"]): job.message for job in of_tasks if int(job.payload["task"]) in unended}
        if not page:
            break
        before = page[-1].id
    return found


def _end_unanswered(service: Service) -> None:
    """A question that has a limit of its own is closed when it has passed: nobody answering is a no."""
    with service.database.read() as connection:
        waiting = [
            (tasks.get(connection, one.task), Order.of_json(tasks.spec(connection, one.task)))
            for one in approvals.pending(connection)
        ]
    for task, order in waiting:
        until, limit = timing.deadline(order, task), timing.limit(order, task)
        if until is not None and limit is not None and service.clock.now() > until:
            message = f"nobody decided within {durations.write(limit)}"
            ended = Ended(status="False", reason="TimedOut", message=message, final=True)
            with service.database.write() as connection:
                _end_if_waiting(connection, service, task, ended)


def _end_if_waiting(connection: Connection, service: Service, task: tasks.Task, ended: Ended) -> None:
    """End a task unless somebody answered meanwhile. The locks are taken in the order that every answer takes them."""
    service.runs.lock(connection, task.run)
    if tasks.get(connection, task.id).state == "waiting":
        endings.end(connection, service.runs, task.id, ended)


def _remove_folders(service: Service) -> None:
    if not service.workspaces.is_dir():
        return
    now = service.clock.now()
    for folder in sorted(service.workspaces.iterdir()):
        if not folder.name.isdecimal():
            continue
        with service.database.read() as connection:
            try:
                run = runs.get(connection, int(folder.name))
            except errors.NotFoundError:
                run = None
        if run is None or (run.ended_at is not None and run.ended_at + _KEPT < now):
            trees.remove(folder)
