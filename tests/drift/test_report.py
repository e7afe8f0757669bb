"""What is stored, put together to be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from drift import report, two_way
from drift.expected import Rules
from drift.health import FROM_FILES
from drift.report import Report
from lockstep.store import answers, findings, scans
from lockstep.store.database import Database
from lockstep.store.views import drift as views
from lockstep.values import Json, Stance, Verdict
from tests.drift import golden, world
from tests.drift.test_two_way import config, inventory
from tests.drift.world import PAIR, WARM, World
from tests.support import drifting

STALE = timedelta(minutes=15)


@pytest.fixture
def shop(tmp_path: Path, file_database: Database) -> World:
    """The shop, deployed everywhere."""
    made = World.make(tmp_path, file_database)
    made.commit("a" * 40, world.deployment(), world.config(mode="live"))
    for site in ("seoul", "sejong", "daegu"):
        made.deploy(site)
    return made


def told(shop: World, *, later: timedelta = timedelta(0)) -> Report:
    """The report of everything that is stored."""
    topology = shop.scanning.topology()
    with shop.scanning.database.read() as connection:
        known, found = views.scans_of(connection), views.unresolved(connection, ["shop"])
    asked = [(shop.shop, pair) for pair, _ in topology.pairs_of(shop.shop)]
    return report.of_store(known, found, asked, now=shop.clock.now() + later, stale=STALE)


def suspend(manifest: dict[str, Json]) -> None:
    """A change by hand."""
    manifest["spec"]["paused"] = True


def test_what_is_in_step_everywhere_ends_with_zero(shop: World) -> None:
    """An archive that was written by us is as good as in step; what the sites explain is told apart."""
    shop.scan(PAIR)
    shop.scan(WARM)
    found = told(shop)
    assert (found.verdict, found.exit_code, found.differences) == (Verdict.DISPERSED, report.IN_STEP, ())
    paths = {entry.row.people_path for entry in found.explained}
    assert paths == {"spec.replicas", "spec.template.spec.containers[web].image"}
    assert [one.explained for one in found.compared] == [1, 2]


def test_a_difference_ends_with_one_and_says_where_and_since_when(shop: World) -> None:
    """Its place is a JSON Pointer and the way people write it; a later comparison leaves its age."""
    shop.edit("sejong", "Deployment", "web", suspend)
    shop.scan(WARM)
    shop.scan(PAIR)
    first = shop.clock.now()
    shop.scan(PAIR)
    found = told(shop)
    (entry,) = found.differences
    assert (found.verdict, found.exit_code) == (Verdict.STANDBY_DRIFT, report.DRIFT)
    assert (entry.row.site, entry.row.path, entry.row.people_path) == ("sejong", "/spec/paused", "spec.paused")
    assert (entry.since, entry.sites, entry.behind) == (first, ("seoul", "sejong"), False)


def test_what_nobody_has_compared_is_unknown(shop: World) -> None:
    """A pair without a comparison makes the whole Unknown, and it is named."""
    shop.scan(PAIR)
    found = told(shop)
    assert found.uncompared == (("shop", WARM),)
    assert (found.verdict, found.exit_code) == (Verdict.UNKNOWN, report.UNKNOWN)


def test_a_report_of_nothing_is_not_in_step() -> None:
    """Nothing was compared, so nothing was found equal."""
    empty = Report(made_at=drifting.NOW, compared=(), differences=())
    assert (empty.verdict, empty.exit_code) == (Verdict.UNKNOWN, report.UNKNOWN)


def test_old_evidence_is_unknown_and_says_what_it_was(shop: World) -> None:
    """One moment before the deadline it still stands."""
    shop.scan(WARM)
    shop.scan(PAIR)
    fresh, old = told(shop, later=STALE - timedelta(seconds=60)), told(shop, later=STALE + timedelta(seconds=1))
    assert fresh.exit_code == report.IN_STEP
    assert old.exit_code == report.UNKNOWN
    assert [(one.verdict, one.stale) for one in old.compared] == [(Verdict.UNKNOWN, True)] * 2
    assert {one.was for one in old.compared} == {Verdict.DISPERSED, Verdict.IN_SYNC}


def test_what_a_blind_comparison_could_not_see_is_told_as_it_was(shop: World, tmp_path: Path) -> None:
    """The site is Unknown, the difference that it had is still there, and says that nobody saw it this time."""
    shop.edit("sejong", "Deployment", "web", suspend)
    shop.scan(PAIR)
    (tmp_path / "sejong" / "cluster").rename(tmp_path / "gone")
    shop.scan(PAIR)
    found = told(shop)
    behind = {entry.row.people_path: entry.behind for entry in found.differences}
    assert behind == {"spec.paused": True, "everything at sejong": False}
    assert found.compared[0].problem.startswith("everything at sejong: ")


def test_a_switched_pair_is_told_from_its_truth(shop: World) -> None:
    """The standby is the truth now."""
    shop.stance(PAIR, Stance.SWITCHED)
    shop.scan(PAIR)
    assert told(shop).compared[0].sites == ("sejong", "seoul")


def test_a_waiver_that_has_ended_is_open_again(shop: World) -> None:
    """Even before the next comparison says so."""
    shop.edit("sejong", "Deployment", "web", suspend)
    shop.scan(PAIR)
    until = shop.clock.now() + timedelta(minutes=5)
    with shop.scanning.database.write() as connection:
        answers.waive(connection, shop.findings()[0].id, by="kim", note="a drill", until=until, at=shop.clock.now())
    before, after = told(shop), told(shop, later=timedelta(minutes=6))
    assert [(entry.state, entry.by, entry.said) for entry in before.differences] == [("waived", "kim", "a drill")]
    assert [entry.state for entry in after.differences] == ["open"]
    assert before.exit_code == after.exit_code == report.UNKNOWN


def test_declared_differences_are_told_apart(shop: World) -> None:
    """They are no drift."""
    shop.scan(WARM)
    with shop.scanning.database.write() as connection:
        scan = scans.Scan(
            application="shop",
            pair=PAIR,
            verdict=Verdict.DECLARED,
            revision="a" * 40,
            stance="normal",
            coverage={},
            counts={"Declared": 1},
            problem="",
            objects=2,
            started_at=shop.clock.now(),
            ended_at=shop.clock.now(),
        )
        row = drifting.entry(Verdict.DECLARED).row
        findings.record(connection, scan, [row.to_seen()], hidden=lambda _key, _site: False)
    found = told(shop)
    assert (found.exit_code, found.differences, len(found.declared)) == (report.IN_STEP, (), 1)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_exit_code_follows_the_verdict(verdict: Verdict) -> None:
    """2 for Unknown, 0 for what is in step, 1 for everything else."""
    in_step = verdict in (Verdict.IN_SYNC, Verdict.DECLARED, Verdict.DISPERSED)
    wanted = report.UNKNOWN if verdict is Verdict.UNKNOWN else report.IN_STEP if in_step else report.DRIFT
    assert report.exit_code(verdict) == wanted


def test_two_ends_are_a_report_too() -> None:
    """Without an application, a pair or git."""
    left, right = inventory(config("a", "1")), inventory(config("a", "2"))
    found = two_way.diff(left, right, Rules([], today=golden.TODAY), sealer=golden.SEALER)
    made = report.of_ends(
        found,
        ("old.json", "new.json"),
        read=(left, right),
        vitals=(FROM_FILES, FROM_FILES),
        started=drifting.NOW,
        ended=drifting.NOW,
    )
    assert [(one.row.verdict, one.row.path, one.row.site) for one in made.differences] == [
        (Verdict.DIVERGED, "/data/a", "old.json,new.json")
    ]
    assert made.exit_code == report.DRIFT


def test_the_json_form_holds_everything_and_can_be_read_back(shop: World) -> None:
    """Its rows have the fields that programs go by."""
    shop.edit("seoul", "Deployment", "web", suspend)
    shop.scan(PAIR)
    shop.scan(WARM)
    value = orjson.loads(orjson.dumps(told(shop).to_json()))
    assert value["verdict"] == "PrimaryHotfix"
    assert [(one["pair"], one["verdict"], one["site"], one["path"]) for one in value["differences"]] == [
        (WARM, "PrimaryHotfix", "seoul", "/spec/paused"),
        (PAIR, "PrimaryHotfix", "seoul", "/spec/paused"),
    ]
    assert {one["pair"]: (one["truth"], one["follower"], one["stale"]) for one in value["scans"]} == {
        WARM: ("seoul", "daegu", False),
        PAIR: ("seoul", "sejong", False),
    }
    assert value["coverage"][0]["sites"]["seoul"]["objects"] == 2


def test_an_explained_row_survives_the_store() -> None:
    """What is read back is what was written, but for its severity."""
    row = replace(drifting.entry(note="why").row, severity=0.0, rules=("a", "b"))
    assert type(row).from_json(orjson.loads(orjson.dumps(row.to_json()))) == row
