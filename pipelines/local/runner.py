"""One attempt of a task: its steps one after another, each recorded the moment it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from lockstep import children, crash
from lockstep import clock as clocks
from pipelines import documents, fields, orders, substitution
from pipelines.admission import Refusal
from pipelines.local import folders, layout, machine, programs, scopes, sidecars, sources, steps, verdicts
from pipelines.local.attempts import Finished, Interrupt, Job, Record, StepState
from pipelines.local.programs import Bench, Runnable


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
                    failed = verdicts.of_sidecars(beside, failed)
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
        scope = scopes.of_task(order, self._job.params, self._job.identity, layout.seen(order, self._spec))
        places = {key: order.spec[key] for key in ("volumes", "workspaces") if key in order.spec}
        placed = {**order.spec, **fields.replaced(places, "Task", "spec", scope)}
        self._spec = documents.replaced(documents.TaskSpec, placed)
        return replace(order, spec=placed)

    def _bench(self, order: orders.Order) -> Bench:
        job, runner = self._job, self._runner
        enclosed = runner.machine.view is not machine.View.NOTHING
        maker = folders.Maker(run=job.folder, identity=job.user, walked=not enclosed, keys=runner.keys)
        made = maker.make(job.key, order)
        uses = [step.workspaces for step in self._spec.steps] + [one.workspaces for one in self._spec.sidecars]
        named = {use.name for one in uses for use in one}
        return Bench(
            machine=machine.hiding(runner.machine, runner.hidden()),
            layout=made,
            paths=layout.seen(job.order, self._spec) if enclosed else layout.real(made),
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
                failed = verdicts.of_step(state)
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
        results = bench.layout.tekton / "steps" / str(prepared.position) / "results"
        values, _, _ = verdicts.written(results, prepared.step.results, most=self._runner.result_bytes)
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

    def _finished(self, bench: Bench, failed: Finished | None) -> Finished:
        if self._interrupt.asked == "late":
            # The name and the limit stand in the message; whoever knows them writes it.
            return verdicts.failed("TaskRunTimeout", "")
        folder, most = bench.layout.tekton / "results", self._runner.result_bytes
        try:
            whole = verdicts.of_results(folder, self._spec, self._results, most=most)
        except Refusal:
            if failed is None:
                raise
            return failed
        return whole if failed is None else replace(failed, results=whole.results)


def _noticed(write: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """A step that writes something has begun its work: the place where a test may kill the service."""

    def take(chunk: bytes) -> None:
        write(chunk)
        crash.reach(crash.Point.IN_STEP)

    return take
