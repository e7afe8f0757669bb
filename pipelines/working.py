"""The job that works on one task: its steps, on this machine; or a built-in."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from lockstep import errors, work
from lockstep.store import tasks
from pipelines import advancing, custom, endings, timing
from pipelines.documents import durations, value_of
from pipelines.endings import Ended
from pipelines.local import attempts, machine, scopes
from pipelines.orders import Order
from pipelines.records import Record, watching
from pipelines.service import Service


def handle_task(service: Service, claim: work.Claim) -> work.Outcome:
    """Run one task. One that has ended, or that its run does not want any more, is not begun.

    Raises:
        LostWorkError: Another worker has it now; what was done here is thrown away.
        TemporaryError: It may succeed later.
    """
    task = _begin(service, claim)
    if task is None:
        return work.Done()
    if task.asked:
        ended = cancelled(task, task.asked)
    elif task.custom:
        return custom.work_on(service, claim, task)
    else:
        ended = _run_steps(service, claim, task)
    return work.Done(effects=(lambda connection: endings.end(connection, service.runs, task.id, ended),))


def _begin(service: Service, claim: work.Claim) -> tasks.Task | None:
    """The task, marked as worked on; None when nothing is left to do."""
    with service.database.write() as connection:
        service.queue.hold(connection, claim)
        try:
            task = tasks.get(connection, claim.payload["task"])
        except errors.NotFoundError:
            return None  # its run was removed meanwhile
        if task.state in ("ended", "waiting"):
            return None
        return endings.begin(connection, service.runs, task)


def _run_steps(service: Service, claim: work.Claim, task: tasks.Task) -> Ended:
    with service.database.read() as connection:
        order = Order.of_json(tasks.spec(connection, task.id))
        snapshot = service.runs.prepared(connection, task.run).snapshot
        lost = _folders_are_elsewhere(connection, service, task, order)
    if lost:
        return Ended(status="False", reason="Failed", message=lost, final=True)
    uid = str(uuid.uuid5(uuid.UUID(snapshot.uid), task.name))
    job = attempts.Job(
        order=order,
        params={name: value_of(value) for name, value in task.params.items()},
        identity=scopes.Identity(name=task.name, namespace=snapshot.namespace, uid=uid, attempt=task.attempt),
        deadline=timing.deadline(order, task),
        folder=service.folder(task.run),
        user=machine.identity(task.run, service.stepping.user),
        key=f"{task.id}-{task.attempt}",
    )
    interrupt = attempts.Interrupt()
    with watching(service, task.id, interrupt):
        finished = service.runner.run(job, Record(service=service, claim=claim, task=task), interrupt)
    return _ended(task, order, finished, interrupt.asked)


def _folders_are_elsewhere(connection: Connection, service: Service, task: tasks.Task, order: Order) -> str:
    """Why a task cannot go on here: what earlier tasks wrote for it is on another machine. Empty when it can."""
    shares = any(folder.volume for folder in order.folders)
    before = [one for one in tasks.of_run(connection, task.run) if one.state == "ended" and one.id != task.id]
    if not shares or not before or service.folder(task.run).exists():
        return ""
    return "The folders of this run are not on this machine: let all workers share one state directory, or use Tekton."


def _ended(task: tasks.Task, order: Order, finished: attempts.Finished, asked: str) -> Ended:
    ended = Ended(status=finished.status, reason=finished.reason, message=finished.message)
    if asked in ("cancel", "timeout"):
        ended = cancelled(task, asked)
    elif asked == "late":
        limit = durations.write(timedelta(seconds=order.timeout_seconds or 0))
        message = f'TaskRun "{task.name}" failed to finish within "{limit}"'
        ended = Ended(status="False", reason="TaskRunTimeout", message=message)
    return replace(ended, results=finished.results, detail={"view": finished.view.value})


def cancelled(task: tasks.Task, asked: str) -> Ended:
    """How a task ends because its run wants it to."""
    reason, message = advancing.cancelled(task, asked)
    return Ended(status="False", reason=reason, message=message, final=True)
