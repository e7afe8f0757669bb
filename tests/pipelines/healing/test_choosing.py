"""What heals itself, and each thing that stops it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.store import lives
from lockstep.store.healings import Healing
from lockstep.store.views.drift import Brief
from lockstep.topology import direction, kinds
from lockstep.values import Stance, Verdict
from pipelines.healing import choosing
from pipelines.healing.choosing import Situation
from tests.support.topologies import topology

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PAIR = topology(("Pair", "seoul-sejong", {"primary": "seoul", "standby": "sejong"})).pairs["seoul-sejong"]


def finding(name: str = "web", verdict: Verdict = Verdict.STANDBY_DRIFT, **wishes: Any) -> Brief:
    """A finding of a Deployment at the standby."""
    known: dict[str, Any] = {
        "fingerprint": name,
        "application": "pay",
        "pair": "seoul-sejong",
        "verdict": verdict.value,
        "group": "apps",
        "kind": "Deployment",
        "namespace": "pay",
        "name": name,
        "site": "sejong",
        "people_path": "spec.replicas",
        "managed": True,
        "cause": {},
        "severity": 0.8,
        "state": "open",
        "first_seen": NOW,
        "last_seen": NOW,
        "opened_at": None,
        "away_at": None,
        "flapping": False,
    }
    return Brief(**{**known, **wishes})


def situation(*findings: Brief, stance: Stance = Stance.NORMAL, **wishes: Any) -> Situation:
    """Everything is as it should be, but for these findings."""
    known: dict[str, Any] = {
        "heal": kinds.Heal(automatic=("Deployment/*", "ConfigMap/app")),
        "faced": direction.direction_of(PAIR, stance),
        "findings": findings,
        "seen_at": NOW,
        "deployed_at": NOW - timedelta(hours=1),
        "healed": (),
        "stopped": "",
        "busy": False,
        "now": NOW,
    }
    return Situation(**{**known, **wishes})


def healed(*names: str, ago: timedelta) -> Healing:
    """What healed itself some time ago."""
    objects = tuple(f"Deployment.apps pay/{name}" for name in names)
    return Healing(
        application="pay",
        pair="seoul-sejong",
        site="sejong",
        revision="c",
        run="heal-1",
        objects=objects,
        automatic=True,
        by="lockstep",
        reason="",
        at=NOW - ago,
    )


@pytest.mark.parametrize("verdict", [Verdict.STANDBY_DRIFT, Verdict.MISSING_AT_STANDBY, Verdict.STANDBY_BEHIND])
def test_what_is_wrong_at_the_standby_alone_is_healed(verdict: Verdict) -> None:
    """With a declared difference beside it too."""
    found = choosing.choose(situation(finding(verdict=verdict), finding(verdict=Verdict.DECLARED, fingerprint="d")))
    assert found == choosing.Choice(objects=("Deployment.apps pay/web",))


@pytest.mark.parametrize(
    "other",
    [
        *(
            finding(verdict=verdict, fingerprint="x", site="seoul")
            for verdict in Verdict
            if verdict.value not in choosing.HEALABLE and verdict is not Verdict.DECLARED
        ),
        finding(fingerprint="x", state="waived"),
        finding(fingerprint="x", state="acknowledged"),
        finding(fingerprint="x", state="accepted"),
        finding(fingerprint="x", managed=False),
        finding(fingerprint="x", site="daegu"),
    ],
    ids=lambda one: f"{one.verdict}-{one.state}-{one.site}",
)
def test_an_object_in_which_anybody_else_has_a_say_is_left_alone(other: Brief) -> None:
    """A hot fix, something nobody saw, a person who looks after it, what is not in git: all of the object stays."""
    assert choosing.choose(situation(finding(), other)).objects == ()


@pytest.mark.parametrize(
    "wishes",
    [
        *({"stance": stance} for stance in Stance if stance is not Stance.NORMAL),
        {"stopped": "INC-204"},
        {"busy": True},
        {"deployed_at": NOW},
        {"heal": kinds.Heal()},
        {"heal": kinds.Heal(automatic=("ConfigMap/*",))},
    ],
    ids=str,
)
def test_nothing_is_healed_when_nobody_can_say_what_is_right(wishes: dict[str, Any]) -> None:
    """Another stance, a stop, a run, a deploy since, and kinds that nobody named."""
    assert choosing.choose(situation(finding(), **wishes)).objects == ()


@pytest.mark.parametrize("site", ["seoul", "seoul,sejong"])
def test_nothing_is_healed_while_the_primary_is_unknown(site: str) -> None:
    """Whatever could not be seen there."""
    unseen = finding("*", Verdict.UNKNOWN, site=site, kind="*", group="")
    assert choosing.choose(situation(finding(), unseen)).why == "seoul could not be read whole"


def test_the_ceiling_holds_over_the_interval_and_the_worst_go_first() -> None:
    """Three in an hour, two of them used up."""
    heal = kinds.Heal(automatic=("Deployment/*",), most=3)
    found = [finding(name, severity=weight) for name, weight in (("a", 0.2), ("b", 0.9), ("c", 0.5))]
    used = [healed("x", "y", ago=timedelta(minutes=59))]
    assert choosing.choose(situation(*found, heal=heal, healed=used)).objects == ("Deployment.apps pay/b",)
    used = [healed("x", "y", ago=timedelta(minutes=61))]
    assert len(choosing.choose(situation(*found, heal=heal, healed=used)).objects) == 3


def test_what_needs_healing_again_and_again_stops_it() -> None:
    """Three times in a day: somebody else changes it back; two times, or long ago, is no fight."""
    fight = [healed("web", ago=timedelta(hours=hours)) for hours in (1, 2, 23)]
    found = choosing.choose(situation(finding(), finding("api"), healed=fight))
    assert (found.objects, found.fought) == ((), ("Deployment.apps pay/web",))
    fight[2] = replace(fight[2], at=NOW - timedelta(hours=25))
    assert choosing.choose(situation(finding(), healed=fight)).fought == ()


def test_what_comes_and_goes_is_healed_until_it_is_fought_over() -> None:
    """Healing itself makes a finding come and go: that it flaps must not keep a fight from being seen."""
    assert choosing.choose(situation(finding(state="flapping"))).objects == ("Deployment.apps pay/web",)


VERDICTS = st.sampled_from([*Verdict])
FINDINGS = st.lists(
    st.builds(
        finding,
        st.sampled_from("abcdef"),
        VERDICTS,
        site=st.sampled_from(["seoul", "sejong", "seoul,sejong", ""]),
        state=st.sampled_from(lives.LIVE),
        managed=st.booleans(),
        severity=st.floats(0, 1),
    ),
    max_size=12,
)


@given(FINDINGS, st.sampled_from(Stance), st.integers(1, 3))
def test_healing_keeps_its_laws_whatever_is_found(findings: Sequence[Brief], stance: Stance, most: int) -> None:
    """Only in normal, with a primary that is seen, over nothing that is not the standby's alone, within bounds."""
    heal = kinds.Heal(automatic=("*",), most=most)
    chosen = choosing.choose(situation(*findings, stance=stance, heal=heal)).objects
    assert len(chosen) <= most
    if chosen:
        assert stance is Stance.NORMAL
        assert not any(one.verdict == "Unknown" and "seoul" in one.site.split(",") for one in findings)
    for one in findings:
        if f"Deployment.apps pay/{one.name}" in chosen and one.verdict != "Declared":
            assert one.verdict in choosing.HEALABLE
            assert (one.site, one.managed) == ("sejong", True)
            assert one.state in ("open", "flapping")
