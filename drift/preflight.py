"""The gate: from facts to results, and from results to GO, CONDITIONAL or NO-GO. Pure.

The law (``docs/preflight.md``): a blocker that failed, or of which nobody can say whether it holds, is NO-GO; so
is a preflight in which nothing was proved. What is left open, waived, or not covered is CONDITIONAL: a person has
to sign for it. Only a preflight in which every check of the catalogue was answered, and well, is GO.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar

from drift.checks import answers, table
from drift.checks.catalogue import CATALOGUE, UNBUILT, Check
from drift.checks.facts import Facts, Unread, Whole
from drift.checks.results import Outcome, Result, Said, Severity
from lockstep import clock

TTL = timedelta(minutes=15)
"""Evidence older than this proves nothing."""

_Given = TypeVar("_Given")
# What a score weighs (a number for trends, never for a verdict).
_WEIGHTS = {Severity.BLOCKER: 8, Severity.MAJOR: 3, Severity.MINOR: 1}
_CAP = 49


class Go(Enum):
    """What a preflight ends in. Worst first."""

    NO_GO = "NO-GO"
    CONDITIONAL = "CONDITIONAL"
    GO = "GO"

    @property
    def exit_code(self) -> int:
        """The exit code of ``lockstep preflight``."""
        return {Go.GO: 0, Go.CONDITIONAL: 1, Go.NO_GO: 2}[self]


def gate(results: Iterable[Result]) -> Go:
    """The verdict of some results.

    Adding a result that is not good never makes it better; where nothing passed, nothing was proved: NO-GO.
    """
    every = list(results)
    if not any(one.outcome is Outcome.PASS for one in every) or any(map(blocks, every)):
        return Go.NO_GO
    fine = all(one.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE) for one in every)
    return Go.GO if fine else Go.CONDITIONAL


def blocks(result: Result) -> bool:
    """Whether a result alone makes the verdict NO-GO."""
    failed = result.outcome is Outcome.FAIL or result.outcome.is_unproved
    return failed and result.severity is Severity.BLOCKER


def evaluate(whole: Whole, *, ttl: timedelta = TTL) -> list[Result]:
    """Every check of the catalogue, answered or said to be unanswered; the gravest first.

    Args:
        whole: The pair with everything that was gathered of it.
        ttl: Good answers whose evidence is older than this are stale.
    """
    found: list[Result] = []
    for check in CATALOGUE.values():
        if check.id in table.OF_APPLICATION:
            for facts in whole.applications:
                found += _of_application(check, facts)
        elif check.id in table.OF_PAIR:
            found += _of_pair(check, whole)
        else:
            found.append(_result(check, whole, Said(outcome=Outcome.NOT_COVERED, message=UNBUILT[check.id])))
    return sorted((aged(one, now=whole.now, ttl=ttl) for one in found), key=lambda one: one.order)


def aged(result: Result, *, now: datetime, ttl: timedelta) -> Result:
    """The result, stale when it is good and what it stands on is older than the TTL."""
    old = any(at is not None and not clock.is_within(at, now=now, most=ttl) for at in result.at)
    if not old or result.outcome not in (Outcome.PASS, Outcome.WARN, Outcome.WAIVED):
        return result
    message = f"the evidence is too old: {result.said.message}"
    return replace(result, said=replace(result.said, outcome=Outcome.STALE, message=message))


def by_check(results: Iterable[Result]) -> dict[str, Outcome]:
    """The outcome of each check: the worst of what it said; in the order of the catalogue."""
    said: dict[str, list[Outcome]] = defaultdict(list)
    for one in results:
        said[one.check].append(one.outcome)
    return {check: Outcome.worst(said[check]) for check in CATALOGUE if check in said}


def ran(results: Iterable[Result]) -> list[str]:
    """The checks that really ran to their end, for every application that they concern."""
    return [check for check, outcome in by_check(results).items() if outcome.is_decided]


def score(results: Sequence[Result]) -> int:
    """From 0 to 100, for trends only; never above 49 while something blocks."""
    outcomes = by_check(results)
    weights = {check: _WEIGHTS[CATALOGUE[check].gravest] for check in outcomes}
    counted = {check: one for check, one in outcomes.items() if one is not Outcome.NOT_APPLICABLE}
    whole = sum(weights[check] for check in counted)
    worth = {Outcome.PASS: 1.0, Outcome.WARN: 0.5, Outcome.WAIVED: 0.5}
    got = sum(weights[check] * worth.get(outcome, 0.0) for check, outcome in counted.items())
    found = round(100 * got / whole) if whole else 0
    return min(found, _CAP) if any(map(blocks, results)) else found


def _of_application(check: Check, facts: Facts) -> Iterator[Result]:
    severity = check.severities.get(facts.tier)
    at = _seen(check, facts)
    said: Iterable[Said] = [Said(outcome=Outcome.NOT_APPLICABLE, message=f"not for the tier {facts.tier.value}")]
    if severity is not None:
        said = _asked(table.OF_APPLICATION[check.id], facts)
    for one in said:
        yield Result(
            check=check.id,
            version=check.version,
            application=facts.name,
            pair=facts.faced.pair,
            severity=one.severity or severity or check.gravest,
            said=one,
            at=one.at or at,
        )


def _seen(check: Check, facts: Facts) -> tuple[datetime | None, datetime | None]:
    """When what a check stands on was seen at the truth and at the follower: registries and mirrors by themselves."""
    truth, follower = (one.read_at for one in facts.live)
    if check.id.startswith("IMG-") and not isinstance(facts.images, Unread):
        return truth, facts.images.at or follower
    if check.id.startswith("GIT-") and not isinstance(facts.mirrors, Unread):
        seen = {one.site: one.at for one in facts.mirrors}
        return seen.get(facts.faced.truth) or truth, seen.get(facts.faced.follower) or follower
    return truth, follower


def _of_pair(check: Check, whole: Whole) -> Iterator[Result]:
    tiers = {facts.tier for facts in whole.applications}
    concerned = [check.severities[tier] for tier in tiers if tier in check.severities]
    if not concerned:
        yield _result(check, whole, Said(outcome=Outcome.NOT_APPLICABLE, message="not for these tiers"))
        return
    severity = min(concerned, key=lambda one: one.rank)
    for said in _asked(table.OF_PAIR[check.id], whole):
        yield replace(_result(check, whole, said), severity=said.severity or severity)


def _result(check: Check, whole: Whole, said: Said) -> Result:
    grounds = whole.grounds
    return Result(
        check=check.id,
        version=check.version,
        application="",
        pair=whole.faced.pair,
        severity=said.severity or check.gravest,
        said=said,
        at=said.at or (grounds.truth.read_at, grounds.follower.read_at),
    )


def _asked(run: Callable[[_Given], Iterable[Said]], given: _Given) -> list[Said]:
    """What a check says. One that says nothing, or stumbles over what a cluster holds, has proved nothing."""
    try:
        found = list(run(given))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        why = f"the check stumbled over what was gathered ({type(error).__name__}: {str(error)[:200]})"
        return [answers.unread(Unread(why=why))]
    return found or [answers.unread(Unread(why="the check said nothing"))]


def reasons(results: Sequence[Result], *, most: int = 5) -> list[Mapping[str, str]]:
    """Why the verdict is what it is: the checks that speak loudest, one line each, the gravest first."""
    told: dict[str, Result] = {}
    for one in sorted(results, key=lambda result: result.order):
        if one.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.NOT_COVERED):
            told.setdefault(one.check, one)
    return [
        {
            "check": one.check,
            "outcome": one.outcome.value,
            "severity": one.severity.value,
            "app": one.application,
            "object": one.said.object,
            "message": one.said.message,
        }
        for one in list(told.values())[:most]
    ]
