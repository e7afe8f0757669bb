"""CAP-04: autoscalers, disruption budgets and priorities are equal at both sites."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import parity
from drift.checks.facts import Facts
from drift.checks.results import Said

ID = "CAP-04"
_KINDS = frozenset(
    {
        ("autoscaling", "HorizontalPodAutoscaler"),
        ("policy", "PodDisruptionBudget"),
        ("scheduling.k8s.io", "PriorityClass"),
    }
)


def run(facts: Facts) -> Iterator[Said]:
    """Every one that the two sites have otherwise."""
    fix = "Deploy the application to DR again, or declare the difference."
    return parity.said(facts, parity.differs_live, concerns=_concerns, fix=fix)


def _concerns(group: str, kind: str) -> bool:
    return (group, kind) in _KINDS
