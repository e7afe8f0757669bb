"""The table of verdicts."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift import verdict
from drift.sides import ABSENT, Sides, Value
from lockstep.values import Verdict

VALUES: st.SearchStrategy[Value] = st.sampled_from([ABSENT, None, 0, 1, True, "1", "a", [], {}, {"a": 1}])
SIDES = st.builds(Sides, VALUES, VALUES, VALUES, VALUES)


def oracle(sides: Sides[Value]) -> Verdict:
    """The table of the design, in ten lines and without older renderings."""
    git_p, p, git_d, d = (repr(side) for side in sides.all())
    if git_p == git_d == "ABSENT":
        if p == d:
            return Verdict.IN_SYNC
        at_one = {p: Verdict.STANDBY_DRIFT, d: Verdict.PRIMARY_HOTFIX}
        return at_one.get("ABSENT", Verdict.DIVERGED)
    if p == git_p:
        declared = Verdict.IN_SYNC if git_p == git_d else Verdict.DECLARED
        return declared if d == git_d else Verdict.STANDBY_DRIFT
    if d == git_d:
        return Verdict.PRIMARY_HOTFIX
    return Verdict.EDITED_AT_BOTH if p == d else Verdict.DIVERGED


@given(SIDES)
def test_every_field_is_judged_by_the_table(sides: Sides[Value]) -> None:
    """Whatever the four values are, absent being one of them."""
    assert verdict.of_field(sides) is oracle(sides)


@given(SIDES, st.lists(VALUES, max_size=3), st.lists(VALUES, max_size=3))
def test_the_other_site_sees_the_mirrored_verdict(sides: Sides[Value], older: list[Value], other: list[Value]) -> None:
    """A pair that is switched says the same, with the sites' names exchanged."""
    seen = verdict.of_field(sides, older_primary=older, older_standby=other)
    assert verdict.of_field(sides.swapped(), older_primary=other, older_standby=older) is verdict.mirrored(seen)


@pytest.mark.parametrize(
    ("primary", "standby", "expected"),
    [
        (2, 1, Verdict.STANDBY_BEHIND),
        (1, 2, Verdict.PRIMARY_BEHIND),
        (1, 0, Verdict.UNDEPLOYED),
        (1, 7, Verdict.DIVERGED),
        (2, 7, Verdict.STANDBY_DRIFT),
        (7, 2, Verdict.PRIMARY_HOTFIX),
    ],
)
def test_a_site_that_has_an_older_rendering_is_behind(primary: int, standby: int, expected: Verdict) -> None:
    """Nobody changed it by hand: it has not been deployed there yet."""
    found = verdict.of_field(Sides(2, primary, 2, standby), older_primary=[1, 0], older_standby=[1, 0])
    assert found is expected


def test_a_field_that_git_took_out_is_behind_where_it_still_is() -> None:
    """Set by an older rendering, it is not a change by hand, nor in step when both still have it."""
    gone = {"older_primary": [1], "older_standby": [1]}
    assert verdict.of_field(Sides(ABSENT, ABSENT, ABSENT, 1), **gone) is Verdict.STANDBY_BEHIND
    assert verdict.of_field(Sides(ABSENT, 1, ABSENT, 1), **gone) is Verdict.UNDEPLOYED


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ("1111", Verdict.IN_SYNC),
        ("1110", Verdict.MISSING_AT_STANDBY),
        ("1011", Verdict.MISSING_AT_PRIMARY),
        ("1010", Verdict.NOT_DEPLOYED),
        ("0101", Verdict.IN_SYNC),
        ("0100", Verdict.MISSING_AT_STANDBY),
        ("0001", Verdict.MISSING_AT_PRIMARY),
        ("1100", Verdict.DECLARED),
        ("1101", Verdict.STANDBY_DRIFT),
        ("1000", Verdict.MISSING_AT_PRIMARY),
        ("0011", Verdict.DECLARED),
        ("0111", Verdict.PRIMARY_HOTFIX),
        ("0010", Verdict.MISSING_AT_STANDBY),
    ],
)
def test_where_an_object_is_decides_before_its_fields(there: str, expected: Verdict) -> None:
    """In the order (G_P, P, G_D, D)."""
    assert verdict.of_presence(Sides(*(side == "1" for side in there))) is expected


def test_presence_is_mirrored_at_the_other_site() -> None:
    """For every combination of where an object can be."""
    for there in itertools.product([True, False], repeat=4):
        sides = Sides(*there)
        if any(there):
            assert verdict.of_presence(sides.swapped()) is verdict.mirrored(verdict.of_presence(sides))


def test_an_object_that_git_no_longer_has_waits_to_be_deleted() -> None:
    """At one site it is behind, at both it is undeployed; it is not a thing that somebody made by hand."""
    still = {"was_declared": True}
    assert verdict.of_presence(Sides(False, False, False, True), **still) is Verdict.STANDBY_BEHIND
    assert verdict.of_presence(Sides(False, True, False, False), **still) is Verdict.PRIMARY_BEHIND
    assert verdict.of_presence(Sides(False, True, False, True), **still) is Verdict.UNDEPLOYED
