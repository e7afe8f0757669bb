"""The job of a custom task: a built-in is called, and what it says is written down."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection

from lockstep import crash, errors, values, work
from lockstep import documents as yaml
from lockstep.store import approvals, runs, tasks
from lockstep.store import database as databases
from pipelines import endings, results, timing
from pipelines.admission import Refusal
from pipelines.documents import value_of
from pipelines.endings import Ended
from pipelines.local import folders, machine, trees
from pipelines.orders import Order
from pipelines.records import Record
from pipelines.service import Service
from pipelines.tasks import Again, Context, Failed, Finished, Outcome, Waiting

# A built-in may ask whether it is wanted as often as it likes; the database is asked this often.
_ASK_SECONDS = 0.5


def work_on(service: Service, claim: work.Claim, task: tasks.Task) -> work.Outcome:
    """Call the built-in of a task, and write down what it says.

    Raises:
        TemporaryError: It may succeed later, and may still be tried.
    """
    effects: list[work.Effect] = []
    try:
        outcome = _call(service, claim, task, effects)
    except errors.LostWorkError:
        raise
    except errors.TemporaryError as error:
        if claim.attempt < work.run_task(task.id).attempts:
            raise
        outcome = Failed(reason="Failed", message=f"{error} It was tried {claim.attempt} times.")
    except errors.LockstepError as error:
        outcome = Failed(reason="Failed", message=str(error))
    except Refusal as refusal:
        outcome = Failed(reason=refusal.reason, message=refusal.message)
    return _written(service, task, outcome, tuple(effects))


def _call(service: Service, claim: work.Claim, task: tasks.Task, effects: list[work.Effect]) -> Outcome:
    with service.database.read() as connection:
        order = Order.of_json(tasks.spec(connection, task.id))
        told = _told(connection, service, task)
    builtin = service.builtins.find(order.api_version, order.kind)
    identity = machine.identity(task.run, service.stepping.user)
    maker = folders.Maker(run=service.folder(task.run), identity=identity, keys=service.runner.keys)
    workspaces = maker.workspaces(f"{task.id}-{task.attempt}", order)
    record = Record(service=service, claim=claim, task=task)
    with record.log(task.pipeline_task) as log:
        context = Context(
            run=told.run,
            task=task,
            params={name: value_of(value) for name, value in task.params.items()},
            spec=order.custom_spec,
            workspaces=workspaces,
            results={one.pipeline_task: results.values(one.results) for one in told.before},
            details={one.pipeline_task: one.detail for one in told.before if one.custom},
            plan=told.plan,
            answers=told.answers,
            identity=identity,
            log=log.say,
            cancelled=_asking(service, task.id),
            deadline=timing.deadline(order, task),
            effects=effects,
        )
        said = builtin.run(context)
    if identity is not None:
        for path in workspaces.values():
            trees.hand_over(path, identity)
    return said


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the database knows of a task's surroundings."""

    run: runs.Run
    before: tuple[tasks.Task, ...]
    plan: str
    answers: tuple[approvals.Approval, ...] = field(default=())


def _told(connection: Connection, service: Service, task: tasks.Task) -> _Told:
    snapshot = service.runs.prepared(connection, task.run).snapshot
    since = task.started_at
    answered = [one for one in approvals.of_task(connection, task.id) if one.state in ("approved", "rejected")]
    return _Told(
        run=runs.get(connection, task.run),
        before=tuple(one for one in tasks.of_run(connection, task.run) if one.state == "ended"),
        plan=values.sha256(yaml.canonical([snapshot.pipeline, dict(snapshot.tasks)])),
        answers=tuple(one for one in answered if since is None or one.asked_at >= since),
    )


def _asking(service: Service, task: int) -> Callable[[], str]:
    """What the run wants of a task; asked of the database now and then."""
    asked, last = "", 0.0

    def ask() -> str:
        nonlocal asked, last
        now = time.monotonic()
        if not asked and now - last >= _ASK_SECONDS:
            last = now
            with service.database.read() as connection:
                asked = tasks.asked(connection, task)
        return asked

    return ask


def _written(service: Service, task: tasks.Task, outcome: Outcome, effects: tuple[work.Effect, ...]) -> work.Outcome:
    if isinstance(outcome, Again):
        return work.Later(seconds=outcome.seconds, reason=outcome.why, effects=effects)
    if isinstance(outcome, Waiting):
        return work.Done(effects=(*effects, lambda connection: _ask(connection, service, task, outcome)))
    ended = Ended(
        status="True" if isinstance(outcome, Finished) else "False",
        reason=outcome.reason,
        message=outcome.message,
        results=outcome.results,
        detail=outcome.detail,
    )
    return work.Done(effects=(*effects, lambda connection: endings.end(connection, service.runs, task.id, ended)))


def _ask(connection: Connection, service: Service, task: tasks.Task, waiting: Waiting) -> None:
    """Store the question; the run may give way to a newer one at once."""
    question = approvals.Question(
        run=task.run,
        task=task.id,
        kind=waiting.kind,
        question=waiting.question,
        bound=waiting.bound,
        approvers=waiting.approvers,
        barred=waiting.barred,
        needed=waiting.needed,
    )
    endings.wait(connection, service.runs, question, detail=waiting.detail)
    databases.after_commit(connection, lambda: crash.reach(crash.Point.IN_APPROVAL))
