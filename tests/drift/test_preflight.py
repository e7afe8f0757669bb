"""The gate: what a verdict may never do, whatever the results are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from drift import preflight
from drift.checks import table
from drift.checks.catalogue import CATALOGUE
from drift.checks.results import Outcome, Result, Said, Severity
from drift.preflight import Go
from tests.drift.checks import golden

_BLOCKING = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.STALE, Outcome.NOT_AUTHORIZED)


def result(check: str, outcome: Outcome, severity: Severity) -> Result:
    """One result."""
    return Result(
        check=check, version=1, application="pay", pair="seoul-sejong", severity=severity, said=Said(outcome=outcome)
    )


RESULTS = st.builds(result, st.sampled_from(list(CATALOGUE)), st.sampled_from(Outcome), st.sampled_from(Severity))


@given(st.lists(RESULTS), st.sampled_from(_BLOCKING), st.sampled_from(list(CATALOGUE)), st.integers(0, 20))
def test_a_blocker_that_is_not_proved_is_never_anything_but_no_go(
    results: list[Result], outcome: Outcome, check: str, place: int
) -> None:
    """Wherever it stands, and whatever else is good."""
    results.insert(min(place, len(results)), result(check, outcome, Severity.BLOCKER))
    assert preflight.gate(results) is Go.NO_GO


@given(st.lists(RESULTS, min_size=1), RESULTS)
def test_adding_what_is_not_good_never_improves_the_verdict(results: list[Result], more: Result) -> None:
    """A failure, a warning, a waiver, a check that nobody built: none of them makes a verdict better."""
    if more.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE):
        more = replace(more, said=Said(outcome=Outcome.FAIL))
    before, after = preflight.gate(results), preflight.gate([*results, more])
    assert after.exit_code >= before.exit_code


@given(st.lists(RESULTS))
def test_the_verdict_does_not_depend_on_the_order(results: list[Result]) -> None:
    """Nor does it on how often something is said."""
    assert preflight.gate(results) is preflight.gate(results[::-1]) is preflight.gate([*results, *results])


@given(st.lists(RESULTS))
def test_go_is_only_what_is_good_throughout(results: list[Result]) -> None:
    """Something that is not covered, waived or warned of keeps it from GO."""
    if preflight.gate(results) is Go.GO:
        assert {one.outcome for one in results} <= {Outcome.PASS, Outcome.NOT_APPLICABLE}


@given(st.lists(RESULTS, min_size=1))
def test_a_score_stays_low_while_something_blocks(results: list[Result]) -> None:
    """It is for trends, and must not shine beside a NO-GO."""
    score = preflight.score(results)
    assert 0 <= score <= 100
    assert score <= 49 or not any(map(preflight.blocks, results))


def test_nothing_at_all_is_no_go() -> None:
    """Who has proved nothing has found no blocker, and may not say so."""
    assert preflight.gate([]) is Go.NO_GO
    uncovered = [result(check, Outcome.NOT_COVERED, Severity.BLOCKER) for check in CATALOGUE]
    assert preflight.gate(uncovered) is Go.NO_GO


def test_what_is_not_built_caps_the_verdict_at_conditional() -> None:
    """Everything that was asked is good; what nobody asked is printed, and has to be signed for."""
    labels = ({"region": "kr-1"}, {"region": "kr-2"})
    whole = golden.whole({"truthGround": {"labels": labels[0]}, "followerGround": {"labels": labels[1]}})
    results = [one for one in preflight.evaluate(whole) if one.outcome is not Outcome.FAIL]
    assert preflight.gate(results) is Go.CONDITIONAL
    uncovered = {one.check for one in results if one.outcome is Outcome.NOT_COVERED}
    assert uncovered >= set(CATALOGUE) - set(table.OF_APPLICATION) - set(table.OF_PAIR)


def test_every_check_of_the_catalogue_says_something() -> None:
    """One that was left out would be taken for good."""
    assert set(preflight.by_check(preflight.evaluate(golden.whole({})))) == set(CATALOGUE)


def test_a_check_that_stumbles_has_proved_nothing() -> None:
    """What a cluster holds is anybody's: nonsense in it makes a check unknown, and the others go on."""
    nonsense = {"objects": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "shop"}}]}
    whole = golden.whole({"followerGround": nonsense})
    broken = replace(whole.applications[0], deployed=(object(),))  # type: ignore[arg-type]  # what nobody expects
    found = preflight.evaluate(replace(whole, applications=(broken,)))
    (stumbled,) = [one for one in found if one.check == "APP-04"]
    assert stumbled.outcome is Outcome.UNKNOWN
    assert "AttributeError" in stumbled.said.message
    assert any(one.outcome is Outcome.PASS for one in found)


def test_good_evidence_grows_old_and_bad_evidence_stays_bad() -> None:
    """Sixteen minutes after it was gathered, nothing that was good still is."""
    found = preflight.evaluate(golden.whole({"drilledDaysAgo": None}))
    later = golden.NOW + timedelta(minutes=16)
    aged = [preflight.aged(one, now=later, ttl=preflight.TTL) for one in found]
    assert not [one for one in aged if one.outcome is Outcome.PASS]
    assert [one for one in aged if one.outcome is Outcome.FAIL] == [one for one in found if one.outcome is Outcome.FAIL]
