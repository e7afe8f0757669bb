"""A whole report, section by section. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from drift import preflight
from drift.checks import catalogue
from drift.checks.facts import Facts, Unread, Whole
from drift.checks.results import Outcome, Result, Severity, moment
from drift.dossier import parts, seal
from lockstep.topology import kinds
from lockstep.values import Json

KIND = "PreflightReport"
SCHEMA = 1
"""Of the document; a reader refuses what it does not know."""
_KST = timezone(timedelta(hours=9), "KST")
_MOST_BLOCKERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How a report came to be: its id, by whom (whose identity nobody verified), with which version of the tool."""

    id: str
    by: str
    tool: str
    expected: Mapping[str, kinds.ExpectedDifference]
    configured: tuple[str, str]
    """The pair's primary and standby as they are configured, whichever is the truth now."""
    ttl: timedelta = preflight.TTL
    """How long evidence counted when the results were made."""


def report(
    whole: Whole, results: Sequence[Result], made: Made, *, before: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """The report of a preflight, with its digest.

    Args:
        whole: What was gathered.
        results: What the checks said of it.
        made: How the report came to be.
        before: The report before this one, of the same pair and scope.
    """
    verdict = preflight.gate(results)
    outcomes = preflight.by_check(results)
    blockers = [one for one in results if preflight.blocks(one)]
    said: dict[str, Json] = {
        **_header(whole, made),
        "verdict": verdict.value,
        "statement": statement(verdict, results),
        "reasons": preflight.reasons(results),
        "score": preflight.score(results),
        "counts": _counts(results, outcomes),
        "changes": _changes(results, before),
        "blockers": [one.to_json() for one in blockers[:_MOST_BLOCKERS]],
        "objectives": [parts.objectives(facts) for facts in whole.applications],
        "coverage": parts.coverage(whole),
        "versions": [parts.versions(facts) for facts in whole.applications],
        "results": [one.to_json() for one in results],
        "checks": _checks(outcomes),
        "expected": parts.expected(whole, made.expected),
        "declared": [entry for facts in whole.applications for entry in parts.declared(facts)],
        "waivers": [one.to_json() for one in results if one.outcome is Outcome.WAIVED],
        "capacity": [one.to_json() for one in results if one.check in ("CAP-01", "CAP-02")],
        "certificates": parts.certificates(whole),
        "signOff": {role: parts.blank() for role in ("preparer", "approver", "businessOwner")},
        "identities": "not verified",
        "annex": parts.annex(whole),
    }
    return seal.sealed({**said, seal.FACTS: seal.facts(said)})


def statement(verdict: preflight.Go, results: Sequence[Result]) -> str:
    """The verdict in a sentence, with how much of the catalogue it stands on."""
    ran, total = len(preflight.ran(results)), len(catalogue.CATALOGUE)
    if verdict is preflight.Go.NO_GO:
        count = len({one.check for one in results if preflight.blocks(one)})
        return f"{count} blocking checks failed or are unknown, and {ran} of {total} checks ran"
    return f"no blocker found in {ran} of {total}"


def _header(whole: Whole, made: Made) -> dict[str, Json]:
    faced, now = whole.faced, whole.now.astimezone(UTC)
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "id": made.id,
        "generatedAt": moment(now),
        "generatedAtKst": moment(now.astimezone(_KST)),
        "evidenceCountsForSeconds": made.ttl.total_seconds(),
        "tool": {"name": "lockstep", "version": made.tool, "rules": catalogue.VERSION},
        "by": made.by,
        "scope": {
            "pair": faced.pair,
            "applications": [facts.name for facts in whole.applications],
            "tiers": {facts.name: facts.tier.value for facts in whole.applications},
        },
        "direction": {
            "stance": faced.stance.value,
            "truth": faced.truth,
            "follower": faced.follower,
            "primary": made.configured[0],
            "standby": made.configured[1],
        },
        "commits": {facts.name: _commit(facts) for facts in whole.applications},
    }


def _commit(facts: Facts) -> str:
    return "" if isinstance(facts.desired, Unread) else facts.desired.revision


def _counts(results: Sequence[Result], outcomes: Mapping[str, Outcome]) -> dict[str, Json]:
    """How many results and how many checks ended in which way, and how many of the catalogue ran."""
    return {
        "results": {one.value: count for one, count in Counter(one.outcome for one in results).items()},
        "checks": {one.value: count for one, count in Counter(outcomes.values()).items()},
        "blockers": sum(map(preflight.blocks, results)),
        "ran": len(preflight.ran(results)),
        "of": len(catalogue.CATALOGUE),
    }


def _checks(outcomes: Mapping[str, Outcome]) -> list[Json]:
    return [
        {
            "id": check.id,
            "v": check.version,
            "titles": dict(check.titles),
            "modes": [mode.value for mode in check.modes],
            "severity": check.gravest.value,
            "outcome": outcomes[check.id].value,
        }
        for check in catalogue.CATALOGUE.values()
        if check.id in outcomes
    ]


def _changes(results: Sequence[Result], before: Mapping[str, Json] | None) -> Json:
    """What is new, what was mended and what is still open since the report before; None for the first."""
    if before is None:
        return None
    now = {one.identity: one for one in results if _is_open(one.outcome.value)}
    then = {
        (one["check"], one["app"], one["object"], one["path"]): one
        for one in before.get("results", ())
        if _is_open(one["outcome"])
    }
    fixed = [one for identity, one in then.items() if identity not in now]
    return {
        "since": before.get("id"),
        "at": before.get("generatedAt"),
        "verdict": before.get("verdict"),
        "new": [_named(one.to_json()) for identity, one in now.items() if identity not in then],
        "fixed": [_named(one) for one in fixed],
        "open": len(now.keys() & then.keys()),
    }


def _is_open(outcome: str) -> bool:
    closed = (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.NOT_COVERED)
    return outcome not in [one.value for one in closed]


def _named(record: Mapping[str, Json]) -> Json:
    return {name: record[name] for name in ("check", "app", "object", "path", "outcome", "severity", "message")}


def verdict_of(report_: Mapping[str, Json]) -> preflight.Go:
    """The verdict of a report that was read."""
    return preflight.Go(report_["verdict"])


def is_blocking(record: Mapping[str, Json]) -> bool:
    """Whether a record of a report that was read makes the verdict NO-GO."""
    outcome = Outcome(record["outcome"])
    return record["severity"] == Severity.BLOCKER.value and (outcome is Outcome.FAIL or outcome.is_unproved)


def age(report_: Mapping[str, Json], now: datetime) -> timedelta:
    """How old a report that was read is."""
    return now - datetime.fromisoformat(report_["generatedAt"])
