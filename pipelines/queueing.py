"""Which of an application's runs may go on, and which a newer one replaces. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A run that has not ended, as its application sees it."""

    id: int
    pending: bool
    """It has not started."""
    waiting: bool
    """It waits for a person, and nothing of it is at work."""
    queues: bool
    """Its application wants every run to have its turn."""
    held: bool = False
    """Somebody asked for it not to start yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What follows: runs to replace, each by a newer one, and the run that starts now."""

    superseded: tuple[tuple[int, int], ...] = ()
    start: int | None = None


def turn(runs: Sequence[Standing]) -> Turn:
    """Whose turn it is.

    A newer push replaces a run that waits for approval and those that have not started; it waits behind one that
    is at work. Where every run has its turn, the oldest goes first and nothing is replaced.

    Args:
        runs: The runs of one application that have not ended, the oldest first.
    """
    able = [run for run in runs if not run.held]
    if not able:
        return Turn()
    newest = able[-1]
    superseded: tuple[tuple[int, int], ...] = ()
    if not newest.queues:
        replaced = [run.id for run in able[:-1] if run.pending or run.waiting]
        superseded = tuple((run, newest.id) for run in replaced)
        able = [run for run in able if run.id not in replaced]
    if any(not run.pending for run in able):
        return Turn(superseded=superseded)
    return Turn(superseded=superseded, start=able[0].id)
