"""APP-02: the follower has what git says for it."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import parity
from drift.checks.facts import Facts
from drift.checks.results import Said
from drift.report import Entry
from lockstep.values import Verdict

ID = "APP-02"
_AT_FOLLOWER = frozenset(
    {
        Verdict.STANDBY_DRIFT,
        Verdict.STANDBY_BEHIND,
        Verdict.DIVERGED,
        Verdict.EDITED_AT_BOTH,
        Verdict.MISSING_AT_STANDBY,
        Verdict.NOT_DEPLOYED,
        Verdict.UNDEPLOYED,
    }
)


def run(facts: Facts) -> Iterator[Said]:
    """Every field that git sets and the follower has otherwise."""
    return parity.said(facts, _select, fix="Deploy the application to DR again: lockstep deploy.")


def _select(entry: Entry) -> bool:
    return entry.row.managed and entry.row.verdict in _AT_FOLLOWER
