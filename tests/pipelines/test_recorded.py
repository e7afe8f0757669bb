"""Runs that real Tekton finished, walked again: every condition, skip, child and result is the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from lockstep.documents import dump
from lockstep.values import Json
from pipelines import admission, documents
from tests.support import tekton

CASES = sorted(Path(__file__).with_name("recorded").glob("*.yaml"))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_a_run_that_tekton_recorded_ends_the_same(file: Path) -> None:
    """Condition, skipped tasks, child references, params and results are those that Tekton wrote."""
    case = yaml.safe_load(file.read_text())
    taken = tekton.snapshot_of(dump(case["submitted"]))
    expected = case["expected"]
    if not case["children"]:
        with pytest.raises(admission.Refusal) as caught:
            admission.pipeline_run(taken)
        assert _plain(caught.value.condition) == expected["condition"]
        return
    plan = admission.pipeline_run(taken)
    walk = tekton.Walk(plan)
    decision = walk.step()
    for _ in range(len(plan.nodes) + 1):
        facts = _facts(case, walk)
        decision = walk.step(**facts)
        _end_as_recorded(walk, case["children"], decision.stop)
    decision = walk.step(**_facts(case, walk))
    assert _plain(decision.condition) == expected["condition"]
    assert [_reference(start) for start in walk.started] == expected["childReferences"]
    skipped = [
        {"name": one.name, "reason": one.reason.value, **({"whenExpressions": list(one.when)} if one.when else {})}
        for one in decision.skipped
    ]
    assert skipped == expected["skippedTasks"]
    assert {name: documents.as_json(value) for name, value in decision.results} == expected["results"]
    for start in walk.started:
        recorded = case["children"][start.name]
        if "params" in recorded:
            assert dict(start.params) == recorded["params"]


def _plain(condition: object) -> dict[str, str]:
    return {key: getattr(condition, key) for key in ("status", "reason", "message")}


def _reference(start: object) -> dict[str, str]:
    node = start.node  # type: ignore[attr-defined]  # a graph.Start
    kind = "CustomRun" if node.spec is None else "TaskRun"
    return {"kind": kind, "name": start.name, "pipelineTaskName": node.name}  # type: ignore[attr-defined]  # as above


def _facts(case: dict[str, Json], walk: tekton.Walk) -> dict[str, object]:
    """What the recording says happened around the run: somebody asked, or the time ran out."""
    late = any("timed out" in child.get("asked", "") for child in case["children"].values())
    finally_began = any(start.node.section == "finally" for start in walk.started)
    elapsed = timedelta(seconds=5) if late and walk.started else timedelta()
    return {
        "requested": case.get("requested", "") if walk.started else "",
        "elapsed": elapsed,
        "tasks_elapsed": elapsed,
        "finally_elapsed": timedelta() if finally_began else None,
    }


def _end_as_recorded(walk: tekton.Walk, recorded: dict[str, Json], stop: Mapping[str, bool]) -> None:
    for name in walk.running:
        how = recorded[name]
        if how["status"] == "Unknown":
            continue
        if "asked" in how:
            if name not in stop:
                continue
            assert stop[name] == ("timed out" in how["asked"])
        results = {key: documents.value_of(value) for key, value in how.get("results", {}).items()}
        walk.end(name, how["status"], how["reason"], results=results, timed_out=stop.get(name, False))
