"""The stages of a delivery are plain Tekton documents of whoever runs it: nothing depends on their names or number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from console.demo.product import until
from tests.walk.conftest import Bench

Tasks = list[dict[str, Any]]


def _rewrite(bench: Bench, change: Callable[[Tasks], Tasks]) -> None:
    """Change the tasks of the pipeline in the configuration."""
    file = bench.ground.config / "pipeline.yaml"
    documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    (pipeline,) = (one for one in documents if one["kind"] == "Pipeline")
    pipeline["spec"]["tasks"] = change(pipeline["spec"]["tasks"])
    file.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")


_NAMES = {"fetch": "get", "image": "pack", "push": "ship", "approve": "sign", "deploy": "roll"}


def _renamed(tasks: Tasks) -> Tasks:
    text = yaml.safe_dump(tasks)
    for old, new in _NAMES.items():
        text = text.replace(f"$(tasks.{old}.", f"$(tasks.{new}.")
    renamed: Tasks = yaml.safe_load(text)
    for task in renamed:
        task["name"] = _NAMES.get(task["name"], task["name"])
        task["runAfter"] = [_NAMES.get(name, name) for name in task.get("runAfter", [])]
    return renamed


def _with_an_eighth(tasks: Tasks) -> Tasks:
    scan = {"image": "any", "name": "scan", "script": "echo scanned > $(results.verdict.path)"}
    spec = {"results": [{"name": "verdict"}], "steps": [scan]}
    last = next(one for one in tasks if one["name"] == "deploy")
    last["when"] = [{"input": "$(tasks.scan.results.verdict)", "operator": "notin", "values": ["bad\n"]}]
    return [*tasks, {"name": "scan", "runAfter": ["build"], "taskSpec": spec}]


def _without_approve(tasks: Tasks) -> Tasks:
    kept = [one for one in tasks if one["name"] != "approve"]
    next(one for one in kept if one["name"] == "deploy")["runAfter"] = ["push"]
    return kept


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (_renamed, {"get", "validate", "build", "pack", "ship", "sign", "roll"}),
        (_with_an_eighth, {"fetch", "validate", "build", "image", "push", "approve", "deploy", "scan"}),
        (_without_approve, {"fetch", "validate", "build", "image", "push", "deploy"}),
    ],
    ids=["renamed", "an eighth", "without approve"],
)
def test_stages_can_be_renamed_added_and_removed(
    bench: Bench, change: Callable[[Tasks], Tasks], names: set[str]
) -> None:
    """The run has the tasks that the document has, and the sites get the objects."""
    _rewrite(bench, change)
    bench.start()
    bench.push()
    run = until("the run has ended", bench.goes_on)
    shown = bench.ask("pipeline", "show", run["name"])
    assert (shown["reason"], {task["name"] for task in shown["tasks"]}) == ("Succeeded", names)
    assert list((bench.ground.site("sejong") / "cluster").rglob("Deployment*/web.yaml"))
