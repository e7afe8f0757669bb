"""From the comparison of an application to what checks of parity say: which differences, which of them unseen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from drift.checks import answers
from drift.checks.facts import Facts, Parity, Unread
from drift.checks.results import Outcome, Said, Severity, Waiver
from drift.report import Entry
from lockstep.sites import ends
from lockstep.values import Json, Verdict

Select = Callable[[Entry], bool]
"""Whether a difference is a check's affair."""
Concerns = Callable[[str, str], bool]
"""Whether objects of a kind, by group and kind, are a check's affair."""

# An object's own labels and annotations describe it; those of a Pod's template choose and configure.
_DESCRIBING = re.compile(r"^/metadata/(?:labels|annotations)(?:/|$)")
_ABSENT = object()
# A deploy would take it back at both, and nobody who made both alike meant that.
_EDITED = "Both sites have it: write it to git, or take it back at both."


def anything(_group: str, _kind: str) -> bool:
    """Every kind."""
    return True


def kind(group: str, name: str) -> Concerns:
    """One kind."""
    return lambda found_group, found: (found_group, found) == (group, name)


def said(facts: Facts, select: Select, *, concerns: Concerns = anything, fix: str = "") -> Iterator[Said]:
    """What is to be said of the differences that a check selects.

    Args:
        facts: The application over the pair.
        select: Which differences are meant.
        concerns: Of which kinds; what of them could not be read is unknown.
        fix: What to do about a difference.
    """
    parity = facts.parity
    if isinstance(parity, Unread):
        yield answers.unread(parity)
        return
    found = [*_unseen(facts, parity, concerns), *_differences(parity, select, concerns, fix)]
    yield from answers.listed(found)
    if not found:
        yield answers.passed("nothing differs", primary=parity.compared.objects, dr=parity.compared.objects)


def values(entry: Entry) -> tuple[Json, Json]:
    """What the truth and the follower have; a mark of its own where there is nothing."""
    return entry.row.values.get("primary", _ABSENT), entry.row.values.get("standby", _ABSENT)


def differs_live(entry: Entry) -> bool:
    """Whether the two sites themselves differ there."""
    primary, standby = values(entry)
    return primary is not standby and (type(primary) is not type(standby) or bool(primary != standby))


def is_whole(entry: Entry) -> bool:
    """Whether the object itself is meant and none of its fields."""
    return not (entry.row.path or entry.row.people_path)


def _differences(parity: Parity, select: Select, concerns: Concerns, fix: str) -> Iterator[Said]:
    for entry in parity.differences:
        row = entry.row
        if row.verdict is Verdict.UNKNOWN or not concerns(row.key.group, row.key.kind) or not select(entry):
            continue
        primary, standby = values(entry)
        waived = entry.state == "waived"
        yield Said(
            outcome=Outcome.WAIVED if waived else Outcome.FAIL,
            message="; ".join(part for part in (f"verdict {row.verdict.value} at {row.site}", row.note) if part),
            object=str(row.key),
            path=row.people_path or row.path,
            primary=_shown(primary),
            dr=_shown(standby),
            since=entry.since,
            cause=dict(row.cause),
            rules=row.rules,
            fix=_EDITED if row.verdict is Verdict.EDITED_AT_BOTH else fix,
            severity=Severity.MINOR if _DESCRIBING.match(row.path) else None,
            waiver=Waiver(by=entry.by, reason=entry.said, until=entry.until) if waived else None,
        )


def _unseen(facts: Facts, parity: Parity, concerns: Concerns) -> Iterator[Said]:
    """What of a check's kinds could not be seen at either site."""
    unseen = [entry for entry in parity.differences if entry.row.verdict is Verdict.UNKNOWN]
    if parity.compared.verdict is Verdict.UNKNOWN and not unseen:
        yield answers.unread(Unread(why=parity.compared.problem or "the comparison is unknown"))
    denied = {(reading.site, gap.what) for reading in facts.live for gap in reading.gaps if gap.denied}
    for entry in unseen:
        row = entry.row
        # What names no kind may hide anything: it concerns every check.
        if row.key.kind != "*" and not concerns("" if row.key.group == "*" else row.key.group, row.key.kind):
            continue
        refused = any(site == row.site and row.note.startswith(f"{what}: ") for site, what in denied)
        yield Said(
            outcome=Outcome.NOT_AUTHORIZED if refused else Outcome.UNKNOWN,
            message=row.note or row.verdict.value,
            object="" if row.key.name == "*" else str(row.key),
            path="" if row.key.name == "*" else row.people_path,
            since=entry.since,
        )


def _shown(value: Json) -> Json:
    return None if value is _ABSENT else value


def gap_of(gaps: tuple[ends.Gap, ...], group: str, name: str) -> Unread | None:
    """Why objects of a kind may be missing from what was read of an application's name spaces."""
    for gap in gaps:
        if gap.group in ("*", group) and gap.kind in ("*", name):
            return Unread(why=f"{gap.what}: {gap.why}", denied=gap.denied)
    return None
