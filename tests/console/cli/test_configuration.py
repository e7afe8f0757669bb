"""``lockstep validate`` says what is wrong, and what is worth a second look."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from console.cli.main import group

SHOP = Path(__file__).parents[3] / "examples" / "shop" / "configuration"
TASK = "---\napiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: more}\nspec:\n  steps:\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The example's configuration, to be changed."""
    return Path(shutil.copytree(SHOP, tmp_path / "configuration"))


def _add(folder: Path, step: str) -> int:
    """Add a Task of one step to the pipeline's file; the line on which the step begins."""
    file = folder / "pipeline.yaml"
    text = file.read_text() + TASK
    file.write_text(f"{text}  - {step}\n")
    return text.count("\n") + 1


def test_a_task_that_cannot_run_is_a_problem(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its line, and exit code 1."""
    line = _add(shop, "{name: s, image: example.com/tool}")
    assert group.main(["validate", str(shop), "-o", "json"], standalone_mode=False) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["line"], problem["field"]) == (line, "spec.steps[0]")
    assert problem["remedy"] == "Write a command or a script."


def test_what_has_no_effect_is_a_note(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said beside the result, and nothing is wrong."""
    _add(shop, "{name: s, image: i, script: x, securityContext: {runAsUser: 0}}")
    assert group.main(["validate", str(shop)], standalone_mode=False) == 0
    said = capsys.readouterr()
    assert said.out.startswith("Nothing is wrong: ")
    assert "spec.steps[0].securityContext: has no effect where steps run without a cluster." in said.err
