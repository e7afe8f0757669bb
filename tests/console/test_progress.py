"""How a run and its tasks stand, read from rows that may be incomplete."""

from __future__ import annotations

from typing import Any

import pytest

from console import progress
from console.progress import Shown
from lockstep.store import runs
from lockstep.store import tasks as stored
from lockstep.store.database import Database
from tests.support import bank

TASKS = [{"name": "build"}, {"name": "push", "runAfter": ["build"]}]
PIPELINE = {"tasks": TASKS, "finally": [{"name": "notify"}]}


def shown(database: Database, tasks: dict[str, dict[str, Any]], **changes: Any) -> Shown:
    """A run of two stages with these tasks, as it is shown."""
    with database.write() as connection:
        number = bank.run(connection, "r", **{"snapshot": {"pipeline": PIPELINE}, **changes})
        for name, values in tasks.items():
            bank.task(connection, number, name.partition("#")[0], **values)
        whole = runs.whole(connection, runs.named(connection, "r").id)
        return progress.show(whole, stored.of_run(connection, number), stored.steps_of_run(connection, number))


RUNNING = {"state": "running", "status": "Unknown", "reason": "Running", "ended_at": None}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"state": "pending", "status": "Unknown", "reason": "Started"}, "queued"),
        (RUNNING, "running"),
        ({}, "succeeded"),
        ({"status": "False", "reason": "Failed"}, "failed"),
        ({"status": "False", "reason": "PipelineRunTimeout"}, "failed"),
        ({"status": "False", "reason": "Cancelled"}, "cancelled"),
        ({"status": "False", "reason": "Cancelled", "superseded_by": "next"}, "superseded"),
    ],
    ids=str,
)
def test_a_run_stands_as_its_condition_says(file_database: Database, changes: dict[str, Any], wanted: str) -> None:
    """State, status and reason become one word."""
    assert shown(file_database, {}, **changes).progress == wanted


def test_tasks_stand_in_the_order_of_the_pipeline(file_database: Database) -> None:
    """Those that were not started are there too, and those that always run come last."""
    seen = shown(file_database, {"build": {}}, **RUNNING)
    assert [(task.name, task.progress) for task in seen.tasks] == [
        ("build", "succeeded"),
        ("push", "pending"),
        ("notify", "pending"),
    ]
    assert [(line.start, line.end) for line in seen.picture.lines] == [("build", "push")]
    assert seen.live


def test_what_was_skipped_says_why(file_database: Database) -> None:
    """Tekton's list of skipped tasks gives the reason; what an ended run never started was skipped as well."""
    skipped = [{"name": "push", "reason": "When Expressions evaluated to false"}, "no object"]
    seen = shown(file_database, {"build": {}}, skipped=skipped)
    assert (seen.task("push").progress, seen.task("push").why) == ("skipped", "When Expressions evaluated to false")
    assert (seen.task("notify").progress, seen.live) == ("skipped", False)


def test_of_several_combinations_the_one_that_needs_attention_speaks(file_database: Database) -> None:
    """A matrix is one task; it fails when one combination does, and took as long as all of them."""
    failed = {"combination": 1, "status": "False", "reason": "Failed", "ended_at": bank.ago(minutes=4)}
    seen = shown(file_database, {"build#0": {"combination": 0}, "build#1": failed}, **RUNNING)
    task = seen.task("build")
    assert (task.progress, len(task.rows)) == ("failed", 2)
    assert (task.started_at, task.ended_at) == (bank.ago(minutes=11), bank.ago(minutes=4))


def test_what_ran_without_a_document_is_shown(file_database: Database) -> None:
    """A task that stands in no pipeline, and a snapshot of another shape, hide nothing."""
    seen = shown(file_database, {"stray": {}}, snapshot={"pipeline": None})
    assert [(task.name, task.progress) for task in seen.tasks] == [("stray", "succeeded")]
    assert len(seen.picture.boxes) == 1
