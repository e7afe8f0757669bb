"""One run, led from its creation to its end, a transaction at a time.

``advance`` is the one function that decides: it is called in the transaction of whatever changed something (the
creation, the end of a task, a person's decision, a cancel, the sweep). A run that waits for a person is rows and
nothing else: no thread, no slot, days are free.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from lockstep import clock as clocks
from lockstep import errors, work
from lockstep.store import approvals, runs, tasks
from lockstep.values import Json
from pipelines import advancing, plans, queueing, snapshot
from pipelines.plans import Prepared
from pipelines.snapshot import Snapshot

REQUESTS = ("Cancelled", "CancelledRunFinally", "StoppedRunFinally")


class Enqueue(Protocol):
    """Queues jobs in the caller's transaction."""

    def enqueue(self, connection: Connection, *jobs: work.Job) -> list[int]:
        """The ids of the jobs that do the work."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A run that is wanted. ``cause`` says who or what wants it; it is shown, not interpreted.

    ``queues``: every run of the application has its turn; otherwise a newer one replaces those that wait.
    """

    snapshot: Snapshot
    application: str = ""
    revision: str = ""
    cause: Mapping[str, Json] = field(default_factory=dict)
    queues: bool = False


class Runs:
    """Creates runs and leads them on. Safe to share between threads.

    Args:
        queue: Where tasks are queued.
        clock: Tells when things happened.
    """

    def __init__(self, *, queue: Enqueue, clock: clocks.Clock) -> None:
        self.queue = queue
        self.clock = clock
        self._plans = plans.Cache()

    def create(self, connection: Connection, request: Request) -> int:
        """Store a run and start it when it is its turn; its id.

        Raises:
            ConflictError: There is a run of this name.
        """
        taken = request.snapshot
        if request.application:
            runs.lock_application(connection, request.application)
        held = taken.run["spec"].get("status") in ("PipelineRunPending", "TaskRunPending")
        new = runs.New(
            name=taken.name,
            pipeline=taken.pipeline_name,
            snapshot=taken.as_json(),
            state="pending",
            reason="PipelineRunPending",
            message=f'PipelineRun "{taken.name}" is pending',
            application=request.application,
            revision=request.revision,
            cause={**request.cause, "queues": request.queues, "held": held},
        )
        run = runs.add(connection, new, at=self.clock.now())
        if request.application:
            self._take_turns(connection, request.application)
        elif not held:
            self._start(connection, run)
        return run

    def advance(self, connection: Connection, run: int) -> None:
        """See what a run may do next, and write that down: tasks to start and to end, how it stands, whose turn it is.

        Calling it once more changes nothing.

        Raises:
            NotFoundError: There is no such run.
        """
        found = self.lock(connection, run)
        self._advance(connection, run)
        if found.application:
            self._take_turns(connection, found.application)

    def cancel(self, connection: Connection, run: int, *, how: str = "Cancelled") -> None:
        """Ask a run to end: at once, or after ``finally``.

        Raises:
            NotFoundError: There is no such run.
            InputError: This cannot be asked.
            ConflictError: It has ended.
        """
        if how not in REQUESTS:
            raise errors.InputError(f"{how!r} cannot be asked of a run.", remedy=f"Ask for {', '.join(REQUESTS)}.")
        found = self.lock(connection, run)
        if found.ended:
            raise errors.ConflictError(f"The run {found.name} has ended.", remedy="Nothing is left to cancel.")
        if found.requested != "Cancelled":
            runs.change(connection, run, requested=how)
        if found.state == "pending":
            self._end_pending(connection, found, f'PipelineRun "{found.name}" was cancelled')
        self.advance(connection, run)

    def release(self, connection: Connection, run: int) -> None:
        """Let a run start that was created as pending.

        Raises:
            NotFoundError: There is no such run.
        """
        found = self.lock(connection, run)
        runs.change(connection, run, cause={**found.cause, "held": False})
        if found.application:
            self._take_turns(connection, found.application)
        elif found.state == "pending":
            self._start(connection, run)

    def rerun(self, connection: Connection, run: int, *, cause: Mapping[str, Json]) -> int:
        """Run a run's documents once more, as they were; the id of the new run.

        Raises:
            NotFoundError: There is no such run.
        """
        old = runs.get(connection, run)
        taken = Snapshot.of_json(runs.snapshot(connection, run))
        name = snapshot.generated(f"{old.name[:50].rstrip('-.')}-")
        again = dataclasses.replace(taken, name=name, uid=str(uuid.uuid4()))
        request = Request(
            snapshot=again,
            application=old.application,
            revision=old.revision,
            cause={**cause, "rerunOf": old.name},
            queues=bool(old.cause.get("queues")),
        )
        return self.create(connection, request)

    def prepared(self, connection: Connection, run: int) -> Prepared:
        """What the snapshot of a run amounts to."""
        found = self._plans.get(run)
        if found is None:
            found = plans.prepare(Snapshot.of_json(runs.snapshot(connection, run)))
            self._plans.put(run, found)
        return found

    @staticmethod
    def lock(connection: Connection, run: int) -> runs.Run:
        """A run that nobody else changes now. Its application first, always: so no two wait for each other.

        Raises:
            NotFoundError: There is no such run.
        """
        application = runs.get(connection, run).application
        if application:
            runs.lock_application(connection, application)
        return runs.lock(connection, run)

    def _start(self, connection: Connection, run: int) -> None:
        values = {"state": "running", "started_at": self.clock.now(), "reason": "Started", "message": ""}
        runs.change(connection, run, **values)
        self._advance(connection, run)

    def _advance(self, connection: Connection, run: int) -> None:
        found = runs.lock(connection, run)
        if found.state == "running":
            moment = advancing.Moment(run=found, prepared=self.prepared(connection, run), now=self.clock.now())
            self.queue.enqueue(connection, *advancing.step(connection, moment))

    def _take_turns(self, connection: Connection, application: str) -> None:
        """Replace runs that a newer one supersedes, and start the one whose turn it is, until nothing moves."""
        while True:
            unended = {run.id: run for run in runs.unended(connection, application=application)}
            turn = queueing.turn([self._standing(connection, run) for run in unended.values()])
            for old, new in turn.superseded:
                self._supersede(connection, unended[old], unended[new])
            if turn.start is not None:
                self._start(connection, turn.start)
            if turn.start is None and not turn.superseded:
                return

    @staticmethod
    def _standing(connection: Connection, run: runs.Run) -> queueing.Standing:
        states = set() if run.state == "pending" else {task.state for task in tasks.of_run(connection, run.id)}
        return queueing.Standing(
            id=run.id,
            pending=run.state == "pending",
            waiting="waiting" in states and not states & {"queued", "running"},
            queues=bool(run.cause.get("queues")),
            held=run.state == "pending" and bool(run.cause.get("held")),
        )

    def _supersede(self, connection: Connection, old: runs.Run, new: runs.Run) -> None:
        runs.change(connection, old.id, requested="Cancelled", superseded_by=new.name)
        if old.state == "pending":
            message = f'PipelineRun "{old.name}" was cancelled: {new.name} has taken its place'
            self._end_pending(connection, old, message)
            return
        for approval in approvals.of_run(connection, old.id):
            approvals.close(connection, approval.id, "superseded", at=self.clock.now())
        self._advance(connection, old.id)

    def _end_pending(self, connection: Connection, run: runs.Run, message: str) -> None:
        values = {"state": "ended", "status": "False", "reason": "Cancelled", "ended_at": self.clock.now()}
        runs.change(connection, run.id, message=message, **values)
