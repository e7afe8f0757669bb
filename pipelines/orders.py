"""What one task is to run, fixed when it is started: the TaskSpec, its folders, its time. Stored with the task."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from lockstep.values import Json
from pipelines import documents, fields, graph, substitution
from pipelines.plans import Prepared
from pipelines.snapshot import Snapshot

_USED = re.compile(r"workspaces\.([^.]+)\.(?:path|bound|claim|volume)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A workspace of a task, and what it is bound to.

    ``source`` is the field of the binding (``empty_dir``, ``volume_claim_template`` ...); ``volume`` names what is
    shared within the run, and is empty for what only this task sees.
    """

    name: str
    source: str
    volume: str = ""
    sub_path: str = ""
    binding: Json = field(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a task is to run."""

    task_name: str
    """``context.task.name``."""
    spec: Json = None
    """The TaskSpec; None of a custom task."""
    api_version: str = ""
    kind: str = ""
    """Of a custom task."""
    custom_spec: Json = None
    """What is written into a custom task that stands inline."""
    folders: tuple[Folder, ...] = ()
    retries: int = 0
    timeout_seconds: float | None = None
    """For one attempt; None without a limit of its own."""
    ignores_failure: bool = False
    display_name: str = ""
    when: tuple[Json, ...] = ()
    step_actions: Mapping[str, Json] = field(default_factory=dict)

    def as_json(self) -> Json:
        """The order as it is stored."""
        return asdict(self)

    @classmethod
    def of_json(cls, stored: Mapping[str, Json]) -> Order:
        """A stored order."""
        folders = tuple(Folder(**folder) for folder in stored["folders"])
        return cls(**{**stored, "folders": folders, "when": tuple(stored["when"])})


def order(prepared: Prepared, start: graph.Start, results: Mapping[str, Mapping[str, documents.Value]]) -> Order:
    """The order for a task that starts.

    Args:
        prepared: Its run.
        start: What the graph says of it.
        results: The results of the tasks that have ended.
    """
    snapshot, task = prepared.snapshot, start.task
    timeout = _timeout(snapshot, task)
    api_version, kind = task.custom_kind if task.custom else ("", "")
    return Order(
        task_name=start.node.task_name,
        spec=_with_volumes(start.spec, snapshot, task.name),
        api_version=api_version,
        kind=kind,
        custom_spec=task.task_spec.spec if task.custom and task.task_spec else None,
        folders=tuple(_folders(prepared, start, results)),
        retries=task.retries,
        timeout_seconds=timeout.total_seconds() if timeout else None,
        ignores_failure=start.node.ignores_failure,
        display_name=start.display_name,
        when=tuple(when.model_dump(mode="json", exclude_defaults=True) for when in task.when),
        step_actions=snapshot.step_actions,
    )


def _with_volumes(spec: Json, snapshot: Snapshot, task: str) -> Json:
    """The TaskSpec with the volumes that the run adds to its Pods."""
    if spec is None:
        return None
    run = snapshot.run["spec"]
    own: Json = next((one for one in run.get("taskRunSpecs", ()) if one["pipelineTaskName"] == task), {})
    pods = (own.get("podTemplate"), run.get("taskRunTemplate", {}).get("podTemplate"), run.get("podTemplate"))
    volumes = {volume["name"]: volume for pod in reversed(pods) for volume in (pod or {}).get("volumes", ())}
    volumes |= {volume["name"]: volume for volume in spec.get("volumes", ())}
    return {**spec, "volumes": list(volumes.values())} if volumes else spec


def _timeout(snapshot: Snapshot, task: documents.PipelineTask) -> timedelta | None:
    """For each attempt: what the run says of the task, else what the pipeline says. Zero is no limit."""
    if snapshot.kind == "PipelineRun":
        run = documents.part(documents.PipelineRunSpec, snapshot.run["spec"])
        for one in run.task_run_specs:
            if one.pipeline_task_name == task.name and one.timeout is not None:
                return one.timeout or None
    return task.timeout or None


def _folders(
    prepared: Prepared, start: graph.Start, results: Mapping[str, Mapping[str, documents.Value]]
) -> Iterator[Folder]:
    assert prepared.plan is not None  # noqa: S101 - what starts has a plan
    scope = prepared.plan.scope | substitution.of_results(results) | substitution.of_params(start.params)
    kind = prepared.snapshot.kind
    body = fields.replaced(prepared.snapshot.run["spec"], kind, "spec", scope)
    bindings = {one["name"]: one for one in body.get("workspaces", ())}
    if prepared.single:
        yield from (_folder(name, binding, "") for name, binding in bindings.items())
        return
    asked = {one.name: (one.workspace or one.name, one.sub_path) for one in start.task.workspaces}
    if start.node.task.task_spec is not None:
        asked |= {name: (name, "") for name in _used(start.spec) if name in bindings and name not in asked}
    for name, (workspace, sub_path) in asked.items():
        if workspace in bindings:
            yield _folder(name, bindings[workspace], sub_path)


def _folder(name: str, binding: Json, sub_path: str) -> Folder:
    model = documents.part(documents.WorkspaceBinding, binding)
    claim = model.persistent_volume_claim or {}
    volume = ""
    if model.source == "volume_claim_template":
        volume = f"template-{model.name}"
    elif model.source == "persistent_volume_claim":
        volume = f"claim-{claim.get('claimName', model.name)}"
    return Folder(
        name=name,
        source=model.source,
        volume=volume,
        sub_path=posixpath.join(model.sub_path, sub_path),
        binding=binding,
    )


def _used(spec: Json) -> list[str]:
    """The workspaces that an inline task names or declares: those of the run reach it without being passed on."""
    declared = [str(workspace["name"]) for workspace in spec.get("workspaces", ())]
    names = (name for text in fields.texts(spec, "Task", "spec") for name in substitution.variables(text))
    found = (_USED.fullmatch(name) for name in names)
    return list(dict.fromkeys([*declared, *(match[1] for match in found if match)]))
