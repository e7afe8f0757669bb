"""A site is cut off in the middle: everywhere that a verdict is shown it is Unknown, and of the others it is not."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.demo import ground
from lockstep.clock import SystemClock
from lockstep.store.database import open_database
from lockstep.topology import load
from lockstep.values import Json
from tests.console.cli.conftest import Terminal
from tests.support import images, pages

LOST, OTHER = "seoul-sejong", "seoul-daegu"


def _verdicts(report: Json) -> dict[str, str]:
    return {one["pair"]: one["verdict"] for one in report["scans"]}


def _house(made: ground.Ground, later: timedelta) -> pages.House:
    """The pages and the metrics of the service on the same database, some time from now."""
    topology = load.load(made.config)
    house = pages.house(open_database(f"sqlite:///{made.state / 'lockstep.db'}"), topology=lambda: topology)
    house.clock.at = datetime.now(UTC) + later
    return house


def _told(made: ground.Ground, later: timedelta = timedelta(0)) -> tuple[dict[str, str], dict[str, str]]:
    """The verdict of each pair as the metrics and as the pages have it."""
    house = _house(made, later)
    try:
        metrics = house.client().get("/metrics").get_data(as_text=True)
        shown = house.signed_in().get("/api/v1/fleet", headers=pages.bearer()).json
        page = house.signed_in().get("/applications/shop").get_data(as_text=True)
    finally:
        house.context.database.close()
    assert shown is not None
    by_pair = {one["pair"]: one["verdict"] for one in shown["items"]}
    assert page.count('class="chip unknown"') >= list(by_pair.values()).count("Unknown")
    found = re.findall(r'lockstep_drift_verdict\{application="shop",pair="([\w-]+)",verdict="(\w+)"\} 1', metrics)
    return dict(found), by_pair


def test_a_site_that_is_lost_is_unknown_wherever_a_verdict_is_shown(terminal: Terminal, tmp_path: Path) -> None:
    """In ``drift``, on the pages, in the metrics and in ``preflight``; once the evidence is old, so is everything."""
    made = terminal.ground
    terminal.push()
    store = images.new_store(made.site("seoul") / "registry")
    images.Maker(store=store, repository="shop/web").image(images.tar_gz({"app": b"1"}), tag="latest")
    for command in (("sync", "git"), ("sync", "images"), ("deploy", "shop", "--by", "lee")):
        assert terminal.types(*command).code == 0
    assert _verdicts(terminal.types("drift", "-o", "json").json) == {LOST: "InSync", OTHER: "Dispersed"}

    shutil.move(made.site("sejong") / "cluster", tmp_path / "cut off")
    lost = {LOST: "Unknown", OTHER: "Dispersed"}
    assert _verdicts(terminal.types("drift", "-o", "json").json) == lost
    assert _told(made) == (lost, lost)
    cut = terminal.types("preflight", LOST, "-o", "json")
    assert (cut.code, "sejong" in cut.out) == (2, True)
    assert _unknown(cut.json) > _unknown(terminal.types("preflight", OTHER, "-o", "json").json)

    # Nobody compared for longer than evidence is good for.
    old = {LOST: "Unknown", OTHER: "Unknown"}
    assert _told(made, timedelta(minutes=16)) == (old, old)
    deadline = SystemClock().monotonic() + 20
    stored: Json = None
    while SystemClock().monotonic() < deadline and (stored is None or _verdicts(stored) != old):
        stored = terminal.types("--stale-after", "1", "drift", "--stored", "-o", "json").json
    assert _verdicts(stored) == old
    assert {one["stale"] for one in stored["scans"]} == {True}


def _unknown(report: Json) -> int:
    """How many answers of a preflight are that nobody could see."""
    return sum(one["outcome"] == "UNKNOWN" for one in report["results"])
