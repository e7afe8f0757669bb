"""Which way a pair faces, and what must not be written to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.topology import direction, kinds
from lockstep.values import Stance

PAIR = kinds.Pair.model_validate(
    {
        "apiVersion": "lockstep.dev/v1alpha1",
        "kind": "Pair",
        "metadata": {"name": "seoul-sejong"},
        "spec": {"primary": "seoul", "standby": "sejong"},
    }
)


@given(st.sampled_from(Stance))
def test_the_truth_is_held_in_every_stance_but_normal(stance: Stance) -> None:
    """Nothing is written towards the site that is now the truth unless all is normal."""
    faced = direction.direction_of(PAIR, stance)
    if stance is Stance.NORMAL:
        assert faced.held == frozenset()
    elif stance is not Stance.DRILL:
        assert faced.truth in faced.held


@pytest.mark.parametrize(
    ("stance", "truth", "held"),
    [
        (Stance.NORMAL, "seoul", set()),
        (Stance.DRILL, "seoul", {"sejong"}),
        (Stance.SWITCHED, "sejong", {"sejong"}),
        (Stance.RETURNING, "sejong", {"sejong"}),
        (Stance.UNKNOWN, "seoul", {"seoul", "sejong"}),
    ],
)
def test_each_stance_faces_its_own_way(stance: Stance, truth: str, held: set[str]) -> None:
    """The direction is a function of the stance, and an unknown stance holds both sides."""
    faced = direction.direction_of(PAIR, stance)
    assert faced.truth == truth
    assert faced.held == frozenset(held)


@pytest.mark.parametrize(
    ("stance", "site", "held"),
    [
        (Stance.NORMAL, "sejong", False),
        (Stance.SWITCHED, "sejong", False),
        (Stance.RETURNING, "sejong", False),
        (Stance.DRILL, "sejong", True),
        (Stance.UNKNOWN, "sejong", True),
        (Stance.UNKNOWN, "seoul", True),
    ],
)
def test_a_person_who_names_the_truth_may_deploy_to_it_after_a_switch(stance: Stance, site: str, *, held: bool) -> None:
    """A standby that has become the truth has to be started; a drill, and what nobody knows, hold it all the same."""
    faced = direction.direction_of(PAIR, stance)
    place = direction.Place(
        site=site, role=direction.Role.TRUTH, protection=None, held_by=(faced,) if site in faced.held else ()
    )
    assert bool(place.named().held_by) is held
    assert bool(place.named().spared_by) is (stance in (Stance.SWITCHED, Stance.RETURNING))
