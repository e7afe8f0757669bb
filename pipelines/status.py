"""Runs as Tekton's objects: what ``kubectl get -o yaml`` would show, made from rows.

``status.taskRuns`` and ``status.runs`` hold the status of every child by name, as Tekton's v1beta1 had them:
there is no API here from which the children of ``childReferences`` could be read one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from lockstep.store import runs, tasks
from lockstep.values import Json
from pipelines.orders import Order
from pipelines.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A run with everything that belongs to it."""

    whole: runs.Whole
    snapshot: Snapshot = field(repr=False)
    children: Sequence[tasks.Task]
    orders: Mapping[int, Order] = field(repr=False)
    """What each child runs, by its id."""
    steps: Mapping[int, Sequence[tasks.Step]]
    """By the id of their task, all attempts."""

    @property
    def run(self) -> runs.Run:
        """The run's own row."""
        return self.whole.run


def read(connection: Connection, run: int) -> Shown:
    """A run as it stands.

    Raises:
        NotFoundError: There is none.
    """
    whole = runs.whole(connection, run)
    return Shown(
        whole=whole,
        snapshot=Snapshot.of_json(whole.snapshot),
        children=tasks.of_run(connection, run),
        orders={task: Order.of_json(spec) for task, spec in tasks.specs(connection, run).items()},
        steps=tasks.steps_of_run(connection, run),
    )


def as_object(shown: Shown) -> dict[str, Json]:
    """The PipelineRun or TaskRun."""
    snapshot, run = shown.snapshot, shown.run
    written = snapshot.run.get("metadata", {})
    metadata = {
        "name": run.name,
        "namespace": snapshot.namespace,
        "uid": snapshot.uid,
        "creationTimestamp": _time(run.created_at),
        "labels": {**written.get("labels", {}), **_labels(shown)},
        **({"annotations": written["annotations"]} if written.get("annotations") else {}),
    }
    status = _task_run_status(shown) if snapshot.kind == "TaskRun" else _pipeline_run_status(shown)
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": snapshot.kind,
        "metadata": metadata,
        "spec": snapshot.run["spec"],
        "status": status,
    }


def _labels(shown: Shown) -> dict[str, str]:
    if shown.snapshot.kind == "PipelineRun":
        return {"tekton.dev/pipeline": shown.snapshot.pipeline_name}
    reference = shown.snapshot.run["spec"].get("taskRef", {})
    return {"tekton.dev/task": str(reference["name"])} if reference.get("name") else {}


def _pipeline_run_status(shown: Shown) -> dict[str, Json]:
    run = shown.run
    ordered = _in_order(shown)
    children = {task.name: _child(shown, task) for task in ordered}
    kinds = {task.name: task.custom for task in ordered}
    return _given(
        {
            "startTime": _time(run.started_at or run.created_at),
            "completionTime": _time(run.ended_at),
            "conditions": [_condition(run.status, run.reason, run.message, run.ended_at or run.started_at)],
            "childReferences": [_reference(task, shown.orders[task.id]) for task in ordered],
            "skippedTasks": list(shown.whole.skipped),
            "finallyStartTime": _time(run.finally_at),
            "results": [{"name": one["name"], "value": one["value"]} for one in shown.whole.results],
            "pipelineSpec": shown.snapshot.pipeline,
            "taskRuns": {name: child for name, child in children.items() if not kinds[name]},
            "runs": {name: child for name, child in children.items() if kinds[name]},
        }
    )


def _in_order(shown: Shown) -> list[tasks.Task]:
    """The children in the order in which the pipeline lists their tasks."""
    pipeline = shown.snapshot.pipeline or {}
    names = [task["name"] for task in (*pipeline.get("tasks", ()), *pipeline.get("finally", ()))]
    places = {name: place for place, name in enumerate(names)}
    return sorted(shown.children, key=lambda task: (places.get(task.pipeline_task, -1), task.combination))


def _reference(task: tasks.Task, order: Order) -> dict[str, Json]:
    return _given(
        {
            "apiVersion": "tekton.dev/v1beta1" if task.custom else "tekton.dev/v1",
            "kind": task.kind,
            "name": task.name,
            "pipelineTaskName": task.pipeline_task,
            "displayName": order.display_name,
            "whenExpressions": list(order.when),
        }
    )


def _child(shown: Shown, task: tasks.Task) -> dict[str, Json]:
    return _given(
        {
            "pipelineTaskName": task.pipeline_task,
            "whenExpressions": list(shown.orders[task.id].when),
            "status": _status(shown, task),
        }
    )


def _task_run_status(shown: Shown) -> dict[str, Json]:
    """Of a TaskRun: its one task's, or its own condition when it never began."""
    if shown.children:
        (task,) = shown.children
        return _status(shown, task)
    run = shown.run
    return _given(
        {
            "startTime": _time(run.started_at),
            "completionTime": _time(run.ended_at),
            "conditions": [_condition(run.status, run.reason, run.message, run.ended_at or run.started_at)],
        }
    )


def _status(shown: Shown, task: tasks.Task) -> dict[str, Json]:
    steps = shown.steps.get(task.id, ())
    return _given(
        {
            "startTime": _time(task.started_at or task.created_at),
            "completionTime": _time(task.ended_at),
            "conditions": [_condition(task.status, task.reason, task.message, task.ended_at or task.started_at)],
            "steps": [_step(step) for step in steps if step.attempt == task.attempt],
            "results": list(task.results) if not task.custom else [_plain(one) for one in task.results],
            "retriesStatus": [_attempt(one, steps) for one in task.retries],
            "taskSpec": shown.orders[task.id].spec,
            "extraFields": {"detail": task.detail} if task.custom and task.detail else None,
        }
    )


def _plain(result: Json) -> Json:
    return {"name": result["name"], "value": result["value"]}


def _attempt(archived: Json, steps: Sequence[tasks.Step]) -> dict[str, Json]:
    """An attempt that was tried again."""
    ended = archived["endedAt"]
    return _given(
        {
            "startTime": _seconds(archived["startedAt"]),
            "completionTime": _seconds(ended),
            "conditions": [
                {
                    "type": "Succeeded",
                    "status": archived["status"],
                    "reason": archived["reason"],
                    "message": archived["message"],
                    "lastTransitionTime": _seconds(ended),
                }
            ],
            "steps": [_step(step) for step in steps if step.attempt == archived["attempt"]],
            "results": archived["results"],
        }
    )


def _step(step: tasks.Step) -> dict[str, Json]:
    named = {"name": step.name, "container": f"step-{step.name}", "imageID": step.image}
    if step.state != "ended":
        return {**named, "running": {"startedAt": _time(step.started_at)}}
    terminated = {
        "exitCode": step.exit_code,
        "reason": "Completed" if step.exit_code == 0 else "Error",
        "startedAt": _time(step.started_at),
        "finishedAt": _time(step.ended_at),
    }
    shown = {**named, "terminated": terminated, "terminationReason": step.reason}
    return {**shown, "results": list(step.results)} if step.results else shown


def _condition(status: str, reason: str, message: str, at: datetime | None) -> dict[str, Json]:
    return _given(
        {
            "type": "Succeeded",
            "status": status,
            "reason": reason,
            "message": message,
            "lastTransitionTime": _time(at),
        }
    )


def _given(fields: dict[str, Json]) -> dict[str, Json]:
    """Without what is empty: Tekton leaves it out."""
    return {key: value for key, value in fields.items() if value not in (None, "", [], {})}


def _time(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _seconds(text: str | None) -> str | None:
    return _time(datetime.fromisoformat(text)) if text else None
