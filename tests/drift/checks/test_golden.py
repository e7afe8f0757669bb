"""Every check, held against the folders of cases that stand beside this file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drift import preflight
from drift.checks import table
from drift.checks.catalogue import CATALOGUE
from drift.checks.results import Outcome, Severity
from lockstep.values import Tier
from tests.drift.checks import golden

BUILT = [*table.OF_APPLICATION, *table.OF_PAIR]


@pytest.mark.parametrize("path", golden.cases(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_case_is_answered_as_it_says(path: Path) -> None:
    """Outcome, severity and object of everything that the check says."""
    case = golden.Case.read(path)
    assert [golden.line(one) for one in case.results()] == case.expected, case.about


@pytest.mark.parametrize("check", BUILT)
def test_every_check_that_is_built_has_cases_that_pass_and_that_do_not(check: str) -> None:
    """A check that cannot fail, or never passes, is no check."""
    cases = [golden.Case.read(path) for path in golden.cases() if path.parent.name == check]
    said = {line.split(" ")[0] for case in cases for line in case.expected}
    assert "PASS" in said
    assert said & {"FAIL", "UNKNOWN"}


def test_the_catalogue_has_fifty_checks_with_titles_in_both_languages() -> None:
    """And a severity at some tier each."""
    assert len(CATALOGUE) == 50
    assert all(set(check.titles) == {"en", "ko"} and all(check.titles.values()) for check in CATALOGUE.values())
    assert all(check.severities for check in CATALOGUE.values())
    assert set(BUILT) <= set(CATALOGUE)


def test_tiers_that_a_check_does_not_concern_have_no_severity() -> None:
    """Of the catalogue's table: a warm site runs nothing that could be compared; only a mirror is spread."""
    assert Tier.WARM not in CATALOGUE["APP-02"].severities
    assert CATALOGUE["TOP-01"].severities == {Tier.ACTIVE: Severity.BLOCKER}
    assert CATALOGUE["APP-06"].severities[Tier.WARM] is Severity.BLOCKER
    assert CATALOGUE["APP-06"].severities[Tier.HOT] is Severity.MAJOR


def test_no_check_passes_where_nothing_was_gathered() -> None:
    """Every part unread: nothing is good, whatever the tier."""
    lost = {"unread": "nobody answered"}
    gap = {"gaps": [{"what": "everything", "why": "nobody answered"}]}
    ground = {"read": lost, "serves": lost, "versions": lost}
    for tier in ("warm", "hot", "active"):
        given: dict[str, Any] = {
            "tier": tier,
            **dict.fromkeys(("parity", "git", "images", "mirrors", "rehearsed"), lost),
            "truth": gap,
            "follower": gap,
            "truthGround": ground,
            "followerGround": ground,
            "deployed": [],
            "drilledDaysAgo": None,
        }
        found = [one for one in preflight.evaluate(golden.whole(given)) if one.check in BUILT]
        assert {one.check for one in found} == set(BUILT)
        assert not [one.check for one in found if one.outcome in (Outcome.PASS, Outcome.WARN)]
