"""The report of a preflight as a document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from drift import preflight
from drift.dossier import seal, whole
from lockstep import documents
from tests.drift.checks import golden


def made(given: dict[str, Any], before: dict[str, Any] | None = None, id_: str = "one") -> dict[str, Any]:
    """The report about some facts."""
    facts = golden.whole(given)
    known = whole.Made(id=id_, by="kim", tool="0.1", expected={}, configured=("seoul", "sejong"))
    return whole.report(facts, preflight.evaluate(facts), known, before=before)


FAILING = {
    "parity": {
        "differences": [
            {"verdict": "StandbyDrift", "object": "ConfigMap shop/a", "path": "/data/b", "primary": "1", "dr": "2"}
        ]
    }
}


def test_a_report_can_be_verified_after_it_was_written_and_read() -> None:
    """The digest is over one canonical form, whoever wrote the JSON or YAML in between."""
    report = made({})
    assert seal.holds(json.loads(json.dumps(report, indent=3)))
    (read,) = documents.read(documents.dump(report).encode(), file="report")
    assert seal.holds(read.value)


@pytest.mark.parametrize("change", [{"verdict": "GO"}, {"by": "lee"}, {"more": 1}, {"sha256": "0" * 64}, {"sha256": 7}])
def test_a_report_that_somebody_changed_does_not_verify(change: dict[str, Any]) -> None:
    """However little."""
    assert not seal.holds({**made({}), **change})


def test_the_exit_code_follows_the_verdict() -> None:
    """0 GO, 1 CONDITIONAL, 2 NO-GO."""
    assert [one.exit_code for one in (preflight.Go.GO, preflight.Go.CONDITIONAL, preflight.Go.NO_GO)] == [0, 1, 2]


def test_the_report_says_on_how_much_of_the_catalogue_it_stands() -> None:
    """No blocker found in n of 50, with every check listed."""
    report = made({"truthGround": {"labels": {"region": "a"}}, "followerGround": {"labels": {"region": "b"}}})
    assert report["counts"]["of"] == len(report["checks"]) == 50
    assert str(report["counts"]["ran"]) in report["statement"]
    assert report["generatedAtKst"].endswith("+09:00")
    assert report["direction"] == {
        "stance": "normal",
        "truth": "seoul",
        "follower": "sejong",
        "primary": "seoul",
        "standby": "sejong",
    }


def test_a_report_tells_what_changed_since_the_one_before() -> None:
    """What is new, what was mended, and how much is still open."""
    first = made(FAILING)
    second = made({"drilledDaysAgo": None}, before=first, id_="two")
    assert second["changes"]["since"] == "one"
    assert {one["check"] for one in second["changes"]["new"]} == {"DRL-01"}
    assert {one["check"] for one in second["changes"]["fixed"]} >= {"CFG-01"}


def test_the_presets_of_a_tier_are_called_presets() -> None:
    """Until their owner sets them with a basis."""
    (preset,) = made({})["objectives"]
    (own,) = made({"protection": {"rpo": "10m", "rto": "3h", "basis": "a rule"}})["objectives"]
    assert (preset["rpoPreset"], preset["rtoPreset"], preset["tier"]) == (True, True, "hot")
    assert (own["rpo"], own["rpoPreset"], own["basis"]) == ("10m", False, "a rule")


def test_a_waiver_is_told_with_who_said_so_whoever_that_is() -> None:
    """Nobody verified the identity, and the report says so."""
    waived = {"state": "waived", "by": "kim", "reason": "mended on Monday", **FAILING["parity"]["differences"][0]}
    report = made({"parity": {"differences": [waived]}})
    told = {one["check"]: one["waiver"] for one in report["waivers"]}
    assert told["CFG-01"] == {"by": "kim", "reason": "mended on Monday", "until": None, "identity": "not verified"}


def test_the_signatures_are_left_to_people() -> None:
    """Preparer, approver and business owner, to be filled in."""
    report = made({})
    assert set(report["signOff"]) == {"preparer", "approver", "businessOwner"}
    assert not any(line["name"] for line in report["signOff"].values())
