"""In which turns the sites of an application are deployed to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from lockstep.topology import kinds
from pipelines.delivery import turns
from tests.pipelines.deploy.deploying import place

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SITES = [place(), place("hot"), place("warm")]


@pytest.mark.parametrize(
    ("order", "sizes"), [("primaryFirst", [1, 2]), ("oneByOne", [1, 1, 1]), ("together", [3])]
)  # fmt: skip
def test_sites_take_turns_as_the_application_asks(
    order: Literal["primaryFirst", "oneByOne", "together"], sizes: list[int]
) -> None:
    """The primary is always in the first turn, and every site in one."""
    found = turns.turns(SITES, kinds.Rollout(order=order))
    assert [len(turn) for turn in found] == sizes
    assert [one for turn in found for one in turn] == SITES


def test_a_turn_soaks_from_when_its_last_site_was_well() -> None:
    """And not at all where nothing was done before."""
    rollout = kinds.Rollout(soak=timedelta(minutes=5))
    ended = [NOW - timedelta(minutes=9), NOW - timedelta(minutes=2)]
    assert turns.soaks(ended, rollout, now=NOW) == timedelta(minutes=3)
    assert turns.soaks(ended, rollout, now=NOW + timedelta(hours=1)) == timedelta()
    assert turns.soaks([], rollout, now=NOW) == timedelta()
