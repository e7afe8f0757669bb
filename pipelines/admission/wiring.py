"""Whether the tasks of a run fit together: their params, the results that they read, optional workspaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipelines import documents, graph, substitution
from pipelines.admission import params, tasks
from pipelines.admission.refusal import Refusal, user_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """The tasks of a run, with the models of their specs; custom tasks have none."""

    run: str
    pipeline_where: str
    pipeline: documents.PipelineSpec = field(repr=False)
    nodes: Mapping[str, graph.Node] = field(repr=False)
    specs: Mapping[str, documents.TaskSpec] = field(repr=False)


def check(wired: Wired) -> None:
    """Refuse a run whose tasks do not fit together.

    Raises:
        Refusal: With the first thing that is wrong, in Tekton's order.
    """
    for refusal in (*_tasks(wired), *_cel(wired), *_refs(wired), *_results(wired), *_optional(wired)):
        raise refusal


def _tasks(wired: Wired) -> Iterator[Refusal]:
    for name, spec in wired.specs.items():
        node = wired.nodes[name]
        named = node.task.task_ref is not None
        wrong = [str(finding) for finding in tasks.in_task(spec, node.spec)] if named else []
        if wrong:
            yield user_error(
                "PipelineValidationFailed",
                f'Pipeline {wired.pipeline_where} can\'t be Run; Task "{node.task_name}" has an invalid spec: '
                f"{'; '.join(wrong)}",
            )
        matrix = node.task.matrix
        combined = [*matrix.params, *(param for one in matrix.include for param in one.params)] if matrix else []
        problem = params.of_task(node.task_name, spec, node.task.params, combined)
        if problem:
            yield user_error(
                "PipelineValidationFailed", f"Validation failed for pipelinerun {wired.run} with error {problem}"
            )


def _cel(wired: Wired) -> Iterator[Refusal]:
    if any(when.cel for node in wired.nodes.values() for when in node.task.when):
        yield user_error(
            "CELEvaluationFailed",
            f"Error evaluating CEL {wired.run}: CEL is not evaluated here; use input, operator and values",
        )


def _refs(wired: Wired) -> Iterator[Refusal]:
    for node in wired.nodes.values():
        for ref in node.refs:
            wrong = _wrong(ref, wired)
            if wrong:
                message = f'invalid result reference in pipeline task "{node.name}": {wrong}'
                yield Refusal("InvalidTaskResultReference", message)


def _results(wired: Wired) -> Iterator[Refusal]:
    for result in wired.pipeline.results:
        for text in documents.texts_of(result.value if result.value is not None else ""):
            for ref in substitution.result_refs(text):
                wrong = _wrong(ref, wired)
                if wrong:
                    yield Refusal(
                        "InvalidPipelineResultReference",
                        f'Failed to resolve pipeline result reference for "{wired.run}" with error invalid pipeline '
                        f'result "{result.name}": {wrong}',
                    )


def _wrong(ref: substitution.ResultRef, wired: Wired) -> str:
    if ref.task not in wired.nodes:
        return f'referenced pipeline task "{ref.task}" does not exist'
    if ref.task not in wired.specs:
        return ""  # nobody but a custom task itself knows its results
    if ref.result not in {result.name for result in wired.specs[ref.task].results}:
        return f'"{ref.result}" is not a named result returned by pipeline task "{ref.task}"'
    return ""


def _optional(wired: Wired) -> Iterator[Refusal]:
    optional = {workspace.name for workspace in wired.pipeline.workspaces if workspace.optional}
    for name, spec in wired.specs.items():
        needed = {workspace.name for workspace in spec.workspaces if not workspace.optional}
        for binding in wired.nodes[name].task.workspaces:
            if binding.workspace in optional and binding.name in needed:
                yield user_error(
                    "RequiredWorkspaceMarkedOptional",
                    f'Optional workspace not supported by task: pipeline workspace "{binding.workspace}" is marked '
                    f'optional but pipeline task "{name}" requires it be provided',
                )
