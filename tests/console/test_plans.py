"""A deploy's plan, site by site, out of whatever a task shows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import plans
from tests.support import bank


def test_each_site_has_its_numbers_steps_and_remarks() -> None:
    """The primary changes three objects and asks for one thing, the warm site could not be planned."""
    seoul, daegu, sejong = plans.of_detail({"sites": bank.PLANNED})
    assert (seoul.counts, seoul.unchanged) == ({"create": 1, "change": 1, "delete": 1}, 39)
    assert seoul.needs == (("hotfix", "the hot fix of env TIMEOUT is overwritten"),)
    assert seoul.remarks == ("PersistentVolumeClaim pay/data: volume claims are deleted by name only",)
    assert (sejong.missing, sejong.remarks) == (("pay/api@" + bank.DIGEST,), ())
    assert (daegu.unchanged, daegu.problem) == (None, "daegu did not answer")


def test_what_was_done_at_a_site_has_its_numbers() -> None:
    """After the deploy: how it ended, and how many objects there are, were changed and deleted."""
    done = {"changed": 8, "deleted": 0, "message": "", "objects": 6, "state": "done", "tier": "hot"}
    (site,) = plans.of_detail({"sites": {"sejong": done}})
    assert (site.state, site.unchanged, site.done) == ("done", None, {"objects": 6, "changed": 8, "deleted": 0})


def test_a_plan_without_end_is_cut() -> None:
    """Ten thousand objects are counted, and the first of them listed."""
    steps = [{"action": "create", "object": f"ConfigMap a/{number}"} for number in range(10_000)]
    (site,) = plans.of_detail({"sites": {"seoul": {"plan": {"steps": steps, "unchanged": 0}}}})
    assert (site.counts["create"], len(site.steps), site.more) == (10_000, 200, 9_800)


@pytest.mark.parametrize("detail", [None, [], "x", {}, {"sites": None}, {"sites": []}, {"commit": "abc"}])
def test_what_is_no_plan_has_no_sites(detail: Any) -> None:
    """Other tasks show other things."""
    assert plans.of_detail(detail) == []


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["sites", "plan", "steps", "approvals", "kept", "fields", "unchanged", "held", "what"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=15,
    )
)
def test_no_detail_makes_the_page_fail(detail: Any) -> None:
    """An older run, or another program's task, may show anything."""
    assert isinstance(plans.of_detail({"sites": {"seoul": detail}}), list)
    assert isinstance(plans.of_detail(detail), list)
