"""GIT-02: what the follower's mirror lacks is not older than the recovery point objective allows to lose."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from drift.checks import answers
from drift.checks.facts import Facts, Unread
from drift.checks.results import Outcome, Said
from lockstep.topology.amounts import format_duration

ID = "GIT-02"
_FIX = "Mirror it: lockstep sync git."


def run(facts: Facts) -> Iterator[Said]:
    """How far the follower's mirror is behind, and how long the newest change took to come."""
    if isinstance(facts.mirrors, Unread):
        yield answers.unread(facts.mirrors)
        return
    mirror = next((one for one in facts.mirrors if one.site == facts.faced.follower), None)
    if mirror is None:
        yield answers.unread(Unread(why=f"{facts.faced.follower} has no mirror of it"))
        return
    if mirror.behind is None:
        yield answers.unread(Unread(why="nobody knows for how long the mirror has not been equal"), fix=_FIX)
        return
    rpo = facts.protection.objectives[1]
    shown, newest = _text(mirror.behind), mirror.newest
    repository = facts.application.spec.source.repository
    if mirror.behind > rpo:
        message = f"the mirror is {shown} behind, and the RPO is {_text(rpo)}"
        yield Said(outcome=Outcome.FAIL, message=message, object=repository, primary=_text(rpo), dr=shown, fix=_FIX)
    elif newest is not None and newest > rpo:
        message = f"the newest change took {_text(newest)} to come, and the RPO is {_text(rpo)}"
        yield Said(outcome=Outcome.WARN, message=message, object=repository, primary=_text(rpo), dr=_text(newest))
    else:
        yield answers.passed("the lag is within the RPO", primary=_text(rpo), dr=shown)


def _text(length: timedelta) -> str:
    return format_duration(timedelta(seconds=round(length.total_seconds())))
