"""Four values side by side, and which of them is not as it should be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from console import comparing
from lockstep.store.views.drift import Finding
from tests.support import bank


def finding(path: str = "/spec/replicas", name: str = "api", **values: Any) -> Finding:
    """A finding with these values."""
    return Finding(
        id=1,
        fingerprint="a",
        application="pay",
        pair="seoul-sejong",
        verdict="StandbyDrift",
        group="apps",
        kind="Deployment",
        namespace="pay",
        name=name,
        site="sejong",
        path=path,
        people_path="",
        managed=True,
        values=values,
        cause={},
        severity=0.0,
        state="open",
        note="",
        by="",
        until=None,
        reopened=0,
        first_seen=bank.NOW,
        last_seen=bank.NOW,
        resolved_at=None,
    )


def against(**values: Any) -> list[str]:
    """What each of the four sides differs from."""
    ((compared),) = comparing.by_object([finding(**values)])
    return [side.against for side in compared.fields[0].sides]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"gitPrimary": 3, "primary": 3, "gitStandby": 3, "standby": 1}, ["", "", "", "git"]),
        ({"gitPrimary": 3, "primary": 5, "gitStandby": 3, "standby": 3}, ["", "git", "", ""]),
        ({"gitPrimary": 3, "primary": 3, "gitStandby": 1, "standby": 1}, ["", "", "primary", ""]),
        ({"gitPrimary": 3, "primary": 3}, ["", "", "primary", ""]),
        ({"gitPrimary": True, "primary": 1, "gitStandby": True, "standby": True}, ["", "git", "", ""]),
        ({"primary": None, "standby": None}, ["", "git", "", "git"]),
    ],
    ids=str,
)
def test_each_side_is_compared_with_what_it_should_be(values: dict[str, Any], wanted: list[str]) -> None:
    """A site with its git, git for the standby with git for the primary; absent and null are two things."""
    assert against(**values) == wanted


def test_values_are_shown_as_text_and_long_ones_are_cut() -> None:
    """Text as it is, everything else as JSON, nothing without an end."""
    (compared,) = comparing.by_object([finding(gitPrimary={"a": [1]}, primary="한글", standby="x" * 10_000)])
    git, primary, git_standby, standby = compared.fields[0].sides
    assert (git.text, primary.text, git_standby.there) == ('{\n  "a": [\n    1\n  ]\n}', "한글", False)
    assert len(standby.text) == 4001


def test_what_nobody_saw_is_not_called_absent() -> None:
    """A gap has no sides; a field that is unknown for another reason keeps the values that were seen."""
    gap, odd, usual = (
        comparing.by_object([one])[0].fields[0]
        for one in (
            replace(finding(path="", name="*"), verdict="Unknown", cause={"note": "sejong did not answer"}),
            replace(finding(primary=3), verdict="Unknown"),
            finding(),
        )
    )
    assert (gap.seen, odd.seen, usual.seen) == (False, True, True)


def test_a_side_that_nobody_read_shows_no_value() -> None:
    """Neither what stood there before nor what git wants there is called its value, and it is not called absent."""
    ((compared),) = comparing.by_object(
        [finding(gitStandby=3, standby=3, primary=7)], unread=lambda _finding: {"standby"}
    )
    assert [(value.read, value.text) for value in compared.fields[0].sides][-1] == (False, "")
    assert [value.read for value in compared.fields[0].sides] == [True, True, True, False]


def test_a_whole_object_is_told_from_a_field() -> None:
    """Of an object that is missing only its presence is said; what hides in a gap has no name."""
    (missing,) = comparing.by_object([finding(path="", primary="(the object)")])
    (field,) = comparing.by_object([finding(primary=3)])
    (hidden,) = comparing.by_object([finding(path="", name="*")])
    assert (missing.fields[0].whole, field.fields[0].whole) == (True, False)
    assert (missing.named, hidden.named) == (True, False)


def test_fields_of_one_object_stand_together() -> None:
    """Findings become objects with their fields, in the order in which they came."""
    found = [finding("/a"), finding("/b"), finding("/a", name="web")]
    assert [(one.name, len(one.fields)) for one in comparing.by_object(found)] == [("api", 2), ("web", 1)]
