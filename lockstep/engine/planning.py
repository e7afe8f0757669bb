"""Which of some jobs may start now, and for which full key the others have to wait. Pure.

A key (``site:sejong``) is full when as many jobs run under it as the setting of the part before its colon
allows. A job starts only when none of its keys is full.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``start``: ids of the jobs that may start. ``wait``: the full key that each of the others waits for."""

    start: tuple[int, ...]
    wait: Mapping[int, str]


def most_under(key: str, limits: Mapping[str, int]) -> int:
    """How many jobs may run at once under a key: the setting of the part before its colon, or 1."""
    return limits.get(key.partition(":")[0], 1)


def plan(
    candidates: Iterable[tuple[int, tuple[str, ...]]],
    *,
    running: Mapping[str, int],
    limits: Mapping[str, int],
    room: int,
) -> Plan:
    """Decide over jobs in the order in which they should start.

    Args:
        candidates: Id and keys of each job.
        running: How many jobs run under each key; 0 for a key that is not there.
        limits: How many may, by the part before the colon.
        room: How many jobs may start altogether. Jobs beyond it are neither started nor made to wait.
    """
    taken = Counter(running)
    start: list[int] = []
    wait: dict[int, str] = {}
    for job, keys in candidates:
        if len(start) == room:
            break
        full = next((key for key in keys if taken[key] >= most_under(key, limits)), None)
        if full is not None:
            wait[job] = full
        else:
            start.append(job)
            taken.update(keys)
    return Plan(start=tuple(start), wait=wait)
