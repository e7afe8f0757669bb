"""A configuration whose pipelines could not run is told so when it is validated, not at the first push."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep.topology import load
from pipelines import checking

APPLICATION = """
apiVersion: lockstep.dev/v1alpha1
kind: Site
metadata: {name: seoul}
spec:
  git: {directory: ../git}
  registry: {layout: ../images, imagePrefix: seoul.example}
  cluster: {directory: ../cluster}
---
apiVersion: lockstep.dev/v1alpha1
kind: Site
metadata: {name: sejong}
spec: {registry: {layout: ../other, imagePrefix: sejong.example}, cluster: {directory: ../second}}
---
apiVersion: lockstep.dev/v1alpha1
kind: Pair
metadata: {name: both}
spec: {primary: seoul, standby: sejong}
---
apiVersion: lockstep.dev/v1alpha1
kind: Application
metadata: {name: pay}
spec:
  source: {repository: bank/pay}
  namespace: pay
  pipeline: {name: deliver, params: {size: large}}
  protection: {both: {tier: active}}
---
apiVersion: lockstep.dev/v1alpha1
kind: GitMirror
metadata: {name: bank}
spec: {source: {url: "https://git.example/{repository}.git"}, repositories: [bank/*], sites: [seoul]}
"""
PIPELINE = "apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: deliver}\nspec:\n"
TASK = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n"
TASKS = "  tasks: [{name: a, taskSpec: {steps: [{image: i, script: x}]}}]\n"


def _said(folder: Path, text: str) -> list[str]:
    (folder / "sites.yaml").write_text(APPLICATION)
    (folder / "pipeline.yaml").write_text(text)
    return [str(problem).removeprefix(f"{folder}/") for problem in checking.problems(load.load(folder))]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"{PIPELINE}{TASKS}  oops: 1\n", 6, "spec.oops: is not a field that is known here."),
        (f"{PIPELINE}  params: [{{name: need}}]\n{TASKS}", 3, "pay: ParameterMissing"),
        (f"{PIPELINE}  params: [{{name: size, type: array}}]\n{TASKS}", 3, "pay: ParameterTypeMismatch"),
        (
            f"{PIPELINE}  tasks:\n  - name: a\n    taskSpec:\n      steps:\n      - image: example.com/tool\n",
            9,
            'spec.tasks[0].taskSpec.steps[0]: what the image "example.com/tool" runs by itself is not known',
        ),
        (f"{PIPELINE}  tasks:\n  - {{name: a, taskRef: {{resolver: git}}}}\n", 3, "pay: CouldntGetTask"),
        (f"{PIPELINE}{TASKS.replace('name: a', 'name: A')}", 5, 'invalid value "A"'),
        (
            f"{PIPELINE}{TASKS}---\n{TASK}  steps: [{{name: s, image: i, script: $(params.nowhere)}}]\n",
            11,
            "non-existent variable",
        ),
    ],
)  # fmt: skip
def test_what_would_end_every_run_is_said_with_its_place(tmp_path: Path, text: str, line: int, said: str) -> None:
    """File, line, field, and what to do."""
    (problem,) = _said(tmp_path, text)
    assert said in problem
    assert problem.startswith(f"pipeline.yaml:{line}:")


def test_a_configuration_whose_pipelines_can_run_is_sound(tmp_path: Path) -> None:
    """Params that Lockstep gives itself count as given."""
    assert _said(tmp_path, f"{PIPELINE}  params: [{{name: revision}}, {{name: size}}]\n{TASKS}") == []
