"""How long a run has been at work: the time in which it waits for people does not count. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from lockstep.store import approvals


def at_work(start: datetime, end: datetime, asked: Iterable[approvals.Approval]) -> timedelta:
    """The time between two moments, without that in which a question was open; overlapping ones count once."""
    waits = sorted(
        (max(one.asked_at, start), min(one.decided_at or end, end))
        for one in asked
        if one.asked_at < end and (one.decided_at or end) > start
    )
    whole, counted = end - start, start
    for begin, finish in waits:
        if finish > counted:
            whole -= finish - max(begin, counted)
            counted = finish
    return whole
