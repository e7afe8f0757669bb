"""What Tekton takes and this machine cannot do is refused before anything runs; what has no effect is noted."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipelines import lint, plans
from tests.support.tekton import library, pipeline_run, snapshot_of

CASES = yaml.safe_load(Path(__file__).with_name("unsupported.yaml").read_text())


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.split("\n"))


def _task_run(task: str) -> str:
    head = "apiVersion: tekton.dev/v1\nkind: TaskRun\nmetadata: {name: r}\nspec:\n  taskSpec:\n"
    return f"{head}{_indented(task, 4)}\n"


def _refused(text: str) -> tuple[str, str]:
    refused = plans.prepare(snapshot_of(text)).refused
    assert refused is not None, "it was not refused"
    assert refused.status == "False"
    return refused.reason, refused.message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["said"][:40])
def test_what_a_task_cannot_have_here_is_said_at_its_place(case: dict[str, str]) -> None:
    """Of a TaskRun and inside a pipeline alike, with what to do instead."""
    reason, message = _refused(_task_run(case["task"]))
    assert reason == "TaskRunValidationFailed"
    assert case["said"] in message
    reason, message = _refused(pipeline_run(f"tasks:\n- name: a\n  taskSpec:\n{_indented(case['task'], 4)}"))
    assert reason == "PipelineValidationFailed"
    assert f'task "a": {case["said"]}' in message


@pytest.mark.parametrize(
    ("binding", "said"),
    [
        ("csi: {driver: d}", "workspaces[w]: a CSI volume is not to be had here"),
        ("projected: {sources: [{downwardAPI: {}}]}", "workspaces[w]: downwardAPI is not to be had here"),
    ],
)
def test_what_a_run_cannot_bind_is_said(binding: str, said: str) -> None:
    """Before its first task begins."""
    body = "tasks: [{name: a, taskSpec: {steps: [{image: i, script: x}]}}]"
    reason, message = _refused(pipeline_run(body, spec=f"workspaces: [{{name: w, {binding}}}]"))
    assert reason == "PipelineValidationFailed"
    assert said in message


def test_an_artifact_of_another_task_cannot_be_read() -> None:
    """It would stay in the program as it is written, and mean nothing."""
    body = """
tasks:
- {name: a, taskSpec: {steps: [{image: i, script: x}]}}
- name: b
  runAfter: [a]
  params: [{name: p, value: $(tasks.a.outputs.image)}]
  taskSpec: {steps: [{image: i, script: x}]}
"""
    assert 'task "b": $(tasks.a.outputs.image) reads an artifact' in _refused(pipeline_run(body))[1]


def test_everything_that_cannot_be_had_is_said_at_once() -> None:
    """One edit can mend it all."""
    steps = "steps: [{image: example.com/a}, {image: example.com/b}]"
    message = _refused(pipeline_run(f"tasks: [{{name: a, taskSpec: {{{steps}}}}}]"))[1]
    assert "example.com/a" in message
    assert "example.com/b" in message


@pytest.mark.parametrize(("kind", "field"), [("PipelineRun", "pipelineRef"), ("TaskRun", "taskRef")])
def test_a_resolver_that_is_not_here_is_named(kind: str, field: str) -> None:
    """A run whose pipeline is elsewhere says where it looked, and what to do."""
    spec = f"{{{field}: {{resolver: hub, params: []}}}}"
    text = f"apiVersion: tekton.dev/v1\nkind: {kind}\nmetadata: {{name: r}}\nspec: {spec}\n"
    reason, message = _refused(text)
    assert reason == {"PipelineRun": "CouldntGetPipeline", "TaskRun": "TaskRunResolutionFailed"}[kind]
    named = {"PipelineRun": "Pipeline", "TaskRun": "Task"}[kind]
    assert f'the resolver "hub" is not available here: put the {named} into the same files, by name' in message


@pytest.mark.parametrize(
    "task",
    [
        "steps: [{image: python, args: [-c, pass]}]",
        "steps: [{image: $(params.i), args: [x]}]",
        "stepTemplate: {command: [sh]}\nsteps: [{image: example.com/tool}]",
        "volumes: [{name: v, projected: {sources: [{configMap: {name: c}}]}}]\nsteps: [{image: i, script: x}]",
        "steps: [{image: i, script: x, env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]",
        "steps: [{image: i, script: 'echo $(tasks.status) $(outputs.x) $(steps.a.outputs'}]",
    ],
)
def test_what_can_be_had_here_is_taken(task: str) -> None:
    """Programs that are common knowledge, folders of every kind that can be made, facts that are known."""
    text = (
        f"apiVersion: tekton.dev/v1\nkind: TaskRun\nmetadata: {{name: r}}\nspec:\n  taskSpec:\n{_indented(task, 4)}\n"
    )
    assert plans.prepare(snapshot_of(text)).refused is None


TASK = """
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: t}
spec:
  params: [{name: revision}, {name: size}]
  steps:
  - name: s
    image: busybox
    securityContext: {runAsUser: 0}
    computeResources: {limits: {cpu: 1}}
    script: |
      git checkout $(params.revision) --depth $(params.size)
  - {name: again, image: busybox, securityContext: {}, script: "true"}
"""


def test_fields_without_effect_are_noted_once_with_their_line() -> None:
    """They are kept, and nobody has to wonder why they do nothing."""
    notes = lint.without_effect(library(TASK).tasks["t"])
    assert [(note.line, note.field) for note in notes] == [
        (10, "spec.steps[0].securityContext"),
        (11, "spec.steps[0].computeResources"),
    ]
    assert all("has no effect" in note.message for note in notes)


def test_a_value_from_outside_in_a_program_is_noted() -> None:
    """Only names that a webhook decides: the others are the author's own."""
    (note,) = lint.injections(library(TASK).tasks["t"])
    assert (note.line, note.field) == (12, "spec.steps[0].script")
    assert note.remedy == 'Give it by env and write "${REVISION}".'


def test_a_value_from_outside_is_followed_into_inline_tasks() -> None:
    """A pipeline that hands a branch on under another name does not hide it."""
    text = pipeline_run(
        """
params: [{name: branch}]
tasks:
- name: a
  params: [{name: what-ref, value: "refs/$(params.branch)"}]
  taskSpec: {params: [{name: what-ref}], steps: [{image: i, script: "echo $(params.what-ref)"}]}
"""
    )
    (note,) = lint.notes(library(text).runs[0])
    assert note.remedy == 'Give it by env and write "${WHAT_REF}".'


def test_a_param_whose_name_is_that_of_a_field_is_not_noted() -> None:
    """What stands below params is the author's own."""
    text = pipeline_run(
        "tasks: [{name: a, params: [{name: x, value: {ports: '1'}}], "
        "taskSpec: {params: [{name: x, properties: {ports: {}}}], steps: [{image: i, script: x}]}}]"
    )
    assert lint.notes(library(text).runs[0]) == []
