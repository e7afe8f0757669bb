"""Pairs, and applications in them, do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep import errors
from lockstep.topology import draft, kinds


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """Pairs that are there twice, circles of protection, and standbys that would have to be two things at once."""
    yield from _twice(documents)
    for entry, application in documents.each(kinds.Application):
        yield from _circle(documents, entry, application)
        yield from _two_tiers(documents, entry, application)


def _twice(documents: draft.Draft) -> Iterator[errors.Problem]:
    """Two pairs in opposite directions are well: sites may protect each other for different applications."""
    first: dict[tuple[str, str], draft.Entry] = {}
    for entry, pair in documents.each(kinds.Pair):
        other = first.setdefault((pair.spec.primary, pair.spec.standby), entry)
        if other is not entry:
            yield entry.problem(
                ("spec",),
                f"has the same sites as the Pair {other.name} in {other.where}.",
                "Keep one of the two: each would have a stance of its own.",
            )


def _circle(documents: draft.Draft, entry: draft.Entry, application: kinds.Application) -> Iterator[errors.Problem]:
    """A chain of pairs has an end; in a circle every site would be the truth."""
    standbys: dict[str, set[str]] = {}
    for pair, _ in documents.pairs_of(application):
        primary, standby = pair.spec.primary, pair.spec.standby
        if primary in _reachable(standbys, standby):
            yield entry.problem(
                ("spec", "protection", pair.name),
                f"closes a circle: {standby} already leads to {primary}, so that no site would be the standby.",
                "Protect the application in one direction only.",
            )
        standbys.setdefault(primary, set()).add(standby)


def _reachable(standbys: dict[str, set[str]], start: str) -> set[str]:
    seen, ahead = set[str](), [start]
    while ahead:
        site = ahead.pop()
        if site not in seen:
            seen.add(site)
            ahead.extend(standbys.get(site, ()))
    return seen


def _two_tiers(documents: draft.Draft, entry: draft.Entry, application: kinds.Application) -> Iterator[errors.Problem]:
    first: dict[str, tuple[str, kinds.Protection]] = {}
    for pair, protection in documents.pairs_of(application):
        standby = pair.spec.standby
        other, how = first.setdefault(standby, (pair.name, protection))
        if (how.tier, how.floor) != (protection.tier, protection.floor):
            yield entry.problem(
                ("spec", "protection", pair.name),
                f"wants {standby} to be another standby than {other} does: tier or floor differ.",
                "Give both the same tier and floor.",
            )
