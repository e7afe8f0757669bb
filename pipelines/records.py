"""An attempt as it is written down while it runs: steps at once, logs in batches, only while the job is ours."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lockstep import work
from lockstep.store import logs, tasks
from pipelines import results
from pipelines.local.attempts import Interrupt, StepState
from pipelines.local.logbook import Logbook
from pipelines.service import Service

# How soon a task notices that its run wants it to end.
_WATCH_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Writes an attempt into the database. A worker that lost the job writes nothing more."""

    service: Service
    claim: work.Claim
    task: tasks.Task

    def ended(self) -> Sequence[StepState]:
        """The steps of this attempt that have ended."""
        with self.service.database.read() as connection:
            found = tasks.steps_of(connection, self.task.id, self.task.attempt)
        return [_state(step) for step in found if step.state == "ended"]

    def put(self, state: StepState) -> None:
        """A step began, or ended."""
        step = tasks.Step(
            task=self.task.id,
            attempt=self.task.attempt,
            position=state.position,
            name=state.name,
            image=state.image,
            state="ended" if state.ended_at else "running",
            exit_code=state.exit_code,
            reason=state.reason,
            results=results.as_json(state.results),
            started_at=state.started_at,
            ended_at=state.ended_at,
        )
        with self.service.database.write() as connection:
            self.service.queue.hold(connection, self.claim)
            tasks.put_step(connection, step)

    @contextmanager
    def log(self, container: str) -> Iterator[Logbook]:
        """Where the output of a step or sidecar goes."""
        with Logbook(
            lambda text: self.keep(container, text),
            most=self.service.stepping.log_bytes,
            secrets=self.service.secrets(),
        ) as log:
            yield log

    def keep(self, container: str, text: str) -> None:
        """Store a piece of a log."""
        name = container.removeprefix("step-")
        piece = logs.Piece(
            task=self.task.id, attempt=self.task.attempt, step=name, at=self.service.clock.now(), text=text
        )
        with self.service.database.write() as connection:
            self.service.queue.hold(connection, self.claim)
            logs.add(connection, piece)


@contextmanager
def watching(service: Service, task: int, interrupt: Interrupt) -> Iterator[None]:
    """End an attempt soon after its run wants it to end."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_WATCH_SECONDS):
            with service.database.read() as connection:
                asked = tasks.asked(connection, task)
            if asked:
                interrupt(asked)
                return

    watcher = threading.Thread(target=watch, name=f"watch-task-{task}", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _state(step: tasks.Step) -> StepState:
    assert step.started_at is not None  # noqa: S101 - it has ended
    return StepState(
        position=step.position,
        name=step.name,
        image=step.image,
        started_at=step.started_at,
        ended_at=step.ended_at,
        exit_code=step.exit_code,
        reason=step.reason,
        results=results.values(step.results),
    )
