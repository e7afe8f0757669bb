"""docs/pipelines.md says what the code does, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from lockstep import settings
from lockstep.values import Json
from pipelines import approval, documents, lint, plans, standalone
from pipelines.delivery import deploy, fetch, image, push
from pipelines.local import machine, unsupported
from pipelines.standalone import Wishes
from tests.support.tekton import library, pipeline_run, snapshot_of

TEXT = (Path(__file__).parents[2] / "docs" / "pipelines.md").read_text()
PLAIN = " ".join(TEXT.split())


def _example(info: str) -> str:
    found = re.findall(rf"^```yaml {re.escape(info)}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, info
    return str(found[0])


def test_the_first_example_runs_as_it_is_shown(tmp_path: Path) -> None:
    """With the param of the command line, to the line that is printed."""
    (tmp_path / "hello.yaml").write_text(_example("file=hello.yaml"))
    (ended,) = standalone.run_files([tmp_path / "hello.yaml"], Wishes(params={"who": "Sejong"}))
    condition = ended.object["status"]["conditions"][0]
    assert f"{condition['reason']}: {condition['message']}" in PLAIN
    assert ended.object["status"]["results"] == [{"name": "said", "value": "Hello, Sejong."}]
    assert list(ended.object["status"]["taskRuns"]) == [f"{ended.object['metadata']['name']}-greet"]


def test_the_approval_is_one_that_can_be_asked() -> None:
    """It fits into a pipeline as it is."""
    prepared = plans.prepare(snapshot_of(pipeline_run(f"tasks:\n{_example('task')}")))
    assert prepared.plan is not None
    assert prepared.plan.nodes["approve"].task.timeout is not None


@pytest.mark.parametrize(
    ("kind", "module"),
    [("Fetch", fetch), ("Image", image), ("Push", push), ("Approval", approval), ("Deploy", deploy)],
)
def test_the_params_of_the_built_in_tasks_are_listed(kind: str, module: ModuleType) -> None:
    """Every name that their own description has."""
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{kind}` |"))
    described = re.findall(r"(?:Params|Results?):\s(.*?)\.(?:\s|$)", module.__doc__ or "", re.DOTALL)
    assert len(described) == 2
    remarks = re.compile(r"\(.*?\)", re.DOTALL)
    for name in re.findall(r"``([A-Za-z-]+)``", " ".join(remarks.sub("", part) for part in described)):
        assert f"`{name}`" in row


@pytest.mark.parametrize("field", sorted(lint.WITHOUT_EFFECT))
def test_every_field_without_effect_is_listed(field: str) -> None:
    """Nobody has to find out."""
    assert f"`{field}`" in TEXT


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("steps: [{image: i, script: x, when: [{cel: a}]}]", "`cel`"),
        ("steps: [{image: i, script: x, stdoutConfig: {path: f}}]", "`stdoutConfig`"),
        ("steps: [{image: i, script: x, stderrConfig: {path: f}}]", "`stderrConfig`"),
        ("steps: [{image: i, script: $(steps.s.outputs.a)}]", "artifacts (`$(steps.s.outputs.a)`)"),
        ("steps: [{image: some/tool}]", "an image whose program nobody knows"),
        ("steps: [{image: i, script: x, volumeDevices: [{name: d}]}]", "`volumeDevices`"),
        ("steps: [{image: i, script: x, volumeMounts: [{name: v, mountPath: /v, subPathExpr: e}]}]", "`subPathExpr`"),
        ("steps: [{ref: {resolver: git}}]", "resolvers but `cluster`"),
        ("sidecars: [{image: i, script: x, readinessProbe: {grpc: {port: 1}}}]", "readiness probes by gRPC"),
        ("volumes: [{name: v, hostPath: {path: /}}]", "volumes of other kinds"),
        (
            "steps: [{image: i, script: x, env: [{name: A, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]}]",
            "fields of a Pod but `metadata.name`",
        ),
    ],
)
def test_what_is_refused_is_listed(task: str, said: str) -> None:
    """Each line of the table is one that the code refuses."""
    text = f"apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {{name: t}}\nspec:\n  {task}\n"
    read = library(text).tasks["t"]
    assert isinstance(read.model, documents.Task)
    spec: Json = read.body["spec"]
    assert list(unsupported.of_task(read.model.spec, spec))
    assert said in PLAIN


def test_the_bounds_of_steps_are_documented() -> None:
    """Log, results, processes."""
    kept = settings.Stepping()
    assert f"{kept.log_bytes // 2**20} MiB of log" in PLAIN
    assert f"{kept.result_bytes // 2**10} KiB of results" in PLAIN
    assert f"{machine.Machine(view=machine.View.NOTHING).processes} processes" in PLAIN
