"""Runs from files, with nothing else: no configuration, no service, a database that is thrown away.

It is the same engine, the same runs and the same steps; only the place is temporary.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lockstep import clock as clocks
from lockstep import errors, settings, work
from lockstep.engine import queue as queues
from lockstep.engine import worker as workers
from lockstep.store import approvals, logs, migrate, runs, tasks
from lockstep.store import database as databases
from lockstep.topology import model
from lockstep.values import Json
from pipelines import decisions, documents, handlers, lint, snapshot, status, sweeping, wanted
from pipelines.local import machine
from pipelines.local.runner import Runner
from pipelines.run import Request, Runs
from pipelines.service import Service

# How often an idle worker looks for work, and the run is looked at.
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A piece of the log of a step, as it comes; a remark of our own where no task is named."""

    task: str = ""
    step: str = ""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that has ended: as Tekton's object, and whether its condition is True."""

    object: dict[str, Json] = field(repr=False)
    succeeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How runs from files are to be run.

    ``params`` are texts over those of the documents. ``approve_as`` is who answers every approval; without it a
    run that asks somebody cannot go on, and is cancelled.
    """

    params: Mapping[str, str] = field(default_factory=dict)
    approve_as: str = ""
    threads: int = 8
    stepping: settings.Stepping = field(default_factory=settings.Stepping)


def run_files(files: Sequence[Path], wishes: Wishes, *, show: Callable[[Line], None] = lambda _: None) -> list[Ended]:
    """Run what stands in some files: each run, or the one pipeline or task that is there.

    Args:
        files: YAML files with Tekton's documents.
        wishes: How to run them.
        show: Is given logs as they are written.

    Raises:
        InputError: The files cannot be read, hold nothing to run, or a value is not of its param's type.
    """
    library = documents.load(files)
    listed = wanted.runs(library, wishes.params)
    for read in (*library.pipelines.values(), *library.tasks.values(), *library.step_actions.values(), *library.runs):
        for note in lint.notes(read):
            show(Line(text=f"note: {note}\n"))
    with (
        tempfile.TemporaryDirectory(prefix="lockstep-", ignore_cleanup_errors=True) as folder,
        _house(Path(folder), library, wishes) as house,
    ):
        return [_Run(house, snapshot.take(run, library), wishes, show).ended() for run in listed]


@dataclass(frozen=True, slots=True, kw_only=True)
class _House:
    """The service that lives as long as the runs, and its queue."""

    queue: queues.Queue
    service: Service


@contextmanager
def _house(folder: Path, library: documents.Library, wishes: Wishes) -> Iterator[_House]:
    database = databases.open_database(f"sqlite:///{folder / 'lockstep.db'}")
    try:
        migrate.upgrade(database)
        clock = clocks.SystemClock()
        queue = queues.Queue(database, working=_working(wishes), clock=clock)
        looked = machine.look(hidden=(folder,))
        runner = Runner(machine=looked, clock=clock, result_bytes=wishes.stepping.result_bytes, keys=library.keys)
        service = Service(
            database=database,
            queue=queue,
            runs=Runs(queue=queue, clock=clock),
            runner=runner,
            stepping=wishes.stepping,
            workspaces=folder / "runs",
            topology=_no_configuration,
            secrets=lambda: _secrets(library),
        )
        yield _House(queue=queue, service=service)
    finally:
        database.close()


def _working(wishes: Wishes) -> settings.Working:
    return settings.Working(threads=wishes.threads, poll_seconds=_LOOK_SECONDS)


def _no_configuration() -> model.Topology:
    raise errors.NotFoundError("A run from a file has no configuration.", remedy="Start it through the service.")


def _secrets(library: documents.Library) -> list[str]:
    """The values of the Secrets that were given: no log keeps them."""
    held = (data for (kind, _), keys in library.keys.items() if kind == "Secret" for data in keys.values())
    texts = (data.decode(errors="replace").strip() for data in held)
    # A shorter one would mask half of every log and hide nothing.
    return [text for text in texts if len(text) >= 4]


class _Run:
    """One run, worked on by this process until it has ended."""

    def __init__(self, house: _House, taken: snapshot.Snapshot, wishes: Wishes, show: Callable[[Line], None]) -> None:
        self._queue, self._service = house.queue, house.service
        self._taken = taken
        self._wishes = wishes
        self._show = show
        self._shown = 0

    def ended(self) -> Ended:
        with self._service.database.write() as connection:
            run = self._service.runs.create(connection, Request(snapshot=self._taken))
        handled: dict[work.Kind, work.Handler] = {
            work.Kind.TASK: lambda claim: handlers.handle_task(self._service, claim),
            work.Kind.ADVANCE: lambda claim: handlers.handle_advance(self._service, claim),
        }
        worker = workers.Worker(self._queue, handled, working=_working(self._wishes))
        worker.run_until(lambda: self._is_over(run))
        self._tell(run)
        return self._result(run)

    def _is_over(self, run: int) -> bool:
        """Look at the run, and do for it what a service and its people would."""
        self._tell(run)
        with self._service.database.read() as connection:
            found = runs.get(connection, run)
            asked = [one for one in approvals.of_run(connection, run) if one.state == "pending"]
        if found.state == "pending":
            remedy = "Take PipelineRunPending out of spec.status."
            raise errors.InputError(f"The run {found.name} asks not to be started.", remedy=remedy)
        for approval in asked:
            self._answer(approval)
        sweeping.end_overdue(self._service)
        return found.ended

    def _answer(self, approval: approvals.Approval) -> None:
        with self._service.database.write() as connection:
            if self._wishes.approve_as:
                answer = decisions.Answer(by=self._wishes.approve_as, decision="approve", groups=_groups(approval))
                decisions.decide(connection, self._service.runs, approval.id, answer)
            else:
                self._show(Line(text=f"{approval.question} Nobody can answer here: cancelled.\n"))
                self._service.runs.cancel(connection, approval.run, how="CancelledRunFinally")

    def _tell(self, run: int) -> None:
        with self._service.database.read() as connection:
            pieces = logs.of_run(connection, run, after=self._shown)
            names = {task.id: task.pipeline_task for task in tasks.of_run(connection, run)} if pieces else {}
        for piece in pieces:
            self._show(Line(task=names.get(piece.task, ""), step=piece.step, text=piece.text))
            self._shown = piece.id

    def _result(self, run: int) -> Ended:
        with self._service.database.read() as connection:
            shown = status.read(connection, run)
        return Ended(object=status.as_object(shown), succeeded=shown.run.status == "True")


def _groups(approval: approvals.Approval) -> tuple[str, ...]:
    """Who runs a file alone is whoever may approve."""
    return tuple(one.removeprefix("group:") for one in approval.approvers if one.startswith("group:"))
