"""What a run does next, and how it ends. Pure: the same plan and facts always give the same answer.

The rules are those of Tekton's reconciler (``pkg/reconciler/pipelinerun/resources``), the texts of reasons and
messages its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta

from pipelines import documents, fields, substitution
from pipelines.graph import conditions, matrix
from pipelines.graph.model import Decision, Facts, Node, Plan, Skip, Skipped, Start
from pipelines.graph.view import View, whens

# Kubernetes: the longest name of most objects, and of a label's value.
_LONGEST_NAME = 63
_ASKED = {"CancelledRunFinally": Skip.CANCELLED, "StoppedRunFinally": Skip.STOPPED}


def decide(plan: Plan, facts: Facts) -> Decision:
    """See what may start, what is skipped, what has to stop, and how the run stands.

    Every task is started at most once; asking again with what was started among the facts starts nothing anew.
    """
    return _Deciding(View(plan, facts)).decision()


class _Deciding:
    """One decision in the making."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._plan = view.plan
        self._facts = view.facts
        self._skipped: dict[str, Skip] = {}
        self._invalid: dict[str, str] = {}
        self._stopping = any(
            view.failed(name) and not view.plan.nodes[name].ignores_failure for name in view.plan.order
        )

    def decision(self) -> Decision:
        if self._facts.requested == "Cancelled":
            ready: list[str] = []
        else:
            ready = self._examine_tasks()
            self._refuse_missing_results(ready)
            if self._invalid:
                ready = self._examine_tasks()
        finals = self._ready_finals()
        starts = [start for name in (*ready, *finals) for start in self._starts(name)]
        condition = conditions.condition(
            self._view,
            skipped=self._skipped,
            invalid=self._invalid,
            starting={start.node.name for start in starts},
        )
        results: tuple[tuple[str, documents.Value], ...] = ()
        if condition.ended:
            condition, results = conditions.with_results(self._view, condition)
            starts = []
        return Decision(
            condition=condition,
            start=tuple(starts),
            stop=dict(self._stops()),
            skipped=tuple(self._skips()),
            finally_begins=bool(finals) and self._facts.finally_elapsed is None,
            results=results,
        )

    def _examine_tasks(self) -> list[str]:
        """Say of every task whether it is skipped; those that may start."""
        self._skipped = {}
        ready: list[str] = []
        for name in self._plan.order:
            if self._view.started(name) or name in self._invalid:
                continue
            reason = self._why_skipped(name)
            if reason is not None:
                self._skipped[name] = reason
            elif self._parents_done(name):
                ready.append(name)
        return ready

    def _done(self, name: str) -> bool:
        return self._view.ended(name) or name in self._skipped or name in self._invalid

    def _parents_done(self, name: str) -> bool:
        return all(self._done(parent) for parent in self._plan.nodes[name].parents)

    def _why_skipped(self, name: str) -> Skip | None:
        """The first reason, in Tekton's order, for which a task will not run."""
        if self._stopping or self._invalid:
            return Skip.STOPPING
        if self._facts.requested:
            return _ASKED[self._facts.requested]
        ready = self._parents_done(name)
        if ready and not self._allowed(name):
            return Skip.WHEN
        parents = (self._skipped.get(parent) for parent in self._plan.nodes[name].parents)
        if any(reason not in (None, Skip.WHEN) for reason in parents):
            return Skip.PARENT
        return self._why_not_now(name) if ready else None

    def _why_not_now(self, name: str) -> Skip | None:
        return Skip.RESULTS if self._lacks_results(name) else self._out_of_time(name)

    def _out_of_time(self, name: str) -> Skip | None:
        """The last reasons, once a task could start: the time is over, or there is nothing to combine."""
        if _over(self._facts.elapsed, self._plan.timeouts.whole):
            return Skip.PIPELINE_TIMEOUT
        if self._plan.nodes[name].section == "tasks":
            if _over(self._facts.tasks_elapsed, self._plan.timeouts.for_tasks):
                return Skip.TASKS_TIMEOUT
        elif self._facts.finally_elapsed and _over(self._facts.finally_elapsed, self._plan.timeouts.for_finally):
            return Skip.FINALLY_TIMEOUT
        task = self._view.resolved(name)
        return Skip.EMPTY_MATRIX if task.matrix is not None and matrix.has_empty_array(task.matrix) else None

    def _allowed(self, name: str) -> bool:
        return all(when.holds for when in self._view.resolved(name).when)

    def _lacks_results(self, name: str) -> bool:
        """Whether a result is missing where that skips the task instead of failing the run."""
        node = self._plan.nodes[name]
        for ref in node.refs:
            if self._view.missing(ref):
                excused = node.section == "finally" or self._skipped.get(ref.task) is Skip.WHEN
                return excused or node.ignores_failure
        return False

    def _refuse_missing_results(self, ready: list[str]) -> None:
        """A result that a task reads is not there although its producer has ended: nothing more starts."""
        for name in ready:
            for ref in self._plan.nodes[name].refs:
                problem = self._problem_with(ref, name)
                if problem:
                    self._invalid.setdefault(name, problem)
            problem = self._problem_once_resolved(name)
            if problem:
                self._invalid.setdefault(name, problem)

    def _problem_with(self, ref: substitution.ResultRef, name: str) -> str:
        if self._view.missing(ref):
            if self._view.succeeded(ref.task):
                return (
                    f'task "{ref.task}" completed successfully but did not emit the result "{ref.result}", '
                    f'which is referenced by task "{name}"'
                )
            return (
                "Invalid task result reference: Could not find result with name "
                f"{ref.result} for pipeline task {ref.task}"
            )
        if self._view.out_of_bounds(ref):
            size = len(self._view.results[ref.task][ref.result])
            return (
                f"array Result Index {ref.index} for Task {ref.task} Result {ref.result} is out of bound of size {size}"
            )
        return ""

    def _problem_once_resolved(self, name: str) -> str:
        task = self._view.resolved(name)
        if name in self._view.broken:
            return f'task "{name}" is not valid once its variables are replaced: {self._view.broken[name]}'
        if task.matrix is None:
            return ""
        for param in task.matrix.params:
            kind = documents.type_of(param.value)
            if kind != "array":
                return (
                    f'parameters of type array only are allowed, but param "{param.name}" has type "{kind}" '
                    f'in pipelineTask "{name}"'
                )
        count = matrix.most_combinations(task.matrix)
        if count > matrix.MOST_COMBINATIONS:
            return f"expected 0 <= {count} <= {matrix.MOST_COMBINATIONS}: matrix of pipelineTask {name}"
        return ""

    def _ready_finals(self) -> list[str]:
        """The tasks of ``finally`` that may start, once all others are done."""
        if self._facts.requested == "Cancelled" or not all(self._done(name) for name in self._plan.order):
            return []
        ready: list[str] = []
        for name in self._plan.finals:
            if self._view.started(name):
                continue
            reason = self._why_final_skipped(name)
            if reason is None:
                ready.append(name)
            else:
                self._skipped[name] = reason
        return ready

    def _why_final_skipped(self, name: str) -> Skip | None:
        if self._lacks_results(name):
            return Skip.RESULTS
        return self._out_of_time(name) if self._allowed(name) else Skip.WHEN

    def _starts(self, name: str) -> Iterator[Start]:
        node, task = self._plan.nodes[name], self._view.resolved(name)
        given: dict[str, documents.Value] = {param.name: param.value for param in task.params}
        combined = matrix.combinations(task.matrix) if task.matrix is not None and task.matrixed else None
        for index, combination in enumerate(combined if combined is not None else [{}]):
            shown = {**{key: item for key, item in given.items() if isinstance(item, str)}, **combination}
            display = substitution.text(task.display_name, substitution.of_params(shown))
            yield Start(
                name=_child_name(self._plan.run, name, index if combined is not None and len(combined) > 1 else -1),
                node=node,
                task=task,
                params={**given, **combination},
                spec=self._spec(node, {**given, **combination}),
                combination=-1 if combined is None else index,
                display_name=(matrix.display_name(task.matrix, shown) if task.matrix else "") or display,
            )

    def _spec(self, node: Node, params: dict[str, documents.Value]) -> object:
        """The TaskSpec; the pipeline's params reach into one that is written inline, results into every one.

        The params of the task itself come first, then its own defaults, then the pipeline's.
        """
        if node.spec is None:
            return None
        scope = substitution.of_results(self._view.results)
        if node.task.task_spec is not None:
            scope = (
                _without_params(self._plan.scope, {*params, *(spec.name for spec in node.task.task_spec.params)})
                | scope
            )
        return fields.replaced(node.spec, "Task", "spec", scope)

    def _stops(self) -> Iterator[tuple[str, bool]]:
        """The children that have to end before their time."""
        whole = _over(self._facts.elapsed, self._plan.timeouts.whole)
        tasks = _over(self._facts.tasks_elapsed, self._plan.timeouts.for_tasks)
        last = self._facts.finally_elapsed
        finals = last is not None and _over(last, self._plan.timeouts.for_finally)
        asked = self._facts.requested == "Cancelled"
        gracefully = self._facts.requested == "CancelledRunFinally"
        for name, node in self._plan.nodes.items():
            late = whole or (tasks if node.section == "tasks" else finals)
            if late or asked or (gracefully and node.section == "tasks"):
                yield from ((child.name, late) for child in self._view.children(name) if not child.done)

    def _skips(self) -> Iterator[Skipped]:
        for name in self._plan.nodes:
            reason = self._skipped.get(name)
            if reason is None:
                continue
            final = self._plan.nodes[name].section == "finally"
            shown = () if final and reason is not Skip.WHEN else whens(self._view.resolved(name))
            yield Skipped(name=name, reason=reason, when=shown)


def _over(elapsed: timedelta, limit: timedelta | None) -> bool:
    return limit is not None and elapsed > limit


def _without_params(scope: substitution.Scope, names: set[str]) -> substitution.Scope:
    """The scope without params that something nearer gives or defaults."""
    own = tuple(spelling.format(name) for name in names for spelling in substitution.PARAM_SPELLINGS)

    def inner(name: str) -> bool:
        return any(name == spelling or name.startswith((f"{spelling}[", f"{spelling}.")) for spelling in own)

    return substitution.Scope(
        texts={name: item for name, item in scope.texts.items() if not inner(name)},
        arrays={name: item for name, item in scope.arrays.items() if not inner(name)},
        objects={name: item for name, item in scope.objects.items() if not inner(name)},
    )


def _child_name(run: str, task: str, index: int) -> str:
    """``<run>-<task>`` or ``<run>-<task>-<i>``; a long one keeps its end and gets a digest in the middle."""
    ending = f"-{index}" if index >= 0 else ""
    name = f"{run}-{task}{ending}"
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(f"{run}-{task}".encode()).hexdigest()[:12]
    return f"{name[: _LONGEST_NAME - len(digest) - 1 - len(ending)].rstrip('-.')}-{digest}{ending}"
