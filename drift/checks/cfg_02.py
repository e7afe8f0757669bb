"""CFG-02: Secrets are equal by keyed fingerprint, key by key, with their type. No value is ever looked at."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import parity
from drift.checks.facts import Facts
from drift.checks.results import Said

ID = "CFG-02"


def run(facts: Facts) -> Iterator[Said]:
    """Every key whose fingerprint differs, or that one site lacks."""
    fix = "Bring the Secret to DR, or declare the difference."
    return parity.said(facts, parity.differs_live, concerns=parity.kind("", "Secret"), fix=fix)
