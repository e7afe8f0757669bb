"""How a run stands, as commands tell it."""

from __future__ import annotations

from dataclasses import replace

from console.cli import showing
from lockstep.store import runs, tasks
from tests.support import bank

RUN = runs.Run(
    id=1,
    name="shop-1",
    pipeline="deploy",
    application="shop",
    revision=bank.COMMIT,
    cause={},
    state="ended",
    status="False",
    reason="Failed",
    message="Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 0",
    requested="",
    superseded_by="",
    created_at=bank.NOW,
    started_at=bank.NOW,
    finally_at=None,
    ended_at=bank.NOW,
    waiting=0,
)
FAILED = tasks.Task(
    id=1,
    run=1,
    pipeline_task="apply",
    combination=0,
    name="shop-1-apply",
    kind="CustomRun",
    section="tasks",
    state="ended",
    status="False",
    reason="Failed",
    message="sejong does not answer.",
    asked="",
    attempt=1,
    retries=(),
    params={},
    results=(),
    detail={},
    created_at=bank.NOW,
    started_at=bank.NOW,
    ended_at=bank.NOW,
)


def test_a_failed_run_says_why_each_of_its_tasks_failed() -> None:
    """What counts tasks tells nobody what to do; those that went well are no reason."""
    well = replace(FAILED, name="shop-1-check", status="True", reason="Succeeded", message="All is well.")
    found = showing.Look(run=RUN, skipped=(), tasks=[well, FAILED, replace(FAILED, message="")], open=[])
    assert found.failures == ["shop-1-apply: Failed. sejong does not answer.", "shop-1-apply: Failed."]
