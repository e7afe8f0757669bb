"""What a snapshot amounts to: a plan that can be followed, or the condition with which it ends at once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from lockstep.values import Json
from pipelines import admission, documents, graph
from pipelines.documents import durations
from pipelines.local import unsupported
from pipelines.snapshot import Snapshot
from pipelines.substitution import Scope

# Runs that are advanced at one time; each advance reads its plan anew from the snapshot otherwise.
_KEPT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A snapshot that was understood: with a plan, or refused."""

    snapshot: Snapshot
    plan: graph.Plan | None = field(default=None, repr=False)
    refused: graph.Condition | None = None

    @property
    def single(self) -> bool:
        """Whether it is a TaskRun: its condition is that of its one task."""
        return self.snapshot.kind == "TaskRun"


def prepare(snapshot: Snapshot) -> Prepared:
    """Understand a snapshot. Pure."""
    try:
        plan = _single(snapshot) if snapshot.kind == "TaskRun" else admission.pipeline_run(snapshot)
        _refuse_unsupported(snapshot, plan)
    except admission.Refusal as refusal:
        return Prepared(snapshot=snapshot, refused=refusal.condition)
    return Prepared(snapshot=snapshot, plan=plan)


class Cache:
    """The plans of the runs that were advanced last. Snapshots never change, so neither do plans."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[int, Prepared] = OrderedDict()

    def get(self, run: int) -> Prepared | None:
        """The plan of a run, when it is remembered."""
        with self._lock:
            return self._kept.get(run)

    def put(self, run: int, prepared: Prepared) -> None:
        """Remember the plan of a run."""
        with self._lock:
            self._kept[run] = prepared
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


def _refuse_unsupported(snapshot: Snapshot, plan: graph.Plan) -> None:
    """Refuse what this executor cannot do, all of it at once."""
    run = snapshot.run["spec"]
    wrong = [
        _said(finding, f"workspaces[{binding['name']}]")
        for binding in run.get("workspaces", ())
        for finding in unsupported.of_binding(documents.part(documents.WorkspaceBinding, binding))
    ]
    for node in plan.nodes.values():
        found = [] if snapshot.kind == "TaskRun" else list(unsupported.of_pipeline_task(node.body))
        if node.spec is not None:
            found += unsupported.of_task(documents.part(documents.TaskSpec, node.spec), node.spec)
        wrong += [_said(finding, f'task "{node.name}"') for finding in found]
    if wrong:
        reason = "TaskRunValidationFailed" if snapshot.kind == "TaskRun" else "PipelineValidationFailed"
        raise admission.Refusal(reason, f"[User error] {snapshot.kind} cannot be run here: {'; '.join(wrong)}")


def _said(finding: admission.Finding, where: str) -> str:
    return f"{where}: {finding} ({finding.remedy})"


def _single(snapshot: Snapshot) -> graph.Plan:
    """A TaskRun as a pipeline of one task, which bears the name of the run."""
    name, body = admission.task_run(snapshot)
    spec: Json = snapshot.run["spec"]
    one = {
        "name": snapshot.name,
        "taskRef": {"name": name},
        "params": spec.get("params", []),
        "retries": spec.get("retries", 0),
        "timeout": spec.get("timeout", durations.write(documents.DEFAULT_TIMEOUT)),
    }
    task = documents.part(documents.PipelineTask, one)
    node = graph.Node(task=task, body=one, section="tasks", task_name=name, spec=body)
    return graph.Plan(
        run=snapshot.name,
        nodes={snapshot.name: node},
        order=(snapshot.name,),
        scope=Scope(),
        timeouts=documents.part(documents.Timeouts, {"pipeline": "0"}),
    )
