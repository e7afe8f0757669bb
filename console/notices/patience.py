"""What is not told yet, because it is most likely over in a moment: what a deploy moves, and what nobody saw yet.

While an application is deployed, its sites differ from git and from each other, and are meant to: what is found then
is told when it outlasts the deploy. No deploy and no chain of them keeps anything from being told for longer than
half an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console import shapes
from console.notices.reading import Look
from console.notices.subject import Subject
from lockstep.store import approvals, runs, tasks
from lockstep.store.views import drift
from lockstep.values import Json, Verdict

LONGEST = timedelta(minutes=30)
"""For how long deploys may keep what is found from being told."""
SETTLING = timedelta(minutes=2)
"""For how long after a deploy a comparison that began after its end is waited for."""
_MOST_RUNS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From when to when something was deployed; ``end`` is None while it is."""

    start: datetime
    end: datetime | None


def is_moving(spans: Iterable[Span], compared: Iterable[datetime], *, now: datetime) -> bool:
    """Whether what is found of an application now is most likely the work of a deploy. Pure.

    Args:
        spans: Its deploys, in any order.
        compared: When its newest comparison over each pair began.
        now: This moment.
    """
    ordered = sorted(spans, key=lambda span: span.end or now)
    if not ordered:
        return False
    newest = ordered[-1]
    if newest.end is not None and (now - newest.end >= SETTLING or all(began >= newest.end for began in compared)):
        return False
    # Deploys that follow one another at once are one: otherwise a chain of them would silence for ever.
    began = newest.start
    for span in reversed(ordered):
        if (span.end or now) + SETTLING >= began:
            began = min(began, span.start)
    return now - began < LONGEST


def early(look: Look, application: str, found: Sequence[Subject]) -> frozenset[str]:
    """The keys of an application's findings that are not to be told as new or worse yet."""
    if not found:
        return frozenset()
    scans = drift.scans_of(look.connection, application)
    spans = _deploys(look, application)
    if is_moving(spans, [scan.started_at for scan in scans], now=look.now):
        return frozenset(subject.key for subject in found)
    seen = {subject.pair for subject in found if subject.verdict != Verdict.UNKNOWN.value}
    never = {scan.pair for scan in scans if not scan.revision and scan.in_step_at is None} - seen
    return frozenset(one.key for one in found if one.pair in never and look.now - one.since < look.stale)


def _deploys(look: Look, application: str) -> Iterator[Span]:
    """The deploys of the last while that nobody is asked about: a person may take days to answer."""
    for run in runs.page(look.connection, runs.Filter(application=application), limit=_MOST_RUNS):
        over = run.ended_at is not None and look.now - run.ended_at >= LONGEST
        if not over and not run.waiting:
            yield from _deploy(look, run)


def _deploy(look: Look, run: runs.Run) -> Iterator[Span]:
    """The deploy of a run, if it is one that deploys: until the last task that does has ended, or the run."""
    names = set(_deploying(runs.snapshot(look.connection, run.id)))
    if not names:
        return
    begun = [task for task in tasks.of_run(look.connection, run.id) if task.pipeline_task in names]
    whole = names == {task.pipeline_task for task in begun}
    ends = [task.ended_at for task in begun if task.ended_at is not None]
    end = max(ends) if whole and len(ends) == len(begun) else run.ended_at
    # What was built for long, or waited for a person, is deployed from when that was over.
    answered = [one.decided_at for one in approvals.of_run(look.connection, run.id) if one.decided_at is not None]
    # A task is made once, however often it is tried.
    made = [task.created_at for task in begun]
    yield Span(start=max([run.started_at or run.created_at, *answered, *made]), end=end)


def _deploying(snapshot: Json) -> Iterator[str]:
    """The names of the tasks of a run that deploy, of the PipelineSpec in its snapshot."""
    pipeline = shapes.mapping(shapes.mapping(snapshot).get("pipeline"))
    for one in (*shapes.items(pipeline.get("tasks")), *shapes.items(pipeline.get("finally"))):
        task = shapes.mapping(one)
        if any(shapes.mapping(task.get(how)).get("kind") == "Deploy" for how in ("taskRef", "taskSpec")):
            yield shapes.text(task.get("name"))
