"""APP-05: every object of the truth is at the follower. One that only the follower has matters little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from drift.checks import parity
from drift.checks.facts import Facts
from drift.checks.results import Said, Severity
from drift.report import Entry
from lockstep.values import Verdict

ID = "APP-05"
_FIX = "Deploy the application to DR; what lives outside git has to be made there."


def run(facts: Facts) -> Iterator[Said]:
    """Every object that is at one site only, and not because git says so."""
    for said in parity.said(facts, _select, fix=_FIX):
        extra = said.object and said.dr is not None and said.primary is None
        yield replace(said, severity=Severity.MINOR) if extra else said


def _select(entry: Entry) -> bool:
    return parity.is_whole(entry) and (
        entry.row.verdict in (Verdict.MISSING_AT_STANDBY, Verdict.MISSING_AT_PRIMARY, Verdict.NOT_DEPLOYED)
        or parity.differs_live(entry)
    )
