"""What checks have in common when they answer: what was not gathered, and lists that are long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from drift.checks.facts import Unread
from drift.checks.results import Outcome, Said
from lockstep.values import Json

MOST = 100
"""So many things are listed one by one; how many more there are is said once."""


def unread(problem: Unread, *, fix: str = "") -> Said:
    """What could not be gathered: not covered where nobody could, else unknown, or not authorised."""
    if problem.impossible:
        return Said(outcome=Outcome.NOT_COVERED, message=problem.why)
    outcome = Outcome.NOT_AUTHORIZED if problem.denied else Outcome.UNKNOWN
    return Said(outcome=outcome, message=problem.why, fix=fix)


def passed(message: str = "", *, primary: Json = None, dr: Json = None) -> Said:
    """Everything is as it should be."""
    return Said(outcome=Outcome.PASS, message=message, primary=primary, dr=dr)


def listed(said: Iterable[Said]) -> Iterator[Said]:
    """The first of many, and how many more there are; as bad as the worst of what is left out."""
    every = list(said)
    yield from every[:MOST]
    rest = every[MOST:]
    if rest:
        worst = min(rest, key=lambda one: one.outcome.rank)
        yield Said(outcome=worst.outcome, severity=worst.severity, message=f"and {len(rest)} more like these")
