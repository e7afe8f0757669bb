"""APP-03: the follower has what the truth has, after what may differ; ConfigMaps and Secrets have their own checks."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import parity
from drift.checks.facts import Facts
from drift.checks.results import Said

ID = "APP-03"
_OWN_CHECKS = frozenset({("", "ConfigMap"), ("", "Secret")})


def run(facts: Facts) -> Iterator[Said]:
    """Every field that the two sites have otherwise."""
    fix = "Write the hot fix to git, or deploy the application to DR again."
    return parity.said(facts, parity.differs_live, concerns=_concerns, fix=fix)


def _concerns(group: str, kind: str) -> bool:
    return (group, kind) not in _OWN_CHECKS
