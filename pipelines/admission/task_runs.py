"""Whether a task can run with what it is given: of a TaskRun document before it starts."""

from __future__ import annotations

from lockstep.values import Json
from pipelines import documents
from pipelines.admission import params, tasks
from pipelines.admission.refusal import Refusal, user_error
from pipelines.admission.runs import named, not_found
from pipelines.snapshot import Snapshot


def task_run(snapshot: Snapshot) -> tuple[str, Json]:
    """The name and the TaskSpec of the task that a TaskRun runs.

    Raises:
        Refusal: It cannot start.
    """
    run = documents.part(documents.TaskRunSpec, snapshot.run["spec"])
    name, body = snapshot.name, snapshot.run["spec"].get("taskSpec")
    if run.task_ref is not None:
        name = named(run.task_ref)
        if name not in snapshot.tasks:
            message = f"failed to get task: {not_found(run.task_ref, name)}"
            raise Refusal("TaskRunResolutionFailed", message)
        body = snapshot.tasks[name]
    spec = documents.part(documents.TaskSpec, body)
    wrong = [str(finding) for finding in tasks.in_task(spec, body, declared_only=run.task_ref is not None)]
    if wrong:
        raise user_error("TaskRunValidationFailed", f"Task {name} has an invalid spec: {'; '.join(wrong)}")
    problem = params.of_task(name, spec, run.params)
    if problem:
        raise user_error("TaskRunValidationFailed", problem)
    outside = params.outside_enum(spec.params, {param.name: param.value for param in run.params})
    if outside:
        raise user_error("InvalidParamValue", outside)
    return name, body
