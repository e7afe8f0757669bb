"""CFG-01: ConfigMaps are equal key by key, text inside them by its meaning."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import parity
from drift.checks.facts import Facts
from drift.checks.results import Said

ID = "CFG-01"


def run(facts: Facts) -> Iterator[Said]:
    """Every key that the two sites have otherwise."""
    fix = "Deploy the application to DR again, or declare the difference."
    return parity.said(facts, parity.differs_live, concerns=parity.kind("", "ConfigMap"), fix=fix)
