"""A claim: one short transaction that takes over what others lost and starts what may start.

Only one claim works at a time (SQLite: ``BEGIN IMMEDIATE``; PostgreSQL: an advisory lock), so no limit is
ever exceeded. It walks the index of the jobs that wait for nothing, best first. One that meets a full key is
put aside under that key, out of that index, and looked at again when the key has a slot free: so a claim
costs about the same however many jobs are blocked.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, or_, select, update

from lockstep import settings, work
from lockstep.engine import planning, slots
from lockstep.engine.joining import LONGEST_WAIT_SECONDS
from lockstep.engine.tables import BLOCKED, NOTHING, READY, RUNNING, TIMED, State, jobs

# How many jobs one look at the line reads, and how many looks one claim takes: what is left waits for the next.
_LOOK = 256
_LOOKS = 16
# A lease further ahead than this many of ours was set by a clock that was wrong.
_LEASES_AHEAD = 10


class Claiming:
    """One claim in one transaction, while no other claim is at work.

    Args:
        connection: The transaction.
        now: The engine's time.
        working: Leases and limits.
        kinds: What may be claimed.
    """

    def __init__(
        self, connection: Connection, *, now: datetime, working: settings.Working, kinds: Collection[work.Kind]
    ) -> None:
        self._connection = connection
        self._now = now
        self._working = working
        self._of_kinds = jobs.c.kind.in_(sorted(kind.value for kind in kinds))
        self._ledger = slots.Ledger(connection)
        self._fence = secrets.token_hex(16)

    def claim(self, most: int, *, besides: Collection[int]) -> list[work.Claim]:
        """Claim up to ``most`` jobs; none of ``besides`` is taken over, whatever its lease says."""
        self._wake_timed()
        claims = self._take_over(most, besides)
        for look in range(_LOOKS):
            room = most - len(claims)
            if not room:
                break
            self._wake_blocked(look)
            line = self._look(_LOOK if look else min(2 * room, _LOOK))
            if not line:
                break
            claims += self._start(line, room)
        self._ledger.write()
        return claims

    def _wake_timed(self) -> None:
        """Put jobs whose time has come into the line."""
        beyond = self._now + timedelta(seconds=2 * LONGEST_WAIT_SECONDS)
        due = select(jobs.c.id).where(TIMED, or_(jobs.c.run_at <= self._now, jobs.c.run_at > beyond))
        self._put_in_line(due)

    def _take_over(self, room: int, besides: Collection[int]) -> list[work.Claim]:
        """Take jobs whose lease has ended; those that ended their worker too often are set aside."""
        beyond = self._now + timedelta(seconds=_LEASES_AHEAD * self._working.lease_seconds)
        lost = self._connection.execute(
            select(jobs.c.id, jobs.c.crashes, jobs.c.limits)
            .where(RUNNING, or_(jobs.c.lease_until <= self._now, jobs.c.lease_until > beyond))
            .where(self._of_kinds, jobs.c.id.not_in(besides))
            .order_by(jobs.c.lease_until)
            .limit(room)
            .with_for_update(skip_locked=True)
        ).all()
        hopeless = [row for row in lost if row.crashes + 1 >= self._working.most_crashes]
        self._set_aside([row.id for row in hopeless])
        self._ledger.load(key for row in hopeless for key in row.limits)
        self._ledger.running.subtract(key for row in hopeless for key in row.limits)
        return self._fenced([row.id for row in lost if row not in hopeless], crashed=1)

    def _set_aside(self, ids: Sequence[int]) -> None:
        if ids:
            message = "It was set aside: each worker that ran it died, or froze beyond its lease."
            values = {
                "state": State.ASIDE.value,
                "fence": "",
                "lease_until": None,
                "ended_at": self._now,
                "message": message,
            }
            self._connection.execute(
                update(jobs).where(jobs.c.id.in_(ids)).values(crashes=jobs.c.crashes + 1, **values)
            )

    def _wake_blocked(self, look: int) -> None:
        """Put jobs back into the line for the slots that their key has free.

        The best go first, and with each look twice as many, because some may only move on to another full key.
        """
        if not look:
            self._ledger.load_waited()
        for key in sorted(self._ledger.waited):
            free = planning.most_under(key, self._working.limits) - self._ledger.running[key]
            if free > 0 and not self._wake(key, free << look):
                self._ledger.waited.discard(key)

    def _wake(self, key: str, most: int) -> bool:
        """Put the best of those that wait for a key into the line; whether there are any."""
        blocked = select(jobs.c.id).where(BLOCKED, jobs.c.waits_for == key)
        best = blocked.order_by(jobs.c.priority.desc(), jobs.c.id).limit(most)
        # Those that another transaction is joining just now are left to a later claim, not forgotten.
        return self._put_in_line(best) > 0 or self._connection.execute(blocked.limit(1)).first() is not None

    def _put_in_line(self, chosen: Select[tuple[int]]) -> int:
        ids = chosen.with_for_update(skip_locked=True).scalar_subquery()
        return self._connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(waits_for=NOTHING)).rowcount

    def _look(self, most: int) -> list[tuple[int, tuple[str, ...]]]:
        """The head of the line: ids and keys, in the order in which they should start."""
        head = (
            select(jobs.c.id, jobs.c.limits)
            .where(READY, self._of_kinds)
            .order_by(jobs.c.priority.desc(), jobs.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        return [(job, tuple(keys)) for job, keys in self._connection.execute(head)]

    def _start(self, line: Sequence[tuple[int, tuple[str, ...]]], room: int) -> list[work.Claim]:
        """Start what may start; the others wait for the key that is full."""
        self._ledger.load(key for _, keys in line for key in keys)
        plan = planning.plan(line, running=self._ledger.running, limits=self._working.limits, room=room)
        waiting: defaultdict[str, list[int]] = defaultdict(list)
        for job, key in plan.wait.items():
            waiting[key].append(job)
        for key, ids in waiting.items():
            self._connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(waits_for=key))
        self._ledger.waited.update(waiting)
        keys_of = dict(line)
        self._ledger.running.update(key for job in plan.start for key in keys_of[job])
        return self._fenced(plan.start, crashed=0)

    def _fenced(self, ids: Sequence[int], *, crashed: int) -> list[work.Claim]:
        """Make these jobs ours; their claims, in the order of the ids given."""
        if not ids:
            return []
        ours = {
            "state": State.RUNNING.value,
            "fence": self._fence,
            "lease_until": self._now + timedelta(seconds=self._working.lease_seconds),
            "started_at": self._now,
        }
        rows = self._connection.execute(
            update(jobs)
            .where(jobs.c.id.in_(ids))
            .values(crashes=jobs.c.crashes + crashed, **ours)
            .returning(jobs.c.id, jobs.c.kind, jobs.c.payload, jobs.c.failures, jobs.c.crashes)
        )
        claims = {
            row.id: work.Claim(
                id=row.id,
                kind=work.Kind(row.kind),
                payload=row.payload,
                fence=self._fence,
                attempt=row.failures + 1,
                crashes=row.crashes,
            )
            for row in rows
        }
        return [claims[job] for job in ids]
