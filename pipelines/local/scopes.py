"""What names mean inside a task (Tekton, ``docs/variables.md``, "Variables available in a Task"). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lockstep.values import Json
from pipelines import documents, substitution
from pipelines.admission import params
from pipelines.orders import Order
from pipelines.substitution import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which TaskRun it is, as ``context.taskRun`` has it."""

    name: str
    namespace: str
    uid: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Where a step sees Tekton's folders: the real paths of Tekton, or stand-ins on this machine."""

    results: str
    steps: str
    credentials: str
    artifacts: str
    home: str
    scripts: str
    programs: str
    workspaces: Mapping[str, str] = field(default_factory=dict)
    """By name; only those that are bound."""


def of_task(order: Order, given: Mapping[str, documents.Value], identity: Identity, paths: Paths) -> Scope:
    """The names that mean something in every step.

    Raises:
        Refusal: Defaults of params name each other in a circle.
    """
    spec = documents.part(documents.TaskSpec, order.spec)
    known = Scope(
        texts={
            "context.taskRun.name": identity.name,
            "context.taskRun.namespace": identity.namespace,
            "context.taskRun.uid": identity.uid,
            "context.task.name": order.task_name,
            "context.task.retry-count": str(identity.attempt),
            "credentials.path": paths.credentials,
            "artifacts.path": f"{paths.artifacts}/provenance.json",
            **dict(_results("results", spec.results, paths.results)),
            **dict(_workspaces(order, spec, paths)),
            **dict(_exit_codes(spec, paths)),
        }
    )
    return known | substitution.of_params(params.resolve(spec.params, given, known))


def of_step(name: str, results: tuple[documents.Result, ...], paths: Paths) -> Scope:
    """The names that a step adds for itself: where its own results and artifacts go."""
    folder = f"{paths.steps}/step-{name}"
    texts = dict(_results("step.results", results, f"{folder}/results"))
    return Scope(texts={**texts, "step.artifacts.path": f"{folder}/artifacts/provenance.json"})


def _results(prefix: str, results: tuple[documents.Result, ...], folder: str) -> Iterator[tuple[str, str]]:
    for result in results:
        for spelling in (f"{prefix}.{result.name}", f"{prefix}['{result.name}']", f'{prefix}["{result.name}"]'):
            yield f"{spelling}.path", f"{folder}/{result.name}"


def _workspaces(order: Order, spec: documents.TaskSpec, paths: Paths) -> Iterator[tuple[str, str]]:
    bound: dict[str, Json] = {folder.name: folder.binding for folder in order.folders}
    for name in {*bound, *(workspace.name for workspace in spec.workspaces)}:
        claim = (bound.get(name) or {}).get("persistentVolumeClaim") or {}
        yield f"workspaces.{name}.path", paths.workspaces.get(name, "")
        yield f"workspaces.{name}.bound", str(name in bound).lower()
        yield f"workspaces.{name}.claim", str(claim.get("claimName", ""))
        yield f"workspaces.{name}.volume", volume_of(name) if name in bound else ""


def volume_of(workspace: str) -> str:
    """The name of the volume behind a workspace, which a sidecar may mount."""
    return f"ws-{workspace}"


def _exit_codes(spec: documents.TaskSpec, paths: Paths) -> Iterator[tuple[str, str]]:
    for index, step in enumerate(spec.steps):
        name = step.name or f"unnamed-{index}"
        yield f"steps.step-{name}.exitCode.path", f"{paths.steps}/step-{name}/exitCode"
