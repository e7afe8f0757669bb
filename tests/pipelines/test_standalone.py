"""``lockstep pipeline run``: files, and nothing else; the whole of Tekton's meaning on real steps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.cli import frame
from console.cli.main import group
from lockstep import errors
from lockstep.values import Json
from pipelines import standalone
from pipelines.standalone import Line, Wishes
from tests.support.tekton import pipeline_run

CASES = Path(__file__).with_name("walked")


def _run(folder: Path, text: str, wishes: Wishes | None = None) -> tuple[dict[str, Json], str]:
    """The one run of a text, as Tekton's object, and everything that was shown."""
    (folder / "run.yaml").write_text(text)
    lines: list[Line] = []
    (ended,) = standalone.run_files([folder / "run.yaml"], wishes or Wishes(), show=lines.append)
    assert ended.succeeded == (ended.object["status"]["conditions"][0]["status"] == "True")
    return ended.object, "".join(line.text for line in lines)


def _of(run: dict[str, Json], task: str) -> dict[str, Any]:
    """The status of a task's only child."""
    status = run["status"]
    children = {**status.get("taskRuns", {}), **status.get("runs", {})}
    (found,) = [child["status"] for child in children.values() if child["pipelineTaskName"] == task]
    return dict(found)


def _reason(status: dict[str, Any]) -> str:
    return str(status["conditions"][0]["reason"])


@pytest.mark.parametrize("file", sorted(CASES.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_pipeline_is_walked_as_tekton_walks_it(file: Path, tmp_path: Path) -> None:
    """Condition, message, reason of each task, skips, results: each case says what it is about, and what follows."""
    case, *documents = yaml.safe_load_all(file.read_text())
    run, said = _run(tmp_path, yaml.safe_dump_all(documents), Wishes(**case.get("wishes", {})))
    condition = run["status"]["conditions"][0]
    assert {key: condition[key] for key in ("status", "reason", "message")} == case["condition"], said
    reasons = {task: _reason(_of(run, task)) for task in case.get("tasks", {})}
    assert reasons == case.get("tasks", {}), said
    skipped = {one["name"]: one["reason"] for one in run["status"].get("skippedTasks", ())}
    assert skipped == case.get("skipped", {})
    assert {one["name"]: one["value"] for one in run["status"].get("results", ())} == case.get("results", {})
    for line in case.get("said", ()):
        assert line in said


def test_one_task_is_enough(tmp_path: Path) -> None:
    """A TaskRun is made for the only Task of the files; its own status is the run's."""
    text = """
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: greet}
spec:
  params: [{name: names, type: array}]
  results: [{name: r}]
  workspaces: [{name: w}]
  steps: [{name: s, image: busybox, args: ["$(params.names[*])"], script: 'printf "%s;" "$@" > $(results.r.path)'}]
"""
    run, _ = _run(tmp_path, text, Wishes(params={"names": "a b,c"}))
    assert (run["kind"], _reason(run["status"])) == ("TaskRun", "Succeeded")
    assert run["status"]["results"] == [{"name": "r", "type": "string", "value": "a b;c;"}]
    assert run["metadata"]["labels"] == {"tekton.dev/task": "greet"}


OBJECT = """
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: p}
spec:
  params: [{name: o, type: object, properties: {k: {}}}]
  tasks: [{name: a, taskSpec: {steps: [{image: i, script: x}]}}]
"""


@pytest.mark.parametrize(
    ("text", "params", "said"),
    [
        ("", {}, "There is nothing to run."),
        ("a: [", {}, "run.yaml"),
        ("apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec: {stepz: []}\n", {}, "spec.stepz"),
        (OBJECT, {"o": "text"}, "The param o is of type object."),
        (pipeline_run("tasks: [{name: a}]", spec="status: PipelineRunPending"), {}, "exactly one of taskRef"),
        (
            pipeline_run("tasks: [{name: a, taskSpec: {steps: [{image: i}]}}]", spec="status: PipelineRunPending"),
            {},
            "asks not to be started",
        ),
    ],
    ids=["nothing", "no yaml", "typo", "type", "neither", "pending"],
)
def test_what_cannot_be_run_is_an_error_and_no_run(
    tmp_path: Path, text: str, params: dict[str, str], said: str
) -> None:
    """It says what, and what to do."""
    with pytest.raises(errors.LockstepError, match=said.replace(".", r"\.")):
        _run(tmp_path, text, Wishes(params=params))


def test_two_pipelines_and_no_run_are_one_too_many(tmp_path: Path) -> None:
    """Nobody guesses which one was meant."""
    one = "apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata: {name: %s}\nspec: {tasks: []}\n---\n"
    with pytest.raises(errors.InputError, match="several to run: a, b"):
        _run(tmp_path, one % "a" + one % "b")


ASKING = """
tasks:
- name: ask
  taskRef: {apiVersion: lockstep.dev/v1alpha1, kind: Approval}
  params: [{name: approvers, value: ["group:g"]}]
- {name: go, runAfter: [ask], params: [{name: by, value: $(tasks.ask.results.approved-by)}], taskSpec: SPEC}
finally: [{name: tell, taskSpec: {steps: [{image: i, script: echo told}]}}]
""".replace("SPEC", "{params: [{name: by}], steps: [{image: i, script: echo by $(params.by)}]}")


def test_an_approval_is_answered_in_the_name_that_was_given(tmp_path: Path) -> None:
    """Who runs a file alone is whoever may approve."""
    run, said = _run(tmp_path, pipeline_run(ASKING), Wishes(approve_as="kim"))
    assert _reason(run["status"]) == "Succeeded"
    assert "by kim\n" in said


def test_a_run_that_asks_and_nobody_can_answer_is_cancelled_with_its_finally(tmp_path: Path) -> None:
    """Waiting would be for ever."""
    run, said = _run(tmp_path, pipeline_run(ASKING))
    assert _reason(run["status"]) == "Cancelled"
    assert _reason(_of(run, "ask")) == "CustomRunCancelled"
    assert "Nobody can answer here: cancelled." in said
    assert "told\n" in said


def test_values_of_secrets_are_not_shown(tmp_path: Path) -> None:
    """Also cut in two by the pieces in which a log comes."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: hush-hush-hush}\n---\n"
    step = "{image: i, env: [{name: T, valueFrom: {secretKeyRef: {name: s, key: token}}}], script: 'echo it is $T'}"
    _, said = _run(tmp_path, secret + pipeline_run(f"tasks: [{{name: a, taskSpec: {{steps: [{step}]}}}}]"))
    assert "it is ***\n" in said
    assert "hush" not in said


def test_what_is_worth_a_second_look_is_said_before_anything_runs(tmp_path: Path) -> None:
    """Where it stands, in the file that was given."""
    task = "{name: a, taskSpec: {steps: [{image: i, script: echo $(params.ref)}]}}"
    _, said = _run(tmp_path, pipeline_run(f"params: [{{name: ref, default: main}}]\ntasks: [{task}]"))
    first = said.splitlines()[0]
    assert first.startswith(f"note: {tmp_path}/run.yaml:")
    assert "whoever chooses its value chooses what is run" in first


HOSTILE = ("-n", "--help", "$(reboot)", "'; touch /evil; '", "a\nb", "日本 ✓", "$(params.v)", "")


def test_a_value_that_looks_like_something_else_is_a_value(tmp_path: Path) -> None:
    """Options, other programs, lines, letters, variables: by env and by argument it comes through as it is."""
    names = [f"V{number}" for number in range(len(HOSTILE))]
    step = {
        "image": "busybox",
        "env": [{"name": name, "value": f"$(params.v[{number}])"} for number, name in enumerate(names)],
        "args": ["$(params.v[*])"],
        "script": "printf '%s|' " + " ".join(f'"${name}"' for name in names) + ' "$@" > $(results.r.path)',
    }
    task = {
        "name": "a",
        "params": [{"name": "v", "value": ["$(params.v[*])"]}],
        "taskSpec": {"params": [{"name": "v", "type": "array"}], "results": [{"name": "r"}], "steps": [step]},
    }
    spec = {"params": [{"name": "v", "type": "array"}], "tasks": [task]}
    pipeline = {"apiVersion": "tekton.dev/v1", "kind": "Pipeline", "metadata": {"name": "p"}, "spec": spec}
    run, _ = _run(tmp_path, json.dumps(pipeline), Wishes(params={"v": json.dumps(HOSTILE)}))
    (result,) = _of(run, "a")["results"]
    assert result["value"].split("|") == [*HOSTILE, *HOSTILE, ""]


@pytest.mark.parametrize(("script", "code"), [("true", 0), ("exit 7", 1)])
def test_the_command_says_by_its_exit_code_how_it_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str, code: int
) -> None:
    """The object goes to stdout, everything else beside it."""
    (tmp_path / "run.yaml").write_text(
        pipeline_run(f"tasks: [{{name: a, taskSpec: {{steps: [{{image: i, script: echo here && {script}}}]}}}}]")
    )
    arguments = ["pipeline", "run", "-f", str(tmp_path / "run.yaml"), "-o", "json"]
    assert group.main(arguments, standalone_mode=False) == code
    said = capsys.readouterr()
    assert json.loads(said.out)["status"]["conditions"][0]["status"] == str(code == 0)
    assert "here\n" in said.err


def test_a_file_that_is_not_there_is_exit_code_two(tmp_path: Path) -> None:
    """It could not be run."""
    with pytest.raises(frame.CommandError, match="cannot be read") as caught:
        group.main(["pipeline", "run", "-f", str(tmp_path / "none.yaml")], standalone_mode=False)
    assert caught.value.code == 2


@pytest.mark.needs("root")
def test_an_ordinary_user_can_run_files_too(tmp_path: Path) -> None:
    """Its steps are itself, and nobody else; the run says how they saw the machine."""
    python = Path(sys.executable).resolve()
    if any(parent.stat().st_mode & 0o001 == 0 for parent in python.parents):
        pytest.skip("this Python is closed to other users")
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    (tmp_path / "run.yaml").write_text(
        pipeline_run("tasks: [{name: a, taskSpec: {steps: [{image: i, script: id -u}]}}]")
    )
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)}
    program = "import sys; from console.cli.main import main; sys.argv[0] = 'lockstep'; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-c", program, "pipeline", "run", "-f", str(tmp_path / "run.yaml")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environ,
        user=65534,
        group=65534,
        extra_groups=[],
    )
    assert ended.returncode == 0, ended.stderr
    assert "65534" in ended.stderr
