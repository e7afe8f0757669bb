"""The queue: jobs go in within the transaction that gave the reason, and come out as claims with a lease.

A claim is ours as long as its fence stands in the job's row. Whoever ends a job writes its effects and the
next jobs in the transaction that changes that row, or nothing at all: so bodies of jobs may run twice, but
what they decide is written once.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_, update

from lockstep import clock as clocks
from lockstep import errors, settings, work
from lockstep.engine import joining, retrying, slots
from lockstep.engine.claiming import Claiming
from lockstep.engine.tables import RUNNING, jobs
from lockstep.store import database as databases


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
        ids = joining.enqueue(connection, jobs, now=self._now(connection))
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
            databases.lock(connection, databases.Lock.CLAIM)
            claiming = Claiming(
                connection,
                now=self._now(connection),
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
            lease_until = self._now(connection) + timedelta(seconds=self._working.lease_seconds)
            connection.execute(update(jobs).where(jobs.c.id.in_(free)).values(lease_until=lease_until))
            return held

    def finish(self, claim: work.Claim, outcome: work.Outcome) -> None:
        """End a claim: with its effects and the next jobs, in one transaction.

        Raises:
            LostWorkError: It is not ours any longer; nothing is written.
        """
        with self._ending(claim) as (connection, row, now):
            for effect in outcome.effects:
                effect(connection)
            if isinstance(outcome, work.Later):
                values = {"message": outcome.reason, "failures": 0, "crashes": 0}
                joining.put_back(connection, claim.id, values, now=now, wait=outcome.seconds)
            else:
                connection.execute(
                    update(jobs).where(jobs.c.id == claim.id).values(state="done", message="", ended_at=now)
                )
                self.enqueue(connection, *outcome.then)
            slots.release(connection, row.limits)

    def fail(self, claim: work.Claim, error: BaseException) -> None:
        """End a claim that failed: it runs again later, or stays as failed, where people see it.

        Raises:
            LostWorkError: It is not ours any longer; nothing is written.
        """
        with self._ending(claim) as (connection, row, now):
            failures = row.failures + 1
            values: dict[str, Any] = {"failures": failures, "message": retrying.describe(error)}
            wait = retrying.wait_before_retry(
                error, failures=failures, attempts=row.attempts, working=self._working, draw=self._draw
            )
            if wait is None:
                ended = {"state": "failed", "ended_at": now}
                connection.execute(update(jobs).where(jobs.c.id == claim.id).values(**values, **ended))
            else:
                joining.put_back(connection, claim.id, values, now=now, wait=wait)
            slots.release(connection, row.limits)

    def give_back(self, claim: work.Claim) -> None:
        """Return a claim that was not worked on: it counts neither as an attempt nor as a failure.

        Raises:
            LostWorkError: It is not ours any longer.
        """
        with self._ending(claim) as (connection, row, now):
            joining.put_back(connection, claim.id, {}, now=now, wait=0.0)
            slots.release(connection, row.limits)

    @contextlib.contextmanager
    def _ending(self, claim: work.Claim) -> Iterator[tuple[Connection, Row[Any], datetime]]:
        """A transaction in which the claim's row is ours to end; on success its slots are released last."""
        with self._database.write() as connection:
            row = connection.execute(
                update(jobs)
                .where(jobs.c.id == claim.id, jobs.c.fence == claim.fence, RUNNING)
                .values(fence="", lease_until=None)
                .returning(jobs.c.limits, jobs.c.failures, jobs.c.attempts)
            ).one_or_none()
            if row is None:
                raise errors.LostWorkError(f"Job {claim.id} ({claim.kind.value}) is not ours any longer.")
            yield connection, row, self._now(connection)

    def _now(self, connection: Connection) -> datetime:
        return self._clock.now() if self._clock else databases.now(connection)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
