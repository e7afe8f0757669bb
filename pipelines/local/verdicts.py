"""How an attempt ends: from how its steps and sidecars did and what they left, in Tekton's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pipelines import documents, substitution
from pipelines.admission import Refusal
from pipelines.local import outputs
from pipelines.local.attempts import Finished, Results, StepState
from pipelines.local.sidecars import Sidecar


def failed(reason: str, message: str) -> Finished:
    """It failed."""
    return Finished(status="False", reason=reason, message=message)


def of_step(state: StepState) -> Finished | None:
    """How the attempt fails because of a step; None when it goes on."""
    container = f"step-{state.name}"
    if state.reason == "TimeoutExceeded":
        return failed("StepFailed", f'"{container}" exited because the step exceeded the specified timeout limit')
    if state.reason in ("Error", "Cancelled"):
        return failed("StepFailed", f'"{container}" exited with code {state.exit_code}: Error')
    return None


def of_sidecars(beside: Iterable[Sidecar], otherwise: Finished) -> Finished:
    """How an attempt whose steps failed ends: a sidecar that broke is the likelier cause, and named first."""
    broken = (one for one in beside if one.code not in (None, 0))
    for one in broken:
        return failed("SidecarFailed", f'"{one.runnable.container}" exited with code {one.code}: Error')
    return otherwise


def of_results(folder: Path, spec: documents.TaskSpec, steps: Mapping[str, Results], *, most: int) -> Finished:
    """How an attempt whose steps succeeded ends, with its results.

    Args:
        folder: Where its results were written.
        spec: What it declares.
        steps: The results of its steps, by name.
        most: Bytes of all results together.

    Raises:
        Refusal: They are more.
    """
    values, mismatched, lost = written(folder, spec.results, most=most)
    values |= _of_steps(spec, steps)
    if mismatched:
        what = "Provided results don't match declared results; may be invalid JSON or missing result declaration"
        return replace(failed("TaskRunValidationFailed", f"{what}: {','.join(mismatched)}"), results=values)
    if lost:
        what = "missing keys for these results which are required in TaskResult's properties"
        return replace(failed("TaskRunValidationFailed", f"{what} {lost}"), results=values)
    return Finished(status="True", reason="Succeeded", message="All Steps have completed executing", results=values)


def written(
    folder: Path, declared: Sequence[documents.Result], *, most: int
) -> tuple[dict[str, documents.Value], list[str], dict[str, list[str]]]:
    """The results that were written into a folder, as ``outputs.typed`` gives them.

    Raises:
        Refusal: Together they are more than ``most`` bytes.
    """
    own = [result for result in declared if result.value is None]
    try:
        texts = outputs.read(folder, own, most=most)
    except outputs.TooLarge:
        message = f"Termination message is above max allowed size {most}, caused by large task result."
        raise Refusal("TaskRunResultLargerThanAllowedLimit", message) from None
    return outputs.typed(texts, own)


def _of_steps(spec: documents.TaskSpec, steps: Mapping[str, Results]) -> dict[str, documents.Value]:
    """Results of the task that are results of its steps: ``results[].value: $(steps.S.results.R)``."""
    scope = substitution.of_step_results(steps)
    found: dict[str, documents.Value] = {}
    for result in spec.results:
        if result.value is not None:
            value = substitution.value(result.value, scope)
            if not any("$(steps." in text for text in documents.texts_of(value)):
                found[result.name] = value
    return found
