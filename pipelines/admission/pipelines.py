"""Whether a pipeline makes sense in itself (Tekton, ``pipeline_validation.go``)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lockstep import documents as yaml
from lockstep.values import Json
from pipelines import documents, fields, graph, substitution
from pipelines.admission import tasks
from pipelines.admission.findings import Finding, twice

_STATUS = re.compile(r"tasks\.(?:([^.]+)\.)?(?:status|reason)")


def in_pipeline(spec: documents.PipelineSpec, body: Json, *, declared_only: bool = True) -> Iterator[Finding]:
    """Everything that is wrong in a PipelineSpec, but for the order of its tasks.

    Args:
        spec: The model.
        body: Its JSON.
        declared_only: Whether every param and workspace must be declared: so it is in a Pipeline of its own; one
            that is written into its run also sees what the run gives.
    """
    if not spec.tasks:
        alone = f"spec.tasks is empty but spec.finally has {len(spec.finally_)} tasks"
        yield Finding(path=("tasks",), message=alone if spec.finally_ else "missing field(s)", remedy="Add a task.")
    yield from _declarations(spec)
    if declared_only:
        yield from _undeclared(spec, body)
    for section, listed in (("tasks", spec.tasks), ("finally", spec.finally_)):
        for index, task in enumerate(listed):
            yield from _task(task, body[section][index], (section, index))
    for index, final in enumerate(spec.finally_):
        yield from _final(spec, final, body["finally"][index], ("finally", index))
    for index, result in enumerate(spec.results):
        yield from _result(spec, result, ("results", index, "value"))


def _declarations(spec: documents.PipelineSpec) -> Iterator[Finding]:
    unique = "Rename one of them."
    for index, name in twice(param.name.lower() for param in spec.params):
        yield Finding(
            path=("params", index, "name"), message=f'parameter "{name}" appears more than once', remedy=unique
        )
    for index, name in twice(workspace.name for workspace in spec.workspaces):
        yield Finding(
            path=("workspaces", index, "name"),
            message=f'workspace with name "{name}" appears more than once',
            remedy=unique,
        )
    for index, name in twice(task.name for task in (*spec.tasks, *spec.finally_)):
        field, position = ("tasks", index) if index < len(spec.tasks) else ("finally", index - len(spec.tasks))
        yield Finding(path=(field, position, "name"), message=f'task "{name}" appears more than once', remedy=unique)


def _undeclared(spec: documents.PipelineSpec, body: Json) -> Iterator[Finding]:
    """Params and workspaces that tasks use and the pipeline does not declare."""
    workspaces = {workspace.name for workspace in spec.workspaces}
    params = {param.name for param in spec.params}
    for section, listed in (("tasks", spec.tasks), ("finally", spec.finally_)):
        for index, task in enumerate(listed):
            for position, workspace in enumerate(task.workspaces):
                wanted = workspace.workspace or workspace.name
                if wanted not in workspaces:
                    yield Finding(
                        path=(section, index, "workspaces", position),
                        message=f'pipeline task "{task.name}" expects workspace with name "{wanted}" but none exists '
                        "in pipeline spec",
                        remedy="Declare it under the pipeline's workspaces.",
                    )
            for text in fields.texts(body[section][index], "Pipeline", f"spec.{section}[]"):
                if any(name not in params for name in substitution.param_names(text)):
                    message = f'non-existent variable in "{text}"'
                    yield Finding(path=(section, index), message=message, remedy="Correct the name, or declare it.")


def _task(task: documents.PipelineTask, body: Json, path: yaml.Path) -> Iterator[Finding]:
    if not documents.LABEL.fullmatch(task.name):
        remedy = "Use at most 63 lower-case letters, digits and '-'."
        yield Finding(path=(*path, "name"), message=f'invalid value "{task.name}"', remedy=remedy)
    if task.pipeline_ref is not None or task.pipeline_spec is not None:
        yield Finding(
            path=path, message="a pipeline inside a pipeline is not run here", remedy="Write its tasks into this one."
        )
    if task.task_ref is not None and not (task.task_ref.name or task.task_ref.resolver or task.custom):
        yield Finding(path=(*path, "taskRef", "name"), message="missing field(s)", remedy="Name the task.")
    if task.custom and not task.custom_kind[1]:
        yield Finding(path=(*path, "taskRef", "kind"), message="custom task ref must specify kind", remedy="Add kind.")
    yield from _given(task, path)
    yield from _matrix(task, path)
    if task.task_spec is not None and not task.custom:
        for finding in tasks.in_task(task.task_spec, body["taskSpec"], declared_only=False):
            yield Finding(path=(*path, "taskSpec", *finding.path), message=finding.message, remedy=finding.remedy)
    if path[0] == "tasks":
        names = (
            name for text in fields.texts(body, "Pipeline", "spec.tasks[]") for name in substitution.variables(text)
        )
        if any(_STATUS.fullmatch(name) for name in names):
            yield Finding(
                path=path,
                message="pipeline tasks can not refer to execution status of any other pipeline task or aggregate "
                "status of tasks",
                remedy="Only finally knows how tasks ended.",
            )


def _given(task: documents.PipelineTask, path: yaml.Path) -> Iterator[Finding]:
    for index, name in twice(param.name for param in task.params):
        message = f'parameter names must be unique, the parameter "{name}" is also defined at'
        yield Finding(path=(*path, "params", index, "name"), message=message, remedy="Keep one of them.")
    for index, name in twice(workspace.name for workspace in task.workspaces):
        message = f'workspace name "{name}" must be unique'
        yield Finding(path=(*path, "workspaces", index), message=message, remedy="Keep one of them.")


def _matrix(task: documents.PipelineTask, path: yaml.Path) -> Iterator[Finding]:
    if task.matrix is None:
        return
    given = {param.name for param in task.params}
    combined = [*task.matrix.params, *(param for include in task.matrix.include for param in include.params)]
    for name in sorted({param.name for param in combined} & given):
        message = f"expected exactly one, got both: matrix[{name}], params[{name}]"
        yield Finding(path=(*path, "matrix"), message=message, remedy="Keep one of them.")
    count = graph.most_combinations(task.matrix)
    if count > graph.MOST_COMBINATIONS:
        message = f"expected 0 <= {count} <= {graph.MOST_COMBINATIONS}"
        yield Finding(path=(*path, "matrix"), message=message, remedy="Combine fewer values.")


def _final(
    spec: documents.PipelineSpec, task: documents.PipelineTask, body: Json, path: yaml.Path
) -> Iterator[Finding]:
    if task.run_after:
        yield Finding(
            path=(*path, "runAfter"),
            message=f"no runAfter allowed under spec.finally, final task {task.name} has runAfter specified",
            remedy="Take it away: all of finally runs at once.",
        )
    before = {one.name for one in spec.tasks}
    finals = {one.name for one in spec.finally_}
    for ref in graph.result_refs(body):
        if ref.task in finals:
            message = "invalid task result reference, final task has task result reference from a final task"
            yield Finding(path=path, message=f"{message} {ref.task}", remedy="Read results of tasks only.")
        elif ref.task not in before:
            message = (
                f"final task has task result reference from a task {ref.task} which is not defined in the pipeline"
            )
            yield Finding(path=path, message=f"invalid task result reference, {message}", remedy="Correct the name.")
    for text in fields.texts(body, "Pipeline", "spec.finally[]"):
        for name in substitution.variables(text):
            found = _STATUS.fullmatch(name)
            if found and found[1] and found[1] not in before:
                message = f"pipeline task {found[1]} is not defined in the pipeline"
                yield Finding(path=path, message=message, remedy="Correct the name.")


def _result(spec: documents.PipelineSpec, result: documents.Result, path: yaml.Path) -> Iterator[Finding]:
    source = result.value if result.value is not None else ""
    refs = [ref for text in documents.texts_of(source) for ref in substitution.result_refs(text)]
    if not refs:
        message = "expected pipeline results to be task result expressions but no expressions were found"
        yield Finding(path=path, message=message, remedy="Write $(tasks.<task>.results.<result>).")
    sections = {"tasks": {task.name for task in spec.tasks}, "finally": {task.name for task in spec.finally_}}
    if any(ref.task not in sections[ref.section] for ref in refs):
        yield Finding(path=path, message="referencing a nonexistent task", remedy="Correct the name.")
