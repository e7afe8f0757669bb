"""Whether a task makes sense in itself (Tekton, ``task_validation.go`` and ``container_validation.go``)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from pydantic.alias_generators import to_camel

from lockstep import documents as yaml
from lockstep.values import Json
from pipelines import documents, fields, substitution
from pipelines.admission.findings import Finding, twice

_CONTEXT = {
    "context.taskRun.": {"name", "namespace", "uid"},
    "context.task.": {"name", "retry-count"},
}
_RESULT_PATH = re.compile(r"results(?:\.([^.\[\]]+)|\['([^'\]]+)'\]|\[\"([^\"\]]+)\"\])\.path")
_STEP_RESULT = re.compile(r"steps\.[^.]+\.results\..+")
# Fields of a step in which the results of an earlier one cannot be read: they are fixed before it runs.
_FIXED = ("name", "image", "script", "working_dir", "image_pull_policy")


def in_task(spec: documents.TaskSpec, body: Json, *, declared_only: bool = True) -> Iterator[Finding]:
    """Everything that is wrong in a TaskSpec.

    Args:
        spec: The model.
        body: Its JSON.
        declared_only: Whether every param must be declared: so it is in a Task of its own; an inline task also
            sees those of its run.
    """
    if not spec.steps:
        yield Finding(path=("steps",), message="missing field(s)", remedy="Add at least one step.")
    yield from _names(spec)
    yield from _workspaces(spec)
    for index, step in enumerate(spec.steps):
        yield from _step(step, spec.step_template or documents.StepTemplate(), ("steps", index))
    for path, text, listed in _texts(body):
        for name in substitution.variables(text):
            yield from _variable(spec, path, name, text, listed=listed, declared_only=declared_only)


def _names(spec: documents.TaskSpec) -> Iterator[Finding]:
    unique = "Rename one of them."
    lists: dict[str, Sequence[str]] = {
        "params": [param.name.lower() for param in spec.params],
        "results": [result.name for result in spec.results],
        "workspaces": [workspace.name for workspace in spec.workspaces],
        "volumes": [str(volume.get("name", "")) for volume in spec.volumes],
    }
    for field, names in lists.items():
        for index, name in twice(names):
            yield Finding(path=(field, index, "name"), message=f'"{name}" appears more than once', remedy=unique)
    for index, name in twice(step.name or f"unnamed-{index}" for index, step in enumerate(spec.steps)):
        yield Finding(path=("steps", index, "name"), message=f'step "{name}" appears more than once', remedy=unique)


def _workspaces(spec: documents.TaskSpec) -> Iterator[Finding]:
    declared = {workspace.name for workspace in spec.workspaces}
    users = [("steps", step.workspaces) for step in spec.steps]
    users += [("sidecars", sidecar.workspaces) for sidecar in spec.sidecars]
    for index, (field, uses) in enumerate(users):
        position = index if field == "steps" else index - len(spec.steps)
        for use_index, use in enumerate(uses):
            if use.name not in declared:
                yield Finding(
                    path=(field, position, "workspaces", use_index, "name"),
                    message=f'undefined workspace "{use.name}"',
                    remedy="Declare it under workspaces.",
                )
    mounts = {posixpath.normpath(mount.mount_path) for step in spec.steps for mount in step.volume_mounts}
    for index, workspace in enumerate(spec.workspaces):
        path = posixpath.normpath(workspace.path)
        if path in mounts:
            yield Finding(
                path=("workspaces", index, "mountPath"),
                message=f'workspace mount path "{path}" must be unique',
                remedy="Mount it elsewhere.",
            )
        mounts.add(path)


def _step(step: documents.Step, template: documents.StepTemplate, path: yaml.Path) -> Iterator[Finding]:
    if step.ref is None and not (step.image or step.script or step.command or template.image or template.command):
        yield Finding(path=(*path, "image"), message="missing field(s)", remedy="Say what the step runs.")
    if step.name and not documents.LABEL.fullmatch(step.name) and "$(" not in step.name:
        remedy = "Use lower-case letters, digits and '-'."
        yield Finding(path=(*path, "name"), message=f'invalid value "{step.name}"', remedy=remedy)
    for field in _FIXED:
        if any(_STEP_RESULT.fullmatch(name) for name in substitution.variables(getattr(step, field))):
            yield Finding(
                path=(*path, to_camel(field)),
                message="stepResult substitutions are only allowed in env, command and args. Found usage in",
                remedy="Read the result through env.",
            )
    for index, mount in enumerate(step.volume_mounts):
        where = posixpath.normpath(mount.mount_path)
        if where.startswith("/tekton/") and not where.startswith("/tekton/home"):
            message = f'volumeMount cannot be mounted under /tekton/ (volumeMount "{mount.name}" mounted at "{where}")'
            at = (*path, "volumeMounts", index, "mountPath")
            yield Finding(path=at, message=message, remedy="Mount it elsewhere.")


def _texts(body: Json) -> Iterator[tuple[yaml.Path, str, bool]]:
    """The texts of the steps that take variables, with their paths, and whether a whole array may stand there."""
    steps = body.get("steps", ()) if isinstance(body, dict) else ()
    for index, step in enumerate(steps):
        for field in step:
            if field == "params":
                continue
            listed = field in ("command", "args", "when")
            for text in fields.texts({field: step[field]}, "Task", "spec.steps[]"):
                yield ("steps", index, field), text, listed


def _variable(
    spec: documents.TaskSpec, path: yaml.Path, name: str, text: str, *, listed: bool, declared_only: bool
) -> Iterator[Finding]:
    """What is wrong with one variable of a step."""
    shown = text if len(text) <= 200 else f"{text[:200]}..."
    remedy = "Correct the name, or declare it."
    for prefix, known in _CONTEXT.items():
        if name.startswith(prefix) and name.removeprefix(prefix) not in known:
            yield Finding(path=path, message=f'non-existent variable in "{shown}"', remedy=remedy)
    found = _RESULT_PATH.fullmatch(name)
    if found and (found[1] or found[2] or found[3]) not in _results(spec, path):
        yield Finding(path=path, message=f'non-existent variable in "{shown}"', remedy=remedy)
    param = substitution.PARAM.fullmatch(name)
    if not param:
        return
    declared = next((one for one in spec.params if one.name == (param[1] or param[2] or param[3])), None)
    if declared is None:
        if declared_only:
            yield Finding(path=path, message=f'non-existent variable in "{shown}"', remedy=remedy)
        return
    whole = param[4] == "[*]" or (not param[4] and not param[5])
    if declared.kind == "array" and whole and not listed:
        use = "An array stands only as a whole element of command or args."
        yield Finding(path=path, message=f'variable type invalid in "{shown}"', remedy=use)
    elif declared.kind == "array" and whole and text != f"$({name})":
        use = "Let the array be the whole element."
        yield Finding(path=path, message=f'variable is not properly isolated in "{shown}"', remedy=use)
    elif declared.kind == "object" and whole:
        use = "Read one key of it."
        yield Finding(path=path, message=f'variable type invalid in "{shown}"', remedy=use)


def _results(spec: documents.TaskSpec, path: yaml.Path) -> set[str]:
    """The results whose path a step may name: the task's, and its own."""
    step = spec.steps[path[1]] if isinstance(path[1], int) else None
    return {result.name for result in (*spec.results, *(step.results if step else ()))}
