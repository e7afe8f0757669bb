"""SEC-02: the service accounts, roles and bindings of the application are equal, so that no right is lost."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import parity
from drift.checks.facts import Facts
from drift.checks.results import Said

ID = "SEC-02"
_GROUP = "rbac.authorization.k8s.io"


def run(facts: Facts) -> Iterator[Said]:
    """Every one that the two sites have otherwise."""
    fix = "Deploy the application to DR again, or declare the difference."
    return parity.said(facts, parity.differs_live, concerns=_concerns, fix=fix)


def _concerns(group: str, kind: str) -> bool:
    return group == _GROUP or (group, kind) == ("", "ServiceAccount")
