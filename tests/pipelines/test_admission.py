"""A run that cannot start is refused with Tekton's reason before anything has begun."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipelines import admission, documents, substitution
from pipelines.admission import params
from tests.support.tekton import pipeline_run, plan_of, refusal_of, snapshot_of

STEPS = "steps: [{name: s, image: i, script: 'true'}]"
TASK = f"""---
apiVersion: tekton.dev/v1
kind: Task
metadata: {{name: t}}
spec:
  params: [{{name: need}}, {{name: l, type: array, default: []}}]
  workspaces: [{{name: w}}]
  {STEPS}
"""


def body(text: str) -> str:
    """The lines of a pipelineSpec; every STEPS stands for a task that does nothing."""
    return text.replace("STEPS", STEPS)


@pytest.mark.parametrize("case", yaml.safe_load(Path(__file__).with_name("refusals.yaml").read_text()))
def test_what_does_not_fit_together_is_refused(case: dict[str, str]) -> None:
    """The reason is Tekton's, and the message names the thing."""
    condition = refusal_of(pipeline_run(body(case["pipeline"]), spec=case.get("spec", "")) + TASK)
    assert (condition.status, condition.reason) == ("False", case["reason"])
    assert case["message"] in condition.message


def test_an_unknown_pipeline_is_refused() -> None:
    """A run that names a pipeline which is not there cannot start."""
    text = "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: r}\nspec: {pipelineRef: {name: nowhere}}\n"
    assert refusal_of(text).reason == "CouldntGetPipeline"


@pytest.mark.parametrize("lines", ["workspaces: [{name: w}]", "params: [{name: p, value: $(params.unknown)}]"])
def test_a_pipeline_of_its_own_declares_all_that_it_uses(lines: str) -> None:
    """One that is written into its run may use what the run gives."""
    task = f"{{name: a, {lines.strip('{}')}, taskSpec: {{{STEPS}}}}}"
    inline = pipeline_run(f"tasks: [{task}]", spec="workspaces: [{name: w, emptyDir: {}}]")
    own = (
        f"apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {{name: p}}\nspec: {{tasks: [{task}]}}\n---\n"
        "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: r}\nspec: {pipelineRef: {name: p}}\n"
    )
    assert plan_of(inline).order == ("a",)
    assert refusal_of(own).reason == "PipelineValidationFailed"


@pytest.mark.parametrize(
    "step",
    [
        "{name: s, image: i, script: $(params.l)}",
        "{name: s, image: i, args: ['x$(params.l[*])']}",
        "{name: s, image: i, script: '$(params.unknown)'}",
        "{name: s, image: i, script: $(results.unknown.path)}",
        "{name: s, image: i, script: $(context.task.nothing)}",
        "{name: s, image: i, script: $(steps.a.results.r)}",
        "{name: s, image: i, script: $(params.o)}",
        "{name: S, image: i, script: x}",
        "{name: s, image: i, script: x, workspaces: [{name: none}]}",
        "{name: s, image: i, script: x, volumeMounts: [{name: v, mountPath: /tekton/results}]}",
        "{name: s}",
    ],
)
def test_a_task_that_makes_no_sense_is_refused(step: str) -> None:
    """Unknown variables, arrays in a script, mounts over Tekton's own: before anything runs."""
    text = (
        "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n"
        "  params:\n  - {name: l, type: array, default: []}\n"
        "  - {name: o, type: object, properties: {k: {}}, default: {k: v}}\n"
        f"  steps: [{step}]\n---\n"
        "apiVersion: tekton.dev/v1\nkind: TaskRun\nmetadata: {name: r}\nspec: {taskRef: {name: t}}\n"
    )
    with pytest.raises(admission.Refusal) as caught:
        admission.task_run(snapshot_of(text))
    assert caught.value.reason == "TaskRunValidationFailed"


@pytest.mark.parametrize(
    "step",
    [
        "{name: s, image: i, args: ['$(params.l[*])', '$(params.l[0])', $(params.o.k)]}",
        "{name: s, image: i, script: $(context.taskRun.name) $(context.task.retry-count) $(inputs.params.p)}",
        "{image: i, script: '$(date) $(whatever.this.is)'}",
        "{image: i, env: [{name: A, value: $(steps.a.results.r)}], script: x}",
        "{image: i}",
    ],
)
def test_a_task_that_makes_sense_is_taken(step: str) -> None:
    """Whole arrays where they may stand, the shell's own substitutions, results of earlier steps in env."""
    text = (
        "apiVersion: tekton.dev/v1\nkind: TaskRun\nmetadata: {name: r}\nspec:\n  taskSpec:\n"
        "    params: [{name: p, default: x}, {name: l, type: array, default: []}, "
        "{name: o, type: object, properties: {k: {}}, default: {k: v}}]\n"
        f"    steps: [{step}]\n"
    )
    assert admission.task_run(snapshot_of(text))[0] == "r"


def test_a_taskrun_of_an_unknown_task_cannot_be_resolved() -> None:
    """The reason is TaskRunResolutionFailed."""
    text = "apiVersion: tekton.dev/v1\nkind: TaskRun\nmetadata: {name: r}\nspec: {taskRef: {name: nowhere}}\n"
    with pytest.raises(admission.Refusal) as caught:
        admission.task_run(snapshot_of(text))
    assert caught.value.reason == "TaskRunResolutionFailed"


def test_defaults_may_name_other_params_and_the_context_but_given_values_may_not() -> None:
    """What the author wrote is replaced; what came from outside is taken as it is."""
    text = pipeline_run(
        body(
            """
params:
- {name: registry, default: "r.$(params.domain)"}
- {name: domain, default: example}
- {name: run, default: $(context.pipelineRun.name)}
- {name: evil, default: x}
- {name: list, type: array, default: ["$(params.registry)/a"]}
tasks:
- {name: a, taskSpec: {STEPS}}
"""
        ),
        spec="params: [{name: evil, value: $(params.registry) $(context.pipelineRun.name)}]",
    )
    texts = plan_of(text).scope.texts
    assert texts["params.registry"] == "r.example"
    assert texts["params.run"] == "walk"
    assert texts["params.evil"] == "$(params.registry) $(context.pipelineRun.name)"
    assert texts["params.list[0]"] == "r.example/a"


def test_the_keys_of_an_object_are_merged_over_its_default() -> None:
    """A run may give some of them."""
    spec = documents.part(
        documents.ParamSpec, {"name": "o", "properties": {"a": {}, "b": {}}, "default": {"a": "1", "b": "2"}}
    )
    assert params.resolve([spec], {"o": {"b": "9"}}, substitution.Scope()) == {"o": {"a": "1", "b": "9"}}


def test_params_that_nobody_declared_are_allowed() -> None:
    """Inline tasks may read them."""
    plan = plan_of(
        pipeline_run(body("tasks: [{name: a, taskSpec: {STEPS}}]"), spec="params: [{name: extra, value: x}]")
    )
    assert plan.scope.texts["params.extra"] == "x"
