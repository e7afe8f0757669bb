"""Runs and plans as the terminal shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from console.cli import acting, frame, terminal
from console.runtime import Runtime
from lockstep.store import approvals, logs, runs, tasks
from lockstep.values import Json
from pipelines.delivery.prepare import Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A run at one moment."""

    run: runs.Run
    skipped: Sequence[Json]
    tasks: list[tasks.Task]
    open: list[approvals.Approval]

    @property
    def settled(self) -> bool:
        """Whether nothing more happens by itself: it has ended, or it waits for a person."""
        return self.run.ended or bool(self.open)

    @property
    def failures(self) -> list[str]:
        """Why each task failed that did, as ``apply: Failed. sejong does not answer``, a line for each."""
        return [f"{one.name}: {one.reason}. {one.message}".rstrip() for one in self.tasks if one.status == "False"]


def look(process: Runtime, name: str) -> Look:
    """How a run stands. Raises NotFoundError."""
    with process.database.read() as connection:
        whole = runs.whole(connection, runs.named(connection, name).id)
        asked = [one for one in approvals.of_run(connection, whole.run.id) if one.state == "pending"]
        return Look(run=whole.run, skipped=whole.skipped, tasks=tasks.of_run(connection, whole.run.id), open=asked)


def as_json(found: Look) -> dict[str, Json]:
    """A run for programs."""
    run = found.run
    return {
        "name": run.name,
        "application": run.application,
        "pipeline": run.pipeline,
        "revision": run.revision,
        "cause": run.cause,
        "state": run.state,
        "status": run.status,
        "reason": run.reason,
        "message": run.message,
        "waiting": [_question(one) for one in found.open],
        "supersededBy": run.superseded_by,
        "createdAt": run.created_at.isoformat(),
        "startedAt": run.started_at.isoformat() if run.started_at else None,
        "endedAt": run.ended_at.isoformat() if run.ended_at else None,
        "tasks": [_task(one) for one in found.tasks],
        "skippedTasks": list(found.skipped),
    }


def _question(one: approvals.Approval) -> dict[str, Json]:
    return {
        "question": one.question,
        "kind": one.kind,
        "bound": one.bound,
        "approvers": list(one.approvers),
        "barred": list(one.barred),
        "needed": one.needed,
        "askedAt": one.asked_at.isoformat(),
    }


def _task(one: tasks.Task) -> dict[str, Json]:
    return {
        "name": one.pipeline_task,
        "run": one.name,
        "kind": one.kind,
        "state": one.state,
        "status": one.status,
        "reason": one.reason,
        "message": one.message,
        "results": list(one.results),
        "detail": one.detail or {},
    }


def begun(process: Runtime, name: str) -> None:
    """Say, to who looks on, what a run works on: the branch may have gone on since it was mirrored."""
    run = look(process, name).run
    terminal.say(f"{run.application} at {run.revision[:12]}", lead=f"{name}:")


def follow(process: Runtime, name: str, form: str) -> int:
    """Let a run go on until it has ended or waits, with its log; 0 when it succeeded, 1 when not."""
    last = 0

    def settled() -> bool:
        nonlocal last
        if form == "table":
            last = _tell(process, name, last)
        return look(process, name).settled

    acting.until(process, settled)
    found = look(process, name)
    if form == "json":
        frame.write_json(as_json(found))
    else:
        _tell(process, name, last)
        for one in found.open:
            terminal.say(one.question, lead=f"{name} waits:")
            terminal.say(f"Approve it: lockstep pipeline approve {name} --by YOU")
        terminal.write(f"{found.run.reason} {found.run.message}".rstrip(), lead=f"{name}:")
    return 0 if found.run.status == "True" else 1


def _tell(process: Runtime, name: str, after: int) -> int:
    """Write the log of a run from there on, to stderr; how far it is now."""
    with process.database.read() as connection:
        run = runs.named(connection, name)
        pieces = logs.of_run(connection, run.id, after=after)
    for piece in pieces:
        terminal.err().print(Text(terminal.safe(piece.text), style="dim"), end="")
    return pieces[-1].id if pieces else after


def plan(whole: Whole, form: str) -> int:
    """What a deploy would do; 0 when it would do nothing, 1 when it would change something or could not."""
    idle = all(one.plan is not None and one.plan.empty and not one.problem for one in whole.sites)
    if form == "json":
        sites: Mapping[str, Json] = {one.place.site: one.as_json() for one in whole.sites}
        frame.write_json({"application": whole.application.name, "revision": whole.revision, "sites": sites})
        return 0 if idle else 1
    terminal.write(f"{whole.application.name} at {whole.revision[:12]}")
    for one in whole.sites:
        for line in one.described:
            terminal.write(line)
        for problem in (f"held: {one.held}" if one.held else "", *(f"not there yet: {image}" for image in one.missing)):
            if problem:
                terminal.write(f"  ! {problem}")
    return 0 if idle else 1


def write_table(found: list[Look]) -> None:
    """Runs for people."""
    terminal.write_table(("run", "status", "revision", "cause", "message"), map(_row, found), empty="No runs yet.")


def _row(one: Look) -> list[str]:
    run = one.run
    message = "waits for approval" if one.open else run.message
    return [run.name, run.reason, run.revision[:12], str(run.cause.get("kind", "")), message]
