"""Bad rules are findings: stored, and resolved when the rule is mended; they change no verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from drift import explain, report
from lockstep import errors
from lockstep.store.database import Database
from lockstep.values import Json, Verdict
from tests.drift import golden
from tests.drift.world import PAIR, World, config, deployment


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """Deployed everywhere."""
    made = World.make(tmp_path, file_database)
    made.commit("a" * 40, deployment(), config(mode="fast"))
    for site in ("seoul", "sejong"):
        made.deploy(site)
    return made


def with_rules(world: World, **rules: dict[str, Json]) -> None:
    """Put rules into the configuration."""
    documents = {name: golden.rule(name, **{"applications": ["shop"], **spec}) for name, spec in rules.items()}
    changed = replace(world.scanning.topology(), expected_differences=documents)
    world.scanning = replace(world.scanning, topology=lambda: changed)


def rule_findings(world: World) -> list[tuple[str, str, str]]:
    """Name, problem and state of every finding about a rule."""
    return [
        (one.name, one.people_path, one.state) for one in world.findings(state="") if one.kind == "ExpectedDifference"
    ]


def test_a_rule_that_matches_nothing_is_a_finding_until_it_is_gone(world: World) -> None:
    """Minor, beside a verdict that stays what it is; reports have it among their rules."""
    with_rules(world, hosts={"at": ["ConfigMap /data/host"], "ignore": True})
    world.scan()
    assert rule_findings(world) == [("hosts", "unused", "open")]
    assert world.verdict() is Verdict.IN_SYNC
    (found,) = world.findings()
    with pytest.raises(errors.InputError, match="about a rule"):
        explain.propose(
            report.row_of(found), application="shop", facts=golden.FACTS, switched=False, today=golden.TODAY
        )
    with_rules(world)
    world.scan()
    assert rule_findings(world) == [("hosts", "unused", "resolved")]


def test_an_expired_rule_is_told_whose_it_is(world: World) -> None:
    """A major: it explains nothing any more."""
    with_rules(world, hosts={"at": ["ConfigMap /data/host"], "ignore": True, "expires": date(2020, 1, 1)})
    world.scan()
    assert rule_findings(world) == [("hosts", "expired", "open")]
    (found,) = world.findings()
    assert found.severity >= 0.5
    assert "2020-01-01" in str(found.cause["note"])


def test_a_rule_for_many_applications_need_not_match_in_each(world: World) -> None:
    """It is for whoever needs it."""
    with_rules(world, hosts={"at": ["ConfigMap /data/host"], "ignore": True, "applications": []})
    world.scan()
    assert rule_findings(world) == []


def test_a_rule_that_explains_too_much_is_a_blocker(world: World) -> None:
    """Whatever drifts next would be hidden by it too."""
    for site, value in (("seoul", "a"), ("sejong", "b")):
        for number in range(12):
            manifest = config(f"outside-{number}", x=value)
            manifest["metadata"]["namespace"] = "shop"
            world.cluster(site).apply(manifest)
    with_rules(world, all={"at": ["ConfigMap /data"], "ignore": True})
    world.scan(PAIR)
    assert rule_findings(world) == [("all", "wide", "open")]
    (found,) = [one for one in world.findings() if one.kind == "ExpectedDifference"]
    assert found.severity >= 0.8


def test_rules_that_contradict_each_other_are_findings_and_the_difference_stays_one(world: World) -> None:
    """Blockers, each with the other's name; nothing is explained by either."""
    for site, value in (("seoul", "a"), ("sejong", "b")):
        manifest = config("outside", x=value)
        manifest["metadata"]["namespace"] = "shop"
        world.cluster(site).apply(manifest)
    with_rules(
        world,
        one={"at": ["ConfigMap/out* /data/x"], "ignore": True},
        two={"at": ["ConfigMap/*side /data/x"], "map": [{"from": "a", "to": "z"}]},
    )
    assert ("Diverged", "seoul,sejong", "/data/x") in world.scan(PAIR)
    assert sorted(rule_findings(world)) == [("one", "contradicted", "open"), ("two", "contradicted", "open")]
    assert all(one.severity >= 0.8 for one in world.findings() if one.kind == "ExpectedDifference")


def test_who_has_not_seen_everything_resolves_no_finding_about_a_rule(world: World) -> None:
    """The rule may be needed for what is hidden, or not: nobody can say."""
    with_rules(world, hosts={"at": ["ConfigMap /data/host"], "ignore": True})
    world.scan()
    world.git.broken = "The repository cannot be read."
    world.scan()
    assert rule_findings(world) == [("hosts", "unused", "open")]
