"""One attempt of a task: its steps one after another, each recorded the moment it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from lockstep import children, crash
from lockstep import clock as clocks
from pipelines import documents, fields, orders, substitution
from pipelines.admission import Refusal
from pipelines.local import folders, machine, outputs, programs, scopes, sidecars, sources, steps
from pipelines.local.logbook import Logbook
from pipelines.local.programs import Bench, Runnable

Results = Mapping[str, documents.Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """A step of this attempt. ``reason`` is Tekton's terminationReason, empty while it runs."""

    position: int
    name: str
    image: str
    started_at: datetime
    ended_at: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    results: Results = field(default_factory=dict)


class Record(Protocol):
    """Where an attempt is written down. Whatever it raises ends the attempt."""

    def ended(self) -> Sequence[StepState]:
        """The steps of this attempt that have ended, in order."""
        ...

    def put(self, state: StepState) -> None:
        """A step began, or ended."""
        ...

    def log(self, container: str) -> AbstractContextManager[Logbook]:
        """Where the output of a step or sidecar goes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An attempt that is to be run."""

    order: orders.Order
    params: Results
    identity: scopes.Identity
    deadline: datetime | None
    """When its time is over."""
    folder: Path
    """The folder of its run."""
    user: children.Identity | None
    key: str
    """Names the attempt within the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How an attempt ended, in Tekton's words."""

    status: str
    reason: str
    message: str
    results: Results = field(default_factory=dict)
    view: machine.View = machine.View.NOTHING


class Interrupt:
    """Ends an attempt from another thread, once and for all: ``cancel`` or ``timeout``."""

    def __init__(self) -> None:
        self.asked = ""
        self._stop = children.Stop()

    def __call__(self, asked: str) -> None:
        """End it."""
        self.asked = self.asked or asked
        self._stop()

    @property
    def stop(self) -> children.Stop:
        """What ends the step that runs now."""
        return self._stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs attempts on this machine."""

    machine: machine.Machine
    clock: clocks.Clock
    result_bytes: int
    keys: sources.Keys = field(default_factory=dict, repr=False)
    hidden: Callable[[], Iterable[Path]] = tuple
    """Folders and files that no step may see now, besides those that the machine hides anyway."""

    def run(self, job: Job, record: Record, interrupt: Interrupt) -> Finished:
        """Run an attempt to its end; steps that have ended before are not run again."""
        try:
            finished = _Attempt(self, job, record, interrupt).run()
        except Refusal as refusal:
            finished = Finished(status="False", reason=refusal.reason, message=refusal.message)
        return replace(finished, view=self.machine.view)


class _Attempt:
    def __init__(self, runner: Runner, job: Job, record: Record, interrupt: Interrupt) -> None:
        self._runner = runner
        self._job = job
        self._record = record
        self._interrupt = interrupt
        self._spec = documents.part(documents.TaskSpec, job.order.spec)
        self._results: dict[str, dict[str, documents.Value]] = {}

    def run(self) -> Finished:
        self._check_workspaces()
        bench = self._bench(self._placed())
        scope = scopes.of_task(self._job.order, self._job.params, self._job.identity, bench.paths)
        task = steps.Task(order=self._job.order, scope=scope, paths=bench.paths)
        ended = {state.position: state for state in self._record.ended()} if bench.layout.found else {}
        with contextlib.ExitStack() as logs:

            def log(container: str) -> Callable[[bytes], None]:
                return logs.enter_context(self._record.log(container)).write

            with sidecars.beside(bench, self._sidecars(scope), log) as beside:
                failed = self._steps(bench, task, ended)
                if failed is not None and not self._interrupt.asked:
                    failed = next(self._failures_of(beside), failed)
        return self._finished(bench, failed)

    def _check_workspaces(self) -> None:
        bound = {folder.name for folder in self._job.order.folders}
        lost = [one.name for one in self._spec.workspaces if not one.optional and one.name not in bound]
        if lost:
            what = "bound workspaces did not match declared workspaces: didn't provide required values"
            raise Refusal("TaskRunValidationFailed", f"{what}: [{' '.join(lost)}]")

    def _placed(self) -> orders.Order:
        """The order with the variables of its volumes and mount paths replaced: they say where folders go."""
        order = self._job.order
        scope = scopes.of_task(order, self._job.params, self._job.identity, folders.seen(order, self._spec))
        places = {key: order.spec[key] for key in ("volumes", "workspaces") if key in order.spec}
        placed = {**order.spec, **fields.replaced(places, "Task", "spec", scope)}
        self._spec = documents.replaced(documents.TaskSpec, placed)
        return replace(order, spec=placed)

    def _bench(self, order: orders.Order) -> Bench:
        job, runner = self._job, self._runner
        enclosed = runner.machine.view is not machine.View.NOTHING
        maker = folders.Maker(run=job.folder, identity=job.user, walked=not enclosed, keys=runner.keys)
        layout = maker.make(job.key, order)
        uses = [step.workspaces for step in self._spec.steps] + [one.workspaces for one in self._spec.sidecars]
        named = {use.name for one in uses for use in one}
        return Bench(
            machine=machine.hiding(runner.machine, runner.hidden()),
            layout=layout,
            paths=folders.seen(job.order, self._spec) if enclosed else folders.real(layout),
            identity=job.user,
            keys=runner.keys,
            facts=dict(zip(sources.FACTS, (job.identity.name, job.identity.namespace), strict=True)),
            declared={workspace.name: workspace for workspace in self._spec.workspaces},
            isolated=frozenset(named),
        )

    def _sidecars(self, scope: substitution.Scope) -> list[documents.Sidecar]:
        return [steps.sidecar(body, scope) for body in self._job.order.spec.get("sidecars", ())]

    def _steps(self, bench: Bench, task: steps.Task, ended: Mapping[int, StepState]) -> Finished | None:
        """Run what has not run; how the attempt failed, or None."""
        failed: Finished | None = None
        for position in range(len(self._spec.steps)):
            state = ended.get(position)
            if state is None:
                prepared = task.step(position, self._results)
                state = self._skipped(prepared) if failed else self._step(bench, prepared)
                self._record.put(state)
            self._results[state.name] = dict(state.results)
            if failed is None:
                failed = self._verdict(state)
        return failed

    def _skipped(self, prepared: steps.Prepared) -> StepState:
        """A step after one that failed."""
        now = self._runner.clock.now()
        return StepState(
            position=prepared.position,
            name=prepared.name,
            image=prepared.image,
            started_at=now,
            ended_at=now,
            exit_code=1,
            reason="Skipped",
        )

    def _step(self, bench: Bench, prepared: steps.Prepared) -> StepState:
        state = StepState(
            position=prepared.position,
            name=prepared.name,
            image=prepared.image,
            started_at=self._runner.clock.now(),
        )
        if not all(when.holds for when in prepared.step.when):
            return replace(state, ended_at=state.started_at, exit_code=0, reason="Skipped")
        left, last = self._time_left(prepared.step)
        runnable = Runnable(name=prepared.name, step=prepared.step, position=prepared.position)
        program = programs.program(bench, runnable, timeout_seconds=left)
        self._record.put(state)
        with self._record.log(runnable.container) as log:
            finished = children.run(
                machine.command(bench.machine, program), on_output=_noticed(log.write), stop=self._interrupt.stop
            )
        crash.reach(crash.Point.IN_STEP)
        if finished.timed_out and last:
            self._interrupt("late")
        code, reason = self._how(prepared.step, finished)
        self._write_exit_code(bench, prepared, code)
        values, _, _ = self._read_results(bench.layout.tekton / "steps" / str(prepared.position), prepared.step.results)
        return replace(state, ended_at=self._runner.clock.now(), exit_code=code, reason=reason, results=values)

    def _time_left(self, step: documents.Step) -> tuple[float | None, bool]:
        """Seconds for a step, and whether they are all that is left of the attempt, not a limit of its own."""
        own = step.timeout.total_seconds() if step.timeout else None
        if self._job.deadline is None:
            return own, False
        left = max(0.0, (self._job.deadline - self._runner.clock.now()).total_seconds())
        return (own, False) if own is not None and own < left else (left, True)

    def _how(self, step: documents.Step, finished: children.Finished) -> tuple[int, str]:
        """The exit code of a step, and Tekton's terminationReason."""
        if finished.timed_out:
            return 1, "TimeoutExceeded"
        if self._interrupt.asked:
            return 1, "Cancelled"
        if finished.code == 0:
            return 0, "Completed"
        return finished.code, "Continued" if step.on_error == "continue" else "Error"

    def _write_exit_code(self, bench: Bench, prepared: steps.Prepared, code: int) -> None:
        (bench.layout.tekton / "steps" / str(prepared.position) / "exitCode").write_text(str(code))

    def _verdict(self, state: StepState) -> Finished | None:
        """How the attempt fails because of a step; None when it goes on."""
        container = f"step-{state.name}"
        if state.reason == "TimeoutExceeded":
            return _failed("StepFailed", f'"{container}" exited because the step exceeded the specified timeout limit')
        if state.reason in ("Error", "Cancelled"):
            return _failed("StepFailed", f'"{container}" exited with code {state.exit_code}: Error')
        return None

    def _failures_of(self, beside: Sequence[sidecars.Sidecar]) -> Iterator[Finished]:
        """A sidecar that broke is the likelier cause of a step that failed: Tekton names it first."""
        for one in beside:
            if one.code not in (None, 0):
                yield _failed("SidecarFailed", f'"{one.runnable.container}" exited with code {one.code}: Error')

    def _finished(self, bench: Bench, failed: Finished | None) -> Finished:
        if self._interrupt.asked == "late":
            # The name and the limit stand in the message; whoever knows them writes it.
            return _failed("TaskRunTimeout", "")
        try:
            values, mismatched, lost = self._read_results(bench.layout.tekton, self._spec.results)
        except Refusal:
            if failed is None:
                raise
            return failed
        values |= self._results_of_steps()
        if failed is not None:
            return replace(failed, results=values)
        if mismatched:
            what = "Provided results don't match declared results; may be invalid JSON or missing result declaration"
            return replace(_failed("TaskRunValidationFailed", f"{what}: {','.join(mismatched)}"), results=values)
        if lost:
            what = "missing keys for these results which are required in TaskResult's properties"
            return replace(_failed("TaskRunValidationFailed", f"{what} {lost}"), results=values)
        return Finished(status="True", reason="Succeeded", message="All Steps have completed executing", results=values)

    def _read_results(
        self, folder: Path, declared: Sequence[documents.Result]
    ) -> tuple[dict[str, documents.Value], list[str], dict[str, list[str]]]:
        written = [result for result in declared if result.value is None]
        try:
            texts = outputs.read(folder / "results", written, most=self._runner.result_bytes)
        except outputs.TooLarge:
            most = self._runner.result_bytes
            message = f"Termination message is above max allowed size {most}, caused by large task result."
            raise Refusal("TaskRunResultLargerThanAllowedLimit", message) from None
        return outputs.typed(texts, written)

    def _results_of_steps(self) -> dict[str, documents.Value]:
        """Results of the task that are results of its steps: ``results[].value: $(steps.S.results.R)``."""
        scope = substitution.of_step_results(self._results)
        found: dict[str, documents.Value] = {}
        for result in self._spec.results:
            if result.value is not None:
                value = substitution.value(result.value, scope)
                if not any("$(steps." in text for text in documents.texts_of(value)):
                    found[result.name] = value
        return found


def _noticed(write: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """A step that writes something has begun its work: the place where a test may kill the service."""

    def take(chunk: bytes) -> None:
        write(chunk)
        crash.reach(crash.Point.IN_STEP)

    return take


def _failed(reason: str, message: str) -> Finished:
    return Finished(status="False", reason=reason, message=message)
