"""How a run and each of its tasks stand, for people: pure functions over rows and the run's snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console import drawing, plans
from console.drawing import Picture
from console.plans import SitePlan
from lockstep.store.runs import Run, Whole
from lockstep.store.tasks import Step, Task
from lockstep.values import Json
from pipelines import graph

_CANCELLED = ("Cancelled", "TaskRunCancelled", "CustomRunCancelled", "StoppedRunFinally", "CancelledRunFinally")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineTask:
    """A task of the pipeline with what was created for it: one row, or one for each combination of a matrix."""

    name: str
    always: bool
    progress: str
    why: str
    rows: tuple[Task, ...]
    steps: Mapping[int, Sequence[Step]]

    @property
    def started_at(self) -> datetime | None:
        """When the first of its rows started."""
        return min((row.started_at for row in self.rows if row.started_at), default=None)

    @property
    def ended_at(self) -> datetime | None:
        """When the last of its rows ended; None while one has not."""
        ends = [row.ended_at for row in self.rows if row.ended_at]
        return max(ends) if ends and len(ends) == len(self.rows) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A run with its tasks in the order of the pipeline, and their graph."""

    run: Run
    progress: str
    tasks: tuple[PipelineTask, ...]
    picture: Picture

    @property
    def live(self) -> bool:
        """Whether anything can still change."""
        return self.run.state != "ended"

    def plan_of(self, name: str) -> list[SitePlan]:
        """What an approval of this task is about, site by site: as it shows itself, else as another task does."""
        own = self.task(name).rows
        others = [row for task in reversed(self.tasks) for row in task.rows if task.name != name]
        return next((found for row in (*own, *others) if (found := plans.of_detail(row.detail))), [])

    def task(self, name: str) -> PipelineTask:
        """The task of this name."""
        return next(task for task in self.tasks if task.name == name)


def of_run(run: Run) -> str:
    """How a run stands, as a key of ``words.PROGRESS``."""
    if run.state != "ended":
        return "waiting" if run.waiting else {"pending": "queued"}.get(run.state, "running")
    if run.status == "True":
        return "succeeded"
    if run.superseded_by:
        return "superseded"
    return "cancelled" if run.reason in _CANCELLED else "failed"


def of_task(rows: Sequence[Task], *, skipped: bool, ended: bool) -> str:
    """How a task stands, as a key of ``words.PROGRESS``: what needs most attention of its rows."""
    if not rows:
        return "skipped" if skipped or ended else "pending"
    found = {of_row(row) for row in rows}
    order = ("waiting", "failed", "running", "queued", "cancelled", "succeeded")
    return next(progress for progress in order if progress in found)


def of_row(row: Task) -> str:
    """How one TaskRun or CustomRun stands, as a key of ``words.PROGRESS``."""
    if row.state != "ended":
        return row.state if row.state in ("queued", "waiting") else "running"
    if row.status == "True":
        return "succeeded"
    return "cancelled" if row.reason in _CANCELLED else "failed"


def show(whole: Whole, rows: Sequence[Task], steps: Mapping[int, Sequence[Step]]) -> Shown:
    """Put a run together.

    Args:
        whole: The run and its documents.
        rows: Its tasks.
        steps: The steps of each task, by the task's id.
    """
    first, last = _bodies(whole.snapshot, "tasks"), _bodies(whole.snapshot, "finally")
    # What was created and stands in no document is shown too: it would be odd to hide what ran.
    unknown: dict[str, None] = {row.pipeline_task: None for row in rows if row.pipeline_task not in {**first, **last}}
    skipped = {str(one.get("name", "")): str(one.get("reason", "")) for one in _objects(whole.skipped)}
    ended = whole.run.state == "ended"
    tasks = tuple(
        PipelineTask(
            name=name,
            always=name in last,
            progress=of_task(own, skipped=name in skipped, ended=ended),
            why=skipped.get(name, ""),
            rows=own,
            steps={row.id: steps.get(row.id, ()) for row in own},
        )
        for name in (*first, *unknown, *last)
        for own in [tuple(row for row in rows if row.pipeline_task == name)]
    )
    picture = drawing.draw(
        [*first, *unknown], {name: graph.parents(body) for name, body in first.items()}, always=list(last)
    )
    return Shown(run=whole.run, progress=of_run(whole.run), tasks=tasks, picture=picture)


def _bodies(snapshot: Mapping[str, Json], section: str) -> dict[str, dict[str, Json]]:
    pipeline = snapshot.get("pipeline")
    listed = pipeline.get(section) if isinstance(pipeline, dict) else None
    return {str(body.get("name", "")): body for body in _objects(listed if isinstance(listed, list) else ())}


def _objects(values: Iterable[Json]) -> list[dict[str, Json]]:
    return [value for value in values if isinstance(value, dict)]
