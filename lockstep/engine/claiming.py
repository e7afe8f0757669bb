"""A claim: one short transaction that takes over what others lost and starts what may start.

Only one claim works at a time (SQLite: ``BEGIN IMMEDIATE``; PostgreSQL: an advisory lock), so no limit is
ever exceeded. It walks the index of the jobs that wait for nothing, best first. One that meets a full key is
put aside under that key, out of that index, and looked at again when the key has a slot free: so a claim
costs about the same however many jobs are blocked.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    bindparam,
    exists,
    literal,
    or_,
    select,
    union_all,
    update,
)

from lockstep import settings, work
from lockstep.engine import planning
from lockstep.engine.joining import LONGEST_WAIT_SECONDS
from lockstep.engine.slots import Ledger
from lockstep.engine.tables import BLOCKED, NOTHING, READY, RUNNING, TIMED, State, jobs, slots

# How many jobs one look at the line reads, and how many looks one claim takes: what is left waits for the next.
_LOOK = 256
_LOOKS = 16
# A lease further ahead than this many of ours was set by a clock that was wrong.
_LEASES_AHEAD = 10

# What a look around may find to do. No limit key looks like this: those have a colon.
_TIMED = "timed"
_EXPIRED = "expired"

# The statements are made once: making one costs as much as running it.
_DUE = or_(jobs.c.run_at <= bindparam("now"), jobs.c.run_at > bindparam("beyond_waits"))
_LOST = or_(jobs.c.lease_until <= bindparam("now"), jobs.c.lease_until > bindparam("beyond_leases"))
_OF_KINDS = jobs.c.kind.in_(bindparam("kinds", expanding=True))
_CHORES = union_all(
    select(literal(_TIMED), literal(0)).where(exists().where(TIMED, _DUE)),
    select(literal(_EXPIRED), literal(0)).where(exists().where(RUNNING, _LOST)),
    select(slots.c.key, slots.c.running).where(slots.c.waited),
)
_THOSE_DUE = select(jobs.c.id).where(TIMED, _DUE).with_for_update(skip_locked=True)
_WAKE_TIMED = update(jobs).where(jobs.c.id.in_(_THOSE_DUE.scalar_subquery())).values(waits_for=NOTHING)
_THOSE_LOST = (
    select(jobs.c.id, jobs.c.crashes, jobs.c.limits)
    .where(RUNNING, _LOST, _OF_KINDS, jobs.c.id.not_in(bindparam("besides", expanding=True)))
    .order_by(jobs.c.lease_until, jobs.c.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True)
)
_SET_ASIDE = (
    update(jobs)
    .where(jobs.c.id.in_(bindparam("ids", expanding=True)))
    .values(state=State.ASIDE.value, fence="", lease_until=None, crashes=jobs.c.crashes + 1)
    .values(message="It was set aside: each worker that ran it died, or froze beyond its lease.")
    .values(ended_at=bindparam("now"))
)
_WAIT = update(jobs).where(jobs.c.id == bindparam("job")).values(waits_for=bindparam("full"))
_BEST_THAT_WAIT = (
    select(jobs.c.id)
    .where(BLOCKED, jobs.c.waits_for == bindparam("full"))
    .order_by(jobs.c.priority.desc(), jobs.c.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True)
)
_WAKE = update(jobs).where(jobs.c.id.in_(_BEST_THAT_WAIT.scalar_subquery())).values(waits_for=NOTHING)
# Also those that another transaction is joining just now, and that were passed over: they are not forgotten.
_STILL_WAITED = select(slots.c.key).where(
    slots.c.key.in_(bindparam("keys", expanding=True)), exists().where(BLOCKED, jobs.c.waits_for == slots.c.key)
)
_LINE = (
    select(jobs.c.id, jobs.c.limits)
    .where(READY, _OF_KINDS)
    .order_by(jobs.c.priority.desc(), jobs.c.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True)
)
_START = (
    update(jobs)
    .where(jobs.c.id.in_(bindparam("ids", expanding=True)))
    .values(state=State.RUNNING.value, fence=bindparam("of_fence"), lease_until=bindparam("until"))
    .values(started_at=bindparam("now"), crashes=jobs.c.crashes + bindparam("crashed"))
    .returning(jobs.c.id, jobs.c.kind, jobs.c.payload, jobs.c.failures, jobs.c.crashes)
)


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
        lease = timedelta(seconds=working.lease_seconds)
        self._connection = connection
        self._working = working
        self._kinds = sorted(kind.value for kind in kinds)
        self._ledger = Ledger(connection)
        self._fence = secrets.token_hex(16)
        self._now = {"now": now}
        self._bounds = {
            **self._now,
            "beyond_waits": now + timedelta(seconds=2 * LONGEST_WAIT_SECONDS),
            "beyond_leases": now + _LEASES_AHEAD * lease,
        }
        self._until = now + lease

    def claim(self, most: int, *, besides: Collection[int]) -> list[work.Claim]:
        """Claim up to ``most`` jobs; none of ``besides`` is taken over, whatever its lease says."""
        chores = self._look_around()
        if _TIMED in chores:
            self._connection.execute(_WAKE_TIMED, self._bounds)
        claims = self._take_over(most, besides) if _EXPIRED in chores else []
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

    def _look_around(self) -> set[str]:
        """What is to be done besides, in one question, because mostly there is nothing.

        The ledger learns which keys are waited for.
        """
        found: dict[str, int] = dict(self._connection.execute(_CHORES, self._bounds).all())
        chores = found.keys() & {_TIMED, _EXPIRED}
        self._ledger.learn_waited({key: running for key, running in found.items() if key not in chores})
        return chores

    def _take_over(self, room: int, besides: Collection[int]) -> list[work.Claim]:
        """Take jobs whose lease has ended; those that ended their worker too often are set aside."""
        wanted = {"most": room, "kinds": self._kinds, "besides": list(besides)}
        lost = self._connection.execute(_THOSE_LOST, {**self._bounds, **wanted}).all()
        hopeless = [row for row in lost if row.crashes + 1 >= self._working.most_crashes]
        if hopeless:
            self._connection.execute(_SET_ASIDE, {**self._now, "ids": [row.id for row in hopeless]})
            freed = [key for row in hopeless for key in row.limits]
            self._ledger.load(freed)
            self._ledger.running.subtract(freed)
        return self._fenced([row.id for row in lost if row not in hopeless], crashed=1)

    def _wake_blocked(self, look: int) -> None:
        """Put jobs back into the line for the slots that their key has free.

        The best go first, and with each look twice as many, because some may only move on to another full key.
        """
        free = {
            key: planning.most_under(key, self._working.limits) - self._ledger.running[key]
            for key in sorted(self._ledger.waited)
        }
        wakes = [{"full": key, "most": slots_free << look} for key, slots_free in free.items() if slots_free > 0]
        if wakes:
            self._connection.execute(_WAKE, wakes)
            keys = [wake["full"] for wake in wakes]
            self._ledger.waited.difference_update(keys)
            self._ledger.waited.update(self._connection.execute(_STILL_WAITED, {"keys": keys}).scalars())

    def _look(self, most: int) -> list[tuple[int, tuple[str, ...]]]:
        """The head of the line: ids and keys, in the order in which they should start."""
        head = self._connection.execute(_LINE, {"most": most, "kinds": self._kinds})
        return [(job, tuple(keys)) for job, keys in head]

    def _start(self, line: Sequence[tuple[int, tuple[str, ...]]], room: int) -> list[work.Claim]:
        """Start what may start; the others wait for the key that is full."""
        self._ledger.load(key for _, keys in line for key in keys)
        plan = planning.plan(line, running=self._ledger.running, limits=self._working.limits, room=room)
        if plan.wait:
            self._connection.execute(_WAIT, [{"job": job, "full": key} for job, key in plan.wait.items()])
            self._ledger.waited.update(plan.wait.values())
        keys_of = dict(line)
        self._ledger.running.update(key for job in plan.start for key in keys_of[job])
        return self._fenced(plan.start, crashed=0)

    def _fenced(self, ids: Sequence[int], *, crashed: int) -> list[work.Claim]:
        """Make these jobs ours; their claims, in the order of the ids given."""
        if not ids:
            return []
        ours = {**self._now, "ids": ids, "of_fence": self._fence, "until": self._until, "crashed": crashed}
        claims = {row.id: self._claim(row) for row in self._connection.execute(_START, ours)}
        return [claims[job] for job in ids]

    def _claim(self, row: Row[Any]) -> work.Claim:
        return work.Claim(
            id=row.id,
            kind=work.Kind(row.kind),
            payload=row.payload,
            fence=self._fence,
            attempt=row.failures + 1,
            crashes=row.crashes,
        )
