"""The queue: jobs go in within the transaction that gave the reason, and come out as claims with a lease.

A claim is ours as long as its fence stands in the job's row. Whoever ends a job writes its effects and the
next jobs in the transaction that changes that row, or nothing at all: so bodies of jobs may run twice, but
what they decide is written once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, tuple_, update
from sqlalchemy.sql.dml import ReturningUpdate

from lockstep import clock as clocks
from lockstep import errors, settings, work
from lockstep.engine import joining, listing, retrying, slots
from lockstep.engine.claiming import Claiming
from lockstep.engine.listing import Listed, Tally
from lockstep.engine.tables import JOINABLE, RUNNING, State, jobs
from lockstep.store import database as databases
from lockstep.store import moments

# Made once, because making a statement costs as much as running it.
_OURS = (jobs.c.id == bindparam("of_job"), jobs.c.fence == bindparam("of_fence"), RUNNING)
_ENDED = update(jobs).where(*_OURS).values(fence="", lease_until=None)
_NEEDED = (jobs.c.limits, jobs.c.failures, jobs.c.attempts)
_END = _ENDED.returning(*_NEEDED)
_FINISH = _ENDED.values(state=State.DONE.value, message="", ended_at=moments.NOW).returning(*_NEEDED)
_FAIL = _ENDED.values(failures=jobs.c.failures + 1, message=bindparam("message")).returning(*_NEEDED)

_REPEATABLE = (State.FAILED, State.ASIDE, State.CANCELLED)


class Queue:
    """Jobs in a database. Safe to share between threads; any number of processes may have one.

    Args:
        database: Where the jobs are.
        working: Leases, back-off, limits.
        clock: The time of leases and delays; the database's own when none is given.
    """

    def __init__(
        self, database: databases.Database, *, working: settings.Working, clock: clocks.Clock | None = None
    ) -> None:
        self._database = database
        self._working = working
        self._clock = clock
        self._draw = random.Random()  # noqa: S311 - jitter is no secret
        self._listeners: list[Callable[[], None]] = []

    def listen(self, call: Callable[[], None]) -> None:
        """Call this whenever this process has queued a job and its transaction is committed."""
        self._listeners.append(call)

    def enqueue(self, connection: Connection, *jobs: work.Job) -> list[int]:
        """Queue jobs in the caller's transaction; those that coalesce join what is queued already.

        Returns:
            The id of the job that does each request's work.

        Raises:
            InputError: A request cannot be kept.
        """
        if not jobs:
            return []
        ids = joining.enqueue(connection, jobs, now=self._set_time)
        databases.after_commit(connection, self._tell)
        return ids

    def claim(
        self, kinds: Collection[work.Kind] | None = None, most: int = 1, *, besides: Collection[int] = ()
    ) -> list[work.Claim]:
        """Make up to ``most`` jobs ours: first those that others lost, then the best that may start.

        Args:
            kinds: What may be claimed; everything that this program knows when None.
            most: How many.
            besides: Jobs that the caller runs already: never taken over, even if a leap of the clock seems to
                have ended their leases.
        """
        if most <= 0:
            return []
        with self._database.write() as connection:
            now = databases.lock(connection, databases.Lock.CLAIM)
            claiming = Claiming(
                connection,
                now=self._set_time or now,
                working=self._working,
                kinds=list(work.Kind) if kinds is None else kinds,
            )
            return claiming.claim(most, besides=besides)

    def heartbeat(self, claims: Collection[work.Claim]) -> set[int]:
        """Extend the leases of these claims.

        Returns:
            The ids of those that are still ours; the others are lost.
        """
        if not claims:
            return set()
        with self._database.write() as connection:
            ours = tuple_(jobs.c.id, jobs.c.fence).in_([(claim.id, claim.fence) for claim in claims])
            held = set(connection.execute(select(jobs.c.id).where(RUNNING, ours)).scalars())
            # One that is locked is being ended by ourselves: waiting for it could cost the others their leases.
            free = select(jobs.c.id).where(RUNNING, ours).with_for_update(skip_locked=True).scalar_subquery()
            lease_until = self.now(connection) + timedelta(seconds=self._working.lease_seconds)
            connection.execute(update(jobs).where(jobs.c.id.in_(free)).values(lease_until=lease_until))
            return held

    def hold(self, connection: Connection, claim: work.Claim) -> None:
        """Make sure that a claim is ours until the caller's transaction ends: for what is written before its end.

        Raises:
            LostWorkError: It is not ours any longer; write nothing.
        """
        row = select(jobs.c.id).where(*_OURS).with_for_update()
        if connection.execute(row, {"of_job": claim.id, "of_fence": claim.fence}).one_or_none() is None:
            raise _lost(claim)

    def finish(self, claim: work.Claim, outcome: work.Outcome) -> None:
        """End a claim: with its effects and the next jobs, in one transaction.

        Raises:
            LostWorkError: It is not ours any longer; nothing is written.
        """
        with self._database.write() as connection:
            if isinstance(outcome, work.Later):
                row = _end(connection, claim, _END)
            else:
                row = _end(connection, claim, _FINISH, now=self._set_time)
            for effect in outcome.effects:
                effect(connection)
            if isinstance(outcome, work.Later):
                values = {"message": outcome.reason, "failures": 0, "crashes": 0}
                joining.put_back(connection, claim.id, values, now=self.now(connection), wait=outcome.seconds)
            else:
                self.enqueue(connection, *outcome.then)
            slots.release(connection, row.limits)

    def fail(self, claim: work.Claim, error: BaseException) -> None:
        """End a claim that failed: it runs again later, or stays as failed, where people see it.

        Raises:
            LostWorkError: It is not ours any longer; nothing is written.
        """
        with self._database.write() as connection:
            now = self.now(connection)
            row = _end(connection, claim, _FAIL, message=retrying.describe(error))
            wait = retrying.wait_before_retry(
                error, failures=row.failures, attempts=row.attempts, working=self._working, draw=self._draw
            )
            if wait is not None:
                joining.put_back(connection, claim.id, {}, now=now, wait=wait)
            else:
                failed = {"state": State.FAILED.value, "ended_at": now}
                connection.execute(update(jobs).where(jobs.c.id == claim.id).values(failed))
            slots.release(connection, row.limits)

    def give_back(self, claim: work.Claim) -> None:
        """Return a claim that was not worked on: it counts neither as an attempt nor as a failure.

        Raises:
            LostWorkError: It is not ours any longer.
        """
        with self._database.write() as connection:
            row = _end(connection, claim, _END)
            joining.put_back(connection, claim.id, {}, now=self.now(connection), wait=0.0)
            slots.release(connection, row.limits)

    def cancel(self, connection: Connection, *, coalesce: str) -> bool:
        """Take back the queued job with this key, if there is one; one that runs is not touched."""
        cancelled = {"state": State.CANCELLED.value, "ended_at": self.now(connection)}
        mine = update(jobs).where(JOINABLE, jobs.c.coalesce_key == coalesce)
        return connection.execute(mine.values(cancelled)).rowcount > 0

    def requeue(self, job: int) -> int:
        """Queue a job again that failed, was set aside or was cancelled, with all its attempts.

        Returns:
            The id of the job that does the work: another one, if that is queued for the same thing already.

        Raises:
            NotFoundError: There is no such job.
            InputError: It has not ended in trouble.
        """
        with self._database.write() as connection:
            state = connection.execute(select(jobs.c.state).where(jobs.c.id == job).with_for_update()).scalar()
            if state is None:
                raise errors.NotFoundError(f"There is no job {job}.", remedy="List the jobs that failed.")
            if State(state) not in _REPEATABLE:
                raise errors.InputError(f"Job {job} is {state}.", remedy="Only what failed can be queued again.")
            values = {"failures": 0, "crashes": 0, "message": ""}
            databases.after_commit(connection, self._tell)
            return joining.put_back(connection, job, values, now=self.now(connection), wait=0.0)

    def counts(self) -> list[Tally]:
        """How many jobs of each kind are in each state."""
        with self._database.read() as connection:
            return listing.counts(connection)

    def listing(self, *, states: Collection[State] = (), most: int = 100, before: int | None = None) -> list[Listed]:
        """The newest jobs in these states, the newest first.

        Args:
            states: Which; all when none is named.
            most: How many.
            before: Only jobs with a lower id: the last one of the page before.
        """
        with self._database.read() as connection:
            return listing.listing(connection, states=states, most=most, before=before)

    def prune(
        self,
        connection: Connection,
        older_than: timedelta,
        *,
        states: Collection[State] = (State.DONE, State.JOINED, State.CANCELLED),
        most: int = 1000,
    ) -> int:
        """Remove up to ``most`` jobs that ended longer ago than this, and counters that nobody needs.

        Returns:
            How many were removed: as many as ``most`` when there may be more.
        """
        old = (
            select(jobs.c.id)
            .where(jobs.c.ended_at < self.now(connection) - older_than)
            .where(jobs.c.state.in_([state.value for state in states]))
            .limit(most)
            # Without this, one that somebody queues again at this moment would go all the same.
            .with_for_update(skip_locked=True)
        )
        removed = connection.execute(delete(jobs).where(jobs.c.id.in_(old))).rowcount
        slots.forget_idle(connection)
        return removed

    def now(self, connection: Connection) -> datetime:
        """The time that leases, delays and schedules are measured by."""
        return self._set_time or databases.now(connection)

    @property
    def _set_time(self) -> datetime | None:
        return self._clock.now() if self._clock else None

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _lost(claim: work.Claim) -> errors.LostWorkError:
    return errors.LostWorkError(f"Job {claim.id} ({claim.kind.value}) is not ours any longer.")


def _end(connection: Connection, claim: work.Claim, how: ReturningUpdate[Any], **values: object) -> Row[Any]:
    """Take the claim's row out of running hands; its limits, failures and attempts."""
    row = connection.execute(how, {"of_job": claim.id, "of_fence": claim.fence, **values}).one_or_none()
    if row is None:
        raise _lost(claim)
    return row
