"""What a run gives its pipeline: params, workspaces, and words about single tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lockstep.values import Json
from pipelines import documents, fields
from pipelines.admission import params
from pipelines.admission.refusal import Refusal, go_list, go_map, user_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A run beside its pipeline, and how messages name the two."""

    run: documents.PipelineRunSpec = field(repr=False)
    pipeline: documents.PipelineSpec = field(repr=False)
    body: Json = field(repr=False)
    """The pipeline's JSON."""
    where: str
    """``namespace/name`` of the run."""
    pipeline_where: str
    """``namespace/name`` of the pipeline."""

    @property
    def values(self) -> dict[str, documents.Value]:
        """The params of the run."""
        return {param.name: param.value for param in self.run.params}


def check(given: Given) -> None:
    """Refuse a run that does not give what its pipeline wants.

    Raises:
        Refusal: With the first thing that is wrong, in Tekton's order.
    """
    for refusal in (*_params(given), *_shapes(given), *_workspaces(given), *_task_run_specs(given)):
        raise refusal


def _params(given: Given) -> Iterator[Refusal]:
    specs, values = given.pipeline.params, given.values
    lost = params.missing(specs, values)
    if lost:
        yield user_error(
            "ParameterMissing",
            f"PipelineRun {given.where} is missing some parameters required by Pipeline {given.pipeline_where}: "
            f"pipelineRun missing parameters: {go_list(lost)}",
        )
    mixed = params.mistyped(specs, given.run.params)
    if mixed:
        yield user_error(
            "ParameterTypeMismatch",
            f"PipelineRun {given.where} parameters have mismatching types with Pipeline {given.pipeline_where}'s "
            f"parameters: parameters have inconsistent types : {go_list(mixed)}",
        )
    outside = params.outside_enum(specs, values)
    if outside:
        yield user_error("InvalidParamValue", f"PipelineRun {given.where} parameters have invalid value: {outside}")


def _shapes(given: Given) -> Iterator[Refusal]:
    specs, values = given.pipeline.params, given.values
    keys = params.missing_keys(specs, values)
    if keys:
        yield user_error(
            "ObjectParameterMissKeys",
            f"PipelineRun {given.where} parameters is missing object keys required by Pipeline "
            f"{given.pipeline_where}'s parameters: pipelineRun missing object keys for parameters: {go_map(keys)}",
        )
    known = {param.name: param.default for param in specs if param.default is not None} | values
    beyond = params.beyond_the_end(_texts(given.body), known)
    if beyond:
        yield user_error(
            "ParamArrayIndexingInvalid",
            f"PipelineRun {given.where} failed validation: failed to validate Pipeline {given.pipeline_where}'s "
            f"parameter which has an invalid index while referring to an array: non-existent param references:"
            f"{go_list(beyond)}",
        )


def _texts(body: Json) -> Iterator[str]:
    for section in ("tasks", "finally"):
        for task in body.get(section, ()):
            yield from fields.texts(task, "Pipeline", f"spec.{section}[]")


def _workspaces(given: Given) -> Iterator[Refusal]:
    bound = {binding.name for binding in given.run.workspaces}
    for workspace in given.pipeline.workspaces:
        if not workspace.optional and workspace.name not in bound:
            yield user_error(
                "InvalidWorkspaceBindings",
                f"PipelineRun {given.where} doesn't bind Pipeline {given.pipeline_where}'s Workspaces correctly: "
                f'pipeline requires workspace with name "{workspace.name}" be provided by pipelinerun',
            )


def _task_run_specs(given: Given) -> Iterator[Refusal]:
    names = {task.name for task in (*given.pipeline.tasks, *given.pipeline.finally_)}
    for one in given.run.task_run_specs:
        if one.pipeline_task_name not in names:
            yield user_error(
                "InvalidTaskRunSpecs",
                f"PipelineRun {given.where} doesn't define taskRunSpecs correctly: pipelineRun's taskrunSpecs "
                f'defined wrong taskName: "{one.pipeline_task_name}", does not exist in Pipeline',
            )
