"""A service of pipelines for tests: a database, a queue, runs, and built-in tasks that do what a test tells them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lockstep import settings, work
from lockstep.engine.queue import Queue
from lockstep.engine.worker import Worker
from lockstep.store import approvals, runs, tasks
from lockstep.store.database import Database
from lockstep.topology.model import Topology
from pipelines import decisions, handlers, service
from pipelines.local import machine
from pipelines.local.runner import Runner
from pipelines.run import Request, Runs
from pipelines.tasks import Context, Finished, Outcome, Registry
from tests.support import tekton
from tests.support.times import Clock

TOLD = "{apiVersion: lockstep.dev/v1alpha1, kind: Told}"
"""A taskRef that a test answers for."""


class Told:
    """A built-in that says what the test told it for its task, in turn, and remembers what it was asked."""

    def __init__(self) -> None:
        self.says: dict[str, list[Outcome | BaseException]] = {}
        self.asked: list[Context] = []

    def run(self, context: Context) -> Outcome:
        """The next answer for this task; it is done when none is left."""
        self.asked.append(context)
        answers = self.says.get(context.task.pipeline_task, [])
        answer = answers.pop(0) if answers else Finished()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @property
    def names(self) -> list[str]:
        """The tasks that were asked, in order."""
        return [context.task.pipeline_task for context in self.asked]


class House:
    """Everything that a run needs, on one database."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        clock: Any = None,
        topology: Callable[[], Topology] | None = None,
        working: settings.Working | None = None,
        looked: machine.Machine | None = None,
        stepping: settings.Stepping | None = None,
    ) -> None:
        self.database = database
        self.clock = clock or Clock()
        self.working = working or settings.Working(threads=2, poll_seconds=0.02, backoff_seconds=0.001)
        self.queue = Queue(database, working=self.working, clock=clock)
        self.runs = Runs(queue=self.queue, clock=self.clock)
        self.told = Told()
        kept = stepping or settings.Stepping()
        runner = Runner(
            machine=looked or machine.Machine(view=machine.View.NOTHING),
            clock=self.clock,
            result_bytes=kept.result_bytes,
        )
        self.service = service.Service(
            database=database,
            queue=self.queue,
            runs=self.runs,
            runner=runner,
            stepping=kept,
            workspaces=folder / "state" / "runs",
            topology=topology or _no_topology,
            builtins=Registry({**service.BUILTINS, "Told": self.told}),
        )
        handled: dict[work.Kind, work.Handler] = {
            work.Kind.TASK: lambda claim: handlers.handle_task(self.service, claim),
            work.Kind.ADVANCE: lambda claim: handlers.handle_advance(self.service, claim),
            work.Kind.TRIGGER: lambda claim: handlers.handle_trigger(self.service, claim),
            work.Kind.SWEEP_RUNS: lambda claim: handlers.handle_sweep(self.service, claim),
        }
        self.worker = Worker(self.queue, handled, working=self.working)

    def create(self, text: str, *, name: str = "", **wishes: Any) -> int:
        """Create the one run of a YAML text."""
        request = Request(snapshot=tekton.snapshot_of(text, name=name), **wishes)
        with self.database.write() as connection:
            return self.runs.create(connection, request)

    def walk(self, body: str, *, name: str = "walk", **wishes: Any) -> int:
        """Create a PipelineRun of the lines of a pipelineSpec; every TOLD is a task that the test answers for."""
        return self.create(tekton.pipeline_run(body.replace("TOLD", TOLD), name=name), **wishes)

    def work(self) -> None:
        """Run all jobs that may start, and what follows from them."""
        self.worker.drain()

    def sweep(self) -> None:
        """One pass over all runs, and what follows from it."""
        with self.database.write() as connection:
            self.queue.enqueue(connection, work.sweep(work.Kind.SWEEP_RUNS))
        self.work()

    def decide(self, run: int, by: str, decision: str = "approve", **more: Any) -> approvals.Approval:
        """Answer the open question of a run."""
        asked = [one for one in self.approvals(run) if one.state == "pending"] or self.approvals(run)[-1:]
        answer = decisions.Answer(by=by, decision=decision, **more)
        with self.database.write() as connection:
            return decisions.decide(connection, self.runs, asked[0].id, answer)

    def whole(self, run: int) -> runs.Whole:
        """How a run stands, with what is large."""
        with self.database.read() as connection:
            return runs.whole(connection, run)

    def run(self, run: int) -> runs.Run:
        """How a run stands."""
        with self.database.read() as connection:
            return runs.get(connection, run)

    def tasks(self, run: int) -> dict[str, tasks.Task]:
        """The tasks of a run by name."""
        with self.database.read() as connection:
            return {task.pipeline_task: task for task in tasks.of_run(connection, run)}

    def approvals(self, run: int) -> Sequence[approvals.Approval]:
        """The questions of a run."""
        with self.database.read() as connection:
            return approvals.of_run(connection, run)

    def reason(self, run: int) -> str:
        """The reason of a run's condition."""
        return self.run(run).reason


def _no_topology() -> Topology:
    raise AssertionError("the test has no configuration")
