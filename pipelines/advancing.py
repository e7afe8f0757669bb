"""One step of one run: what the graph decides is written down, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from lockstep import work
from lockstep.store import approvals, deployments, runs, tasks
from lockstep.values import Json
from pipelines import elapsed, graph, orders, results
from pipelines.documents import Value, as_json
from pipelines.plans import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A run at one moment: what it is, how it stands, and when that is."""

    run: runs.Run
    prepared: Prepared = field(repr=False)
    now: datetime


def step(connection: Connection, moment: Moment) -> list[work.Job]:
    """Start, end and write down what is due; the jobs that run what was started.

    The run's row is locked, and it has started.
    """
    if moment.prepared.plan is None:
        assert moment.prepared.refused is not None  # noqa: S101 - it is one or the other
        _write(connection, moment, graph.Decision(condition=moment.prepared.refused))
        return []
    while True:
        started = tasks.of_run(connection, moment.run.id)
        decision = _decide(moment, _facts(connection, moment, started), started)
        if not _stop(connection, moment, decision, started):
            break
    jobs = _launch(connection, moment, decision, started)
    _write(connection, moment, decision)
    return jobs


def is_due(connection: Connection, moment: Moment) -> bool:
    """Whether a step would change anything: mostly because a limit has passed that nobody was there to notice."""
    started = tasks.of_run(connection, moment.run.id)
    if moment.prepared.plan is None:
        return True
    decision = _decide(moment, _facts(connection, moment, started), started)
    unheard = any(task.name in decision.stop and not task.asked and task.state != "ended" for task in started)
    said = (moment.run.status, moment.run.reason)
    return bool(decision.start) or unheard or said != (decision.condition.status, decision.condition.reason)


def end_cancelled(connection: Connection, task: tasks.Task, asked: str, *, at: datetime) -> None:
    """End a task that nothing works on, because the run wants it to; its question is closed."""
    reason, message = cancelled(task, asked)
    values = {"state": "ended", "status": "False", "ended_at": at, "asked": asked}
    tasks.change(connection, task.id, reason=reason, message=message, **values)
    for approval in approvals.of_task(connection, task.id):
        approvals.close(connection, approval.id, "cancelled", at=at)


def cancelled(task: tasks.Task, asked: str) -> tuple[str, str]:
    """The reason and message of a task that was ended before its time."""
    why = "timed out" if asked == "timeout" else "been cancelled"
    because = f"{task.kind} cancelled as the PipelineRun it belongs to has {why}."
    return f"{task.kind}Cancelled", because if task.custom else f'TaskRun "{task.name}" was cancelled. {because}'


def _facts(connection: Connection, moment: Moment, started: Sequence[tasks.Task]) -> graph.Facts:
    run, now = moment.run, moment.now
    began = run.started_at or now
    asked = approvals.of_run(connection, run.id)
    children: dict[str, tuple[graph.Child, ...]] = {}
    for task in started:
        children[task.pipeline_task] = (*children.get(task.pipeline_task, ()), _child(task))
    return graph.Facts(
        children=children,
        requested=run.requested,
        elapsed=elapsed.at_work(began, now, asked),
        tasks_elapsed=elapsed.at_work(began, run.finally_at or now, asked),
        finally_elapsed=elapsed.at_work(run.finally_at, now, asked) if run.finally_at else None,
    )


def _decide(moment: Moment, facts: graph.Facts, started: Sequence[tasks.Task]) -> graph.Decision:
    """The graph's decision; of a TaskRun, the condition is that of its one task."""
    assert moment.prepared.plan is not None  # noqa: S101 - the caller looked
    if not moment.prepared.single or not started:
        return graph.decide(moment.prepared.plan, facts)
    (task,) = started
    condition = graph.Condition(status=task.status, reason=task.reason, message=task.message)
    given = tuple(results.values(task.results).items()) if condition.ended else ()
    stop = {task.name: False} if facts.requested and not condition.ended else {}
    return graph.Decision(condition=condition, stop=stop, results=given)


def _stop(connection: Connection, moment: Moment, decision: graph.Decision, started: Sequence[tasks.Task]) -> bool:
    """End what has to end before its time; whether something ended at once."""
    at_once = False
    for task in started:
        late = decision.stop.get(task.name)
        if late is None or task.state == "ended":
            continue
        asked = "timeout" if late else "cancel"
        if task.state == "running":
            tasks.change(connection, task.id, asked=task.asked or asked)
        else:
            end_cancelled(connection, task, asked, at=moment.now)
            at_once = True
    return at_once


def _launch(
    connection: Connection, moment: Moment, decision: graph.Decision, started: Sequence[tasks.Task]
) -> list[work.Job]:
    ended = {task.pipeline_task: results.values(task.results) for task in started if task.state == "ended"}
    jobs = []
    for start in decision.start:
        new = tasks.New(
            run=moment.run.id,
            pipeline_task=start.node.name,
            combination=start.combination,
            name=moment.run.name if moment.prepared.single else start.name,
            kind="CustomRun" if start.spec is None else "TaskRun",
            section=start.node.section,
            spec=orders.order(moment.prepared, start, ended).as_json(),
            params=_plain(start.params),
        )
        jobs.append(work.run_task(tasks.add(connection, new, at=moment.now)))
    return jobs


def _write(connection: Connection, moment: Moment, decision: graph.Decision) -> None:
    run, condition = moment.run, decision.condition
    message = condition.message
    if run.superseded_by and condition.reason == "Cancelled":
        message = f"{message}: {run.superseded_by} has taken its place"
    values: dict[str, Json] = {
        "status": condition.status,
        "reason": condition.reason,
        "message": message,
        "skipped": [_skipped(one) for one in decision.skipped],
    }
    if decision.finally_begins:
        values["finally_at"] = moment.now
    if condition.ended:
        values |= {"state": "ended", "ended_at": moment.now, "results": results.as_json(dict(decision.results))}
        deployments.stop(connection, run.name, at=moment.now)
    runs.change(connection, run.id, **values)


def _child(task: tasks.Task) -> graph.Child:
    return graph.Child(
        name=task.name,
        combination=task.combination,
        custom=task.custom,
        status=task.status,
        reason=task.reason,
        results=results.values(task.results),
        timed_out=task.asked == "timeout",
    )


def _plain(params: Mapping[str, Value]) -> dict[str, Json]:
    return {name: as_json(value) for name, value in params.items()}


def _skipped(one: graph.Skipped) -> Json:
    shown = {"name": one.name, "reason": one.reason.value}
    return {**shown, "whenExpressions": list(one.when)} if one.when else shown
