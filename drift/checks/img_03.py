"""IMG-03: what the tags of the application's images name is the same at both sites, and no change is late.

A change that the follower lacks for longer than the recovery point objective allows is a blocker.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from drift.checks import answers
from drift.checks.facts import Facts, Tagged, Unread
from drift.checks.results import Outcome, Said, Severity
from lockstep.topology.amounts import format_duration
from lockstep.values import Json

ID = "IMG-03"
_FIX = "Mirror it: lockstep sync images."
_SILENT = frozenset({"unreachable", "failed"})


def run(facts: Facts) -> Iterator[Said]:
    """Every tag that is not as at its source, at the follower and at the truth."""
    tags: tuple[Tagged, ...] | Unread = facts.images if isinstance(facts.images, Unread) else facts.images.tags
    if isinstance(tags, Unread):
        yield answers.unread(tags)
        return
    if not facts.application.spec.images:
        yield Said(outcome=Outcome.NOT_APPLICABLE, message="the application has no images of its own")
        return
    here = [one for one in tags if one.site in (facts.faced.truth, facts.faced.follower)]
    if not any(one.site == facts.faced.follower for one in here):
        yield answers.unread(Unread(why=f"no mirror brings the application's images to {facts.faced.follower}"))
        return
    rpo = facts.protection.objectives[1]
    found = [said for one in here if (said := _said(one, rpo, at_follower=one.site == facts.faced.follower))]
    yield from answers.listed(found)
    if not found:
        yield answers.passed("every tag is the same image, and no change is late", dr=len(here))


def _said(one: Tagged, rpo: timedelta, *, at_follower: bool) -> Said | None:
    name = f"{one.name}:{one.reference}" if ":" not in one.reference else f"{one.name}@{one.reference}"
    place: dict[str, Json] = {"object": name, "path": one.site, "primary": _text(rpo)}
    if one.state in _SILENT:
        return Said(outcome=Outcome.UNKNOWN, message=one.detail or one.state, **place)
    if one.state != "equal":
        late = one.behind is not None and one.behind > rpo
        message = f"the image is {one.state} at {one.site}"
        if one.behind is not None:
            message = f"{message}, {_text(one.behind)} behind, and the RPO is {_text(rpo)}"
        severity = Severity.BLOCKER if late and at_follower else None
        shown = _text(one.behind) if one.behind is not None else None
        return Said(outcome=Outcome.FAIL, severity=severity, message=message, dr=shown, fix=_FIX, **place)
    if at_follower and one.newest is not None and one.newest > rpo:
        message = f"the newest change took {_text(one.newest)} to come, and the RPO is {_text(rpo)}"
        return Said(outcome=Outcome.WARN, message=message, dr=_text(one.newest), **place)
    return None


def _text(length: timedelta) -> str:
    return format_duration(timedelta(seconds=round(length.total_seconds())))
