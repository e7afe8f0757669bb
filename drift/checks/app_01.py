"""APP-01: the truth runs what git says; what somebody changed by hand there would be lost in a fail-over."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import parity
from drift.checks.facts import Facts
from drift.checks.results import Said
from drift.report import Entry
from lockstep.values import Verdict

ID = "APP-01"
_AT_TRUTH = frozenset(
    {
        Verdict.PRIMARY_HOTFIX,
        Verdict.PRIMARY_BEHIND,
        Verdict.DIVERGED,
        Verdict.EDITED_AT_BOTH,
        Verdict.MISSING_AT_PRIMARY,
        Verdict.NOT_DEPLOYED,
        Verdict.UNDEPLOYED,
    }
)


def run(facts: Facts) -> Iterator[Said]:
    """Every field that git sets and the truth has otherwise."""
    return parity.said(facts, _select, fix="Write it to git, or deploy the application to the primary.")


def _select(entry: Entry) -> bool:
    return entry.row.managed and entry.row.verdict in _AT_TRUTH
