"""How each task of a run stands, worked out once for one decision."""

from __future__ import annotations

from functools import cached_property

from pydantic import ValidationError

from lockstep.values import Json
from pipelines import documents, fields, substitution
from pipelines.graph import matrix
from pipelines.graph.model import Child, Facts, Node, Plan
from pipelines.substitution import ResultRef, Scope


class View:
    """A plan and the facts of its run. Frozen but for what it remembers of its own answers."""

    def __init__(self, plan: Plan, facts: Facts) -> None:
        self.plan = plan
        self.facts = facts
        self.broken: dict[str, str] = {}
        """Tasks that are not valid once their variables are replaced, with what is wrong."""
        self._resolved: dict[str, documents.PipelineTask] = {}

    def children(self, name: str) -> tuple[Child, ...]:
        """What was created for a task; nothing when it was not started."""
        return self.facts.children.get(name, ())

    def started(self, name: str) -> bool:
        """Whether anything was created for it."""
        return bool(self.children(name))

    def ended(self, name: str) -> bool:
        """Whether all that was created for it is done."""
        return self.started(name) and all(child.done for child in self.children(name))

    def succeeded(self, name: str) -> bool:
        """Whether all that was created for it succeeded."""
        return self.started(name) and all(child.status == "True" for child in self.children(name))

    def failed(self, name: str) -> bool:
        """Whether it is done and something of it failed; being cancelled counts."""
        return self.ended(name) and any(child.status == "False" for child in self.children(name))

    def cancelled(self, name: str) -> bool:
        """Whether it is done and something of it was ended by somebody."""
        return self.ended(name) and any(child.cancelled for child in self.children(name))

    def timed_out(self, name: str) -> bool:
        """Whether it is done and something of it was ended because the time of the run was over."""
        return self.ended(name) and any(child.cancelled and child.timed_out for child in self.children(name))

    @cached_property
    def results(self) -> dict[str, dict[str, documents.Value]]:
        """The results of all tasks that have ended, by task and name."""
        return {name: self._results_of(name) for name in self.plan.nodes if self.ended(name)}

    def _results_of(self, name: str) -> dict[str, documents.Value]:
        children = self.children(name)
        if all(child.combination < 0 for child in children):
            return {key: value for child in children for key, value in child.results.items()}
        # Tekton: only texts are gathered, in the order of the names of the TaskRuns as texts (-0, -1, -10, -2).
        gathered: dict[str, list[str]] = {}
        for child in sorted(children, key=lambda child: child.name):
            for key, value in child.results.items():
                gathered.setdefault(key, []).append(value if isinstance(value, str) else "")
        return {key: tuple(values) for key, values in gathered.items()}

    def missing(self, ref: ResultRef) -> bool:
        """Whether a result that is read is not there."""
        return ref.result not in self.results.get(ref.task, {})

    def out_of_bounds(self, ref: ResultRef) -> bool:
        """Whether an element beyond the end of an array is read."""
        value = self.results.get(ref.task, {}).get(ref.result)
        return isinstance(value, tuple) and ref.index is not None and ref.index >= len(value)

    @cached_property
    def scope(self) -> Scope:
        """What names mean to every task: the plan's scope, and all results so far."""
        return self.plan.scope | substitution.of_results(self.results)

    def resolved(self, name: str) -> documents.PipelineTask:
        """A task with its variables replaced, as far as they are known now; as it is written when that breaks it."""
        if name not in self._resolved:
            node = self.plan.nodes[name]
            body = fields.replaced(node.body, "Pipeline", "spec.tasks[]", self.scope | self._own_scope(node))
            try:
                self._resolved[name] = documents.replaced(documents.PipelineTask, body)
            except ValidationError as error:
                self._resolved[name] = node.task
                self.broken[name] = error.errors()[0]["msg"]
        return self._resolved[name]

    def _own_scope(self, node: Node) -> Scope:
        texts = {"context.pipelineTask.retries": str(node.task.retries), **self._lengths(node)}
        if node.section == "finally":
            texts |= self._statuses
        return Scope(texts=texts)

    def _lengths(self, node: Node) -> dict[str, str]:
        """``tasks.T.matrix.length`` and ``tasks.T.matrix.R.length``, where the task asks for them."""
        texts: dict[str, str] = {}
        for text in fields.texts(node.body, "Pipeline", "spec.tasks[]"):
            for name in substitution.variables(text):
                parts = name.split(".")
                if len(parts) >= 4 and parts[0] == "tasks" and parts[2] == "matrix" and parts[-1] == "length":
                    texts[name] = str(self._length(parts[1], parts[3:-1]))
        return texts

    def _length(self, name: str, result: list[str]) -> int:
        if result:
            value = self.results.get(name, {}).get(result[0], ())
            return len(value) if isinstance(value, tuple) else 0
        node = self.plan.nodes.get(name)
        if node is None or node.task.matrix is None:
            return 0
        return len(matrix.combinations(self.resolved(name).matrix or node.task.matrix))

    @cached_property
    def _statuses(self) -> dict[str, str]:
        """``tasks.T.status``, ``tasks.T.reason`` and ``tasks.status``; asked for once the section is done."""
        texts: dict[str, str] = {}
        for name in self.plan.order:
            texts[f"tasks.{name}.status"] = self.status_of(name)
            texts[f"tasks.{name}.reason"] = self._reason_of(name)
        statuses = {self.status_of(name) for name in self.plan.order}
        # An ignored failure counts here all the same: that is what Tekton's code does.
        whole = "Failed" if "Failed" in statuses else "Completed" if "None" in statuses else "Succeeded"
        return {**texts, "tasks.status": whole}

    def status_of(self, name: str) -> str:
        """``Succeeded``, ``Failed`` or ``None``, as ``tasks.T.status`` has it."""
        if self.succeeded(name):
            return "Succeeded"
        return "Failed" if any(child.status == "False" for child in self.children(name)) else "None"

    def _reason_of(self, name: str) -> str:
        children = self.children(name)
        return next(
            (child.reason for child in children if child.status != "True"), children[0].reason if children else ""
        )


def whens(task: documents.PipelineTask) -> tuple[Json, ...]:
    """The conditions of a task as a status shows them."""
    return tuple(when.model_dump(mode="json", exclude_defaults=True) for when in task.when)
