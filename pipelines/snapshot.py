"""A run as it was asked for, with every document that it needs: what changes later does not change it."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lockstep.values import Json
from pipelines import documents, substitution

# Kubernetes, apiserver names.go: what generateName adds.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_LONGEST_GENERATED = 58


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A PipelineRun or TaskRun with the documents that it names. Plain JSON all through."""

    kind: str
    """``PipelineRun`` or ``TaskRun``."""
    name: str
    namespace: str
    uid: str
    run: dict[str, Json] = field(repr=False)
    """The run's document."""
    pipeline: dict[str, Json] | None = field(default=None, repr=False)
    """The PipelineSpec; None where the pipeline that is named is not there, and of a TaskRun."""
    pipeline_name: str = ""
    tasks: Mapping[str, Json] = field(default_factory=dict, repr=False)
    """The TaskSpecs that are named, by name."""
    step_actions: Mapping[str, Json] = field(default_factory=dict, repr=False)
    """The StepActionSpecs that are named, by name."""

    def as_json(self) -> dict[str, Json]:
        """The snapshot as it is stored."""
        return {
            "kind": self.kind,
            "name": self.name,
            "namespace": self.namespace,
            "uid": self.uid,
            "run": self.run,
            "pipeline": self.pipeline,
            "pipelineName": self.pipeline_name,
            "tasks": dict(self.tasks),
            "stepActions": dict(self.step_actions),
        }

    @classmethod
    def of_json(cls, stored: Mapping[str, Json]) -> Snapshot:
        """A stored snapshot."""
        return cls(
            kind=stored["kind"],
            name=stored["name"],
            namespace=stored["namespace"],
            uid=stored["uid"],
            run=stored["run"],
            pipeline=stored["pipeline"],
            pipeline_name=stored["pipelineName"],
            tasks=stored["tasks"],
            step_actions=stored["stepActions"],
        )


def take(run: documents.Read, library: documents.Library, *, name: str = "") -> Snapshot:
    """Take a run with everything that it names from the library; what is not there is left out.

    Args:
        run: A PipelineRun or TaskRun.
        library: Where Pipelines, Tasks and StepActions are.
        name: The name to give it; its own, or one made from its generateName, by default.
    """
    metadata = run.model.metadata
    spec: dict[str, Json] = run.body["spec"]
    pipeline: dict[str, Json] | None = None
    name = name or metadata.name or generated(metadata.generate_name or f"{run.kind.lower()}-")
    pipeline_name = ""
    if run.kind == "PipelineRun":
        named = _named(spec.get("pipelineRef"))
        found = library.pipelines.get(named)
        pipeline = spec.get("pipelineSpec") or (found.body["spec"] if found else None)
        pipeline_name = named or name
    tasks = {task: library.tasks[task].body["spec"] for task in _task_names(spec, pipeline) if task in library.tasks}
    return Snapshot(
        kind=run.kind,
        name=name,
        namespace=metadata.namespace or "default",
        uid=str(uuid.uuid4()),
        run=run.body,
        pipeline=pipeline,
        pipeline_name=pipeline_name,
        tasks=tasks,
        step_actions=_step_actions([spec, pipeline, *tasks.values()], library),
    )


def generated(prefix: str) -> str:
    """A name that begins so, as Kubernetes makes one from ``generateName``."""
    return prefix[:_LONGEST_GENERATED] + "".join(secrets.choice(_LETTERS) for _ in range(5))


def _named(reference: Json) -> str:
    """The name in a reference; the resolver ``cluster`` looks where names are looked up anyway."""
    if not isinstance(reference, dict):
        return ""
    if reference.get("resolver") == "cluster":
        values = {param.get("name"): param.get("value") for param in reference.get("params", ())}
        return str(values.get("name", ""))
    return "" if reference.get("resolver") else str(reference.get("name", ""))


def _task_names(spec: dict[str, Json], pipeline: dict[str, Json] | None) -> Iterator[str]:
    """The names of all Tasks that may be meant; one that is a variable is replaced by the params of the run."""
    yield _named(spec.get("taskRef"))
    if pipeline is None:
        return
    declared = {param["name"]: param.get("default", "") for param in pipeline.get("params", ())}
    given = {param["name"]: param.get("value") for param in spec.get("params", ())}
    values = {name: documents.value_of(value) for name, value in {**declared, **given}.items()}
    scope = substitution.of_params(values)
    for task in (*pipeline.get("tasks", ()), *pipeline.get("finally", ())):
        yield substitution.text(_named(task.get("taskRef")), scope)


def _step_actions(bodies: Iterable[Json], library: documents.Library) -> dict[str, Json]:
    named = {name for body in bodies for name in _step_refs(body)}
    return {name: library.step_actions[name].body["spec"] for name in sorted(named) if name in library.step_actions}


def _step_refs(body: Json) -> Iterator[str]:
    """The names in ``steps[].ref``, wherever a TaskSpec stands in a body."""
    if not isinstance(body, dict):
        return
    for step in body.get("steps", ()):
        yield _named(step.get("ref"))
    for key in ("taskSpec", "pipelineSpec"):
        yield from _step_refs(body.get(key))
    for task in (*body.get("tasks", ()), *body.get("finally", ())):
        yield from _step_refs(task.get("taskSpec"))
