"""Which sites are deployed to together, and which wait for them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from lockstep.topology import direction, kinds


def turns(sites: Sequence[direction.Place], rollout: kinds.Rollout) -> list[list[direction.Place]]:
    """The sites in the order that the application asks for: those of one turn side by side, none empty."""
    if rollout.order == "together":
        return [list(sites)] if sites else []
    truths = [one for one in sites if one.role is direction.Role.TRUTH]
    followers = [one for one in sites if one.role is not direction.Role.TRUTH]
    if rollout.order == "oneByOne":
        return [[one] for one in (*truths, *followers)]
    return [turn for turn in (truths, followers) if turn]


def soaks(ended_at: Sequence[datetime], rollout: kinds.Rollout, *, now: datetime) -> timedelta:
    """How long the next turn still waits after one whose sites ended at these moments; nothing when it need not."""
    if not ended_at:
        return timedelta()
    return max(timedelta(), max(ended_at) + rollout.soak - now)
