"""What happens between a push and the objects at every site, with the service as a process."""

from __future__ import annotations

from pathlib import Path

import yaml

from console.demo.product import until
from tests.walk.conftest import Bench

# What a comparison says when it saw everything and all is well.
_PROVED = ("InSync", "Dispersed")


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def _live(bench: Bench, site: str, kind: str, name: str) -> Path:
    (file,) = (bench.ground.site(site) / "cluster").rglob(f"{kind}/{name}.yaml")
    return file


def test_a_newer_push_supersedes_the_run_that_waits(started: Bench) -> None:
    """The older run is cancelled, names the newer one, and cannot be approved any more."""
    old = started.waiting(started.push("one"))
    new = started.waiting(started.push("two"))
    shown = started.ask("pipeline", "show", old["name"])
    assert (shown["state"], shown["supersededBy"]) == ("ended", new["name"])
    started.ask("pipeline", "approve", old["name"], "--by", "kim", codes=(1,))
    started.approve(new["name"])
    assert started.ended(new["name"])["reason"] == "Succeeded"


def test_a_deploy_is_compared_at_once(started: Bench) -> None:
    """Nobody has to ask: each pair has a fresh verdict as soon as its sites are written."""
    run = started.deliver()

    def verdicts() -> dict[str, str] | None:
        found = {scan.pair: scan for scan in started.scans()}
        fresh = all(scan.revision == run["revision"] and scan.verdict in _PROVED for scan in found.values())
        return {pair: scan.verdict for pair, scan in found.items()} if found and fresh else None

    assert until("both pairs are compared", verdicts) == {"seoul-sejong": "InSync", "seoul-daegu": "Dispersed"}


def test_a_rejected_run_deploys_nothing(started: Bench) -> None:
    """One person says no: the run fails and every site stays empty."""
    run = started.waiting(started.push())
    started.ask("pipeline", "reject", run["name"], "--by", "lee", "--comment", "not on a Friday")
    ended = started.ended(run["name"])
    assert ended["reason"] == "Failed"
    assert not list((started.ground.site("seoul") / "cluster").rglob("Deployment*"))


def test_a_deploy_that_would_destroy_a_hot_fix_waits_for_a_person(started: Bench) -> None:
    """What was changed by hand at the primary is not overwritten before somebody has seen it."""
    started.deliver("the first version")
    live = _live(started, "seoul", "ConfigMap.core", "shop")
    _edit(live, "welcome to the shop", "closed for repair")
    _edit(started.ground.work / "app/server.py", "The shop", "Our shop")
    run = started.waiting(started.push("a new server"))
    (question,) = run["waiting"]
    assert any("/data/GREETING" in need for need in question["bound"]["needs"])
    started.ask("pipeline", "reject", run["name"], "--by", "lee")
    started.ended(run["name"])
    assert "closed for repair" in live.read_text(encoding="utf-8")


def test_a_hot_fix_that_is_made_after_the_approval_stops_the_deploy(started: Bench) -> None:
    """The approval was of a plan that destroyed nothing; now it would, and a guard asks again."""
    started.deliver("the first version")
    _edit(started.ground.work / "deploy/base/configuration.yaml", "welcome to the shop", "welcome again")
    run = started.waiting(started.push("a new greeting"))
    _edit(_live(started, "seoul", "ConfigMap.core", "shop"), "welcome to the shop", "closed for repair")
    started.approve(run["name"])

    def guarded() -> bool:
        shown = started.ask("pipeline", "show", run["name"])
        return any(one["kind"] == "guard" for one in shown["waiting"])

    until("the guard asks", guarded)
    started.approve(run["name"])
    assert started.ended(run["name"])["reason"] == "Succeeded"
    greeting = yaml.safe_load(_live(started, "seoul", "ConfigMap.core", "shop").read_text(encoding="utf-8"))["data"]
    assert greeting["GREETING"] == "welcome again"


def test_nothing_is_written_towards_the_site_that_is_now_the_truth(started: Bench) -> None:
    """In the stance switched the standby gets no commit, no image and no object."""
    started.deliver("the first version")
    before = _everything(started, "sejong")
    started.ask("pair", "stance", "seoul-sejong", "switched", "--reason", "fire in seoul-dc1")
    mark = _everything(started, "sejong") - before
    assert all("lockstep-system" in name for name in mark)
    before = _everything(started, "sejong")
    _edit(started.ground.work / "deploy/base/web.yaml", "replicas: 3", "replicas: 4")
    commit = started.push("more replicas")
    run = started.waiting(commit)
    started.approve(run["name"])
    ended = started.ended(run["name"])
    sites = {task["name"]: task["detail"] for task in ended["tasks"]}["deploy"]["sites"]
    assert sites["sejong"]["state"] == "held"
    assert _everything(started, "sejong") == before
    report = started.ask("sync", "git", codes=(1,))
    assert {one["site"]: one["state"] for one in report["sites"]}["sejong"] == "held"


def _everything(bench: Bench, site: str) -> set[str]:
    """Every file of a site, with its content."""
    root = bench.ground.site(site)
    return {f"{file.relative_to(root)}:{file.read_bytes().hex()}" for file in root.rglob("*") if file.is_file()}


def test_a_deploy_by_hand_without_a_service_does_its_own_work(bench: Bench) -> None:
    """The command line is enough: sync, start, approve and deploy work with no service running."""
    bench.start()
    bench.deliver("the first version")
    bench.service.stop()
    live = _live(bench, "sejong", "ConfigMap.core", "shop")
    _edit(live, "welcome to the shop", "changed by hand")
    dry = bench.ask("deploy", "shop", "--site", "sejong", "--dry-run", codes=(1,))
    assert [step["action"] for step in dry["sites"]["sejong"]["plan"]["steps"]] == ["change"]
    bench.ask("deploy", "shop", "--site", "sejong")
    assert "welcome to the shop" in live.read_text(encoding="utf-8")
    bench.ask("deploy", "shop", "--site", "sejong", "--dry-run")
