"""How a run stands: Tekton's condition ``Succeeded`` and the results of the pipeline, word for word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from pipelines import documents, substitution
from pipelines.documents import durations
from pipelines.graph.model import Condition, Skip
from pipelines.graph.view import View

_TIMEOUTS = (Skip.PIPELINE_TIMEOUT, Skip.TASKS_TIMEOUT, Skip.FINALLY_TIMEOUT)
# Tekton cuts the list of what failed validation.
_LONGEST_LIST = 1024


def condition(
    view: View, *, skipped: Mapping[str, Skip], invalid: Mapping[str, str], starting: Collection[str]
) -> Condition:
    """The condition of a run.

    Args:
        view: The plan and the facts.
        skipped: Tasks that will not run.
        invalid: Tasks that cannot start, with what is wrong.
        starting: Tasks that start now.
    """
    count = _Count(view, skipped=skipped, invalid=invalid)
    running = any(view.started(name) and not view.ended(name) for name in view.plan.nodes)
    facts, timeouts = view.facts, view.plan.timeouts
    if facts.requested == "Cancelled":
        return _false("Cancelled", f'PipelineRun "{view.plan.run}" was cancelled') if not running else _stopping(count)
    if timeouts.whole is not None and facts.elapsed > timeouts.whole:
        took = durations.write(timeouts.whole)
        late = _false("PipelineRunTimeout", f'PipelineRun "{view.plan.run}" failed to finish within "{took}"')
        return late if not running else _stopping(count)
    if timeouts.for_tasks is not None and facts.tasks_elapsed > timeouts.for_tasks:
        if running or starting:
            return _unknown("PipelineRunTimeoutRunningFinally", count)
        took = durations.write(timeouts.for_tasks)
        return _false(
            "PipelineRunTimeout", f'PipelineRun "{view.plan.run}" failed due to tasks failed to finish within "{took}"'
        )
    return _ended(view, count, invalid) if count.incomplete == 0 else _going_on(view, count)


def _going_on(view: View, count: _Count) -> Condition:
    requested = view.facts.requested
    if requested == "CancelledRunFinally":
        return _unknown("CancelledRunningFinally", count)
    if requested == "StoppedRunFinally":
        return _unknown("StoppedRunningFinally", count)
    if count.cancelled or (count.failed and not view.plan.finals):
        return _stopping(count)
    return _unknown("Running", count)


def _ended(view: View, count: _Count, invalid: Mapping[str, str]) -> Condition:
    message = count.completed + f", Skipped: {count.skipped}"
    if invalid:
        said = "; ".join(invalid[name] for name in sorted(invalid))
        said = said if len(said) <= _LONGEST_LIST else f"{said[:_LONGEST_LIST]}..."
        return _false("PipelineValidationFailed", f"{message}, Failed Validation: {len(invalid)} ({said})")
    if count.failed or count.out_of_time:
        return _false("Failed", message)
    if view.facts.requested:
        return _false("Cancelled", f'PipelineRun "{view.plan.run}" was cancelled')
    if count.cancelled:
        return _false("Cancelled", message)
    return Condition(status="True", reason="Completed" if count.skipped else "Succeeded", message=message)


class _Count:
    """How many tasks stand how; a task counts once, by the first that is true of it."""

    def __init__(self, view: View, *, skipped: Mapping[str, Skip], invalid: Mapping[str, str]) -> None:
        kinds = Counter(self._kind(view, name, skipped, invalid) for name in view.plan.nodes)
        self.succeeded = kinds["succeeded"]
        self.failed = kinds["failed"]
        self.ignored = kinds["ignored"]
        self.cancelled = kinds["cancelled"]
        self.skipped = kinds["skipped"]
        self.incomplete = kinds["incomplete"]
        self.out_of_time = sum(reason in _TIMEOUTS for reason in skipped.values())

    @staticmethod
    def _kind(view: View, name: str, skipped: Mapping[str, Skip], invalid: Mapping[str, str]) -> str:
        if view.succeeded(name):
            return "succeeded"
        if view.timed_out(name):
            return "failed"
        if view.cancelled(name):
            return "cancelled"
        if view.failed(name):
            return "ignored" if view.plan.nodes[name].ignores_failure else "failed"
        if name in invalid:
            return "invalid"
        return "skipped" if name in skipped else "incomplete"

    @property
    def completed(self) -> str:
        failed = f"{self.failed + self.ignored}" + (f" (Ignored: {self.ignored})" if self.ignored else "")
        return f"Tasks Completed: {self._number} (Failed: {failed}, Cancelled {self.cancelled})"

    @property
    def so_far(self) -> str:
        return (
            f"Tasks Completed: {self._number} (Failed: {self.failed}, Cancelled {self.cancelled}), "
            f"Incomplete: {self.incomplete}, Skipped: {self.skipped}"
        )

    @property
    def _number(self) -> int:
        return self.succeeded + self.failed + self.ignored + self.cancelled


def _unknown(reason: str, count: _Count) -> Condition:
    return Condition(status="Unknown", reason=reason, message=count.so_far)


def _stopping(count: _Count) -> Condition:
    return _unknown("PipelineRunStopping", count)


def _false(reason: str, message: str) -> Condition:
    return Condition(status="False", reason=reason, message=message)


def with_results(view: View, ended: Condition) -> tuple[Condition, tuple[tuple[str, documents.Value], ...]]:
    """The results of the pipeline; the condition changes when a task that succeeded did not write one of them."""
    given = view.results
    scope = substitution.of_results(given) | substitution.of_results(given, section="finally")
    results: list[tuple[str, documents.Value]] = []
    wrong: list[str] = []
    for result in view.plan.results:
        source = result.value if result.value is not None else ""
        refs = [ref for text in documents.texts_of(source) for ref in substitution.result_refs(text)]
        lost = [ref for ref in refs if view.missing(ref) or view.out_of_bounds(ref) or _no_key(view, ref)]
        if not lost:
            results.append((result.name, substitution.value(source, scope)))
        elif any(view.succeeded(ref.task) for ref in lost):
            wrong.append(result.name)
    if not wrong:
        return ended, tuple(results)
    message = (
        f"Failed to get PipelineResult from TaskRun Results for PipelineRun {view.plan.run}: "
        f"invalid pipelineresults [{' '.join(wrong)}], the referenced results don't exist"
    )
    return _false("CouldntGetPipelineResult", message), tuple(results)


def _no_key(view: View, ref: substitution.ResultRef) -> bool:
    value = view.results.get(ref.task, {}).get(ref.result)
    return bool(ref.key) and isinstance(value, Mapping) and ref.key not in value
