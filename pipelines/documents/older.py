"""``tekton.dev/v1beta1`` rewritten as ``v1``, where the two mean the same."""

from __future__ import annotations

from lockstep.values import Json

# Old name, new name, of fields that only moved (Tekton, docs/migrating-v1beta1-to-v1.md).
_TASK_RUN_SPECS = {
    "taskServiceAccountName": "serviceAccountName",
    "taskPodTemplate": "podTemplate",
    "stepOverrides": "stepSpecs",
    "sidecarOverrides": "sidecarSpecs",
}


def to_v1(body: dict[str, Json]) -> dict[str, Json]:
    """A document with its v1beta1 spellings replaced; fields without a meaning in v1 stay, to be refused."""
    if body.get("apiVersion") != "tekton.dev/v1beta1" or body.get("kind") == "StepAction":
        return body
    spec = body.get("spec")
    if not isinstance(spec, dict):
        return body
    kind = body.get("kind")
    if kind == "Task":
        spec = _task(spec)
    elif kind == "Pipeline":
        spec = _pipeline(spec)
    elif kind == "TaskRun":
        spec = _task_run(spec)
    elif kind == "PipelineRun":
        spec = _pipeline_run(spec)
    return {**body, "apiVersion": "tekton.dev/v1", "spec": spec}


def _renamed(body: dict[str, Json], names: dict[str, str]) -> dict[str, Json]:
    return {names.get(key, key): value for key, value in body.items()}


def _each(spec: dict[str, Json], key: str, names: dict[str, str]) -> dict[str, Json]:
    items = spec.get(key)
    if not isinstance(items, list):
        return spec
    return {**spec, key: [_renamed(item, names) if isinstance(item, dict) else item for item in items]}


def _task(spec: Json) -> Json:
    if not isinstance(spec, dict):
        return spec
    for key in ("steps", "sidecars"):
        spec = _each(spec, key, {"resources": "computeResources"})
    template = spec.get("stepTemplate")
    if isinstance(template, dict):
        spec = {**spec, "stepTemplate": _renamed(template, {"resources": "computeResources"})}
    return spec


def _pipeline(spec: Json) -> Json:
    if not isinstance(spec, dict):
        return spec
    for key in ("tasks", "finally"):
        tasks = spec.get(key)
        if isinstance(tasks, list):
            spec = {**spec, key: [_pipeline_task(task) for task in tasks]}
    return spec


def _pipeline_task(task: Json) -> Json:
    if isinstance(task, dict) and isinstance(task.get("taskSpec"), dict):
        return {**task, "taskSpec": _task(task["taskSpec"])}
    return task


def _task_run(spec: dict[str, Json]) -> dict[str, Json]:
    spec = _renamed(spec, {"stepOverrides": "stepSpecs", "sidecarOverrides": "sidecarSpecs"})
    return {**spec, "taskSpec": _task(spec["taskSpec"])} if "taskSpec" in spec else spec


def _pipeline_run(spec: dict[str, Json]) -> dict[str, Json]:
    spec = _each(dict(spec), "taskRunSpecs", _TASK_RUN_SPECS)
    if "timeout" in spec and "timeouts" not in spec:
        spec["timeouts"] = {"pipeline": spec.pop("timeout")}
    template = {key: spec.pop(key) for key in ("serviceAccountName", "podTemplate") if key in spec}
    if template:
        spec["taskRunTemplate"] = {**spec.get("taskRunTemplate", {}), **template}
    if "pipelineSpec" in spec:
        spec["pipelineSpec"] = _pipeline(spec["pipelineSpec"])
    return spec
