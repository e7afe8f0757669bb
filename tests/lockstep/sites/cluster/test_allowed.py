"""What rules allow, as RBAC reads them."""

from __future__ import annotations

import pytest

from lockstep.sites.cluster import allowed
from lockstep.values import Json

WANTED = {"": ("configmaps",), "apps": ("deployments",)}


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        ([], {"patch": ("configmaps", "deployments.apps")}),
        ([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}], {}),
        (
            [{"verbs": ["get", "patch"], "apiGroups": [""], "resources": ["configmaps"]}],
            {"patch": ("deployments.apps",)},
        ),
        (
            [{"verbs": ["patch"], "apiGroups": ["apps"], "resources": ["configmaps", "deployments"]}],
            {"patch": ("configmaps",)},
        ),
        (
            [{"verbs": ["patch"], "apiGroups": ["", "apps"], "resources": ["*"], "resourceNames": ["one"]}],
            {"patch": ("configmaps", "deployments.apps")},
        ),
        (["nonsense", {"verbs": None}], {"patch": ("configmaps", "deployments.apps")}),
    ],
)
def test_a_rule_allows_what_it_names_and_no_more(rules: list[Json], missing: dict[str, tuple[str, ...]]) -> None:
    """Stars are everything; a rule of some names is none for the names of tomorrow."""
    assert allowed.missing(rules, WANTED, ("patch",)) == missing
