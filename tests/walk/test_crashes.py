"""The service is killed at every named place of one walk, started again, and the walk ends the same."""

from __future__ import annotations

import json
import signal

import pytest

from console.demo.product import until
from lockstep.crash import Point
from tests.walk.conftest import Bench

# Each step of the pipeline says its own line; a finished step must not say it again.
# The walk tells nobody; what is killed while it tells somebody stands in tests/console/notices.
POINTS = [point for point in Point if point is not Point.MESSAGE_SENT]
# What the first look at a forge and its sites does too, before anybody pushes.
OF_FIRST_LOOK = {Point.IN_FETCH, Point.BETWEEN_SITES}
LINES = ("Checked ", "out/app/version")


@pytest.mark.chaos
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.value)
def test_a_walk_that_is_killed_anywhere_ends_the_same(bench: Bench, point: Point) -> None:
    """After SIGKILL and a new start the run succeeds, nothing is doubled, and no finished step runs again."""
    if point is Point.BEFORE_FINDING:
        # Every application is compared at the first start; the comparison after the deploy is the one that counts.
        bench.start()
        bench.waiting(bench.push())
        bench.service.stop()
        bench.start(crash_at=point.value)
    else:
        if point in OF_FIRST_LOOK:
            # It would die of what was there before, and could not be told of the push.
            bench.start()
            until("what was there is known", bench.known)
            bench.service.stop()
        bench.start(crash_at=point.value)
        bench.push()
    until(f"the service died at {point.value}", bench.goes_on_until_dead)
    assert bench.service.ended == -signal.SIGKILL
    bench.start()
    ended = until("the run has ended", bench.goes_on)
    until("the comparison is stored", lambda: bench.ask("drift", "--stored", codes=(0, 1, 2))["scans"])
    assert ended["reason"] == "Succeeded"
    assert [run["name"] for run in bench.runs()] == [ended["name"]]
    assert len(bench.ask("events", "list")) == 1
    log = bench.log(ended["name"])
    interrupted = point is Point.IN_STEP
    for line in LINES:
        assert log.count(line) <= (2 if interrupted else 1), (line, log)
    sites = {task["name"]: task["detail"] for task in ended["tasks"]}["deploy"]["sites"]
    assert {site: found["state"] for site, found in sites.items()} == dict.fromkeys(
        ("seoul", "sejong", "daegu"), "done"
    )
    report = bench.ask("drift", codes=(0,))
    assert report["differences"] == [], json.dumps(report)
