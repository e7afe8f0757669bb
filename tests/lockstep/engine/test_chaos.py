"""Processes are killed and frozen while work flows; what was promised holds."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess

import pytest
from sqlalchemy import func, select

from lockstep.engine import planning
from lockstep.engine.tables import jobs
from lockstep.store import migrate, tables
from lockstep.store.database import Database, open_database
from tests.support import chaos

_CHAOS_SECONDS = 8.0
_LONGEST_CHAOS_SECONDS = 60.0  # on a machine that is so busy that the first seconds prove nothing
_CALM_SECONDS = 120.0
_FROZEN_SECONDS = 1.5  # at most; less than a lease, or so much more that another process is in the middle of the work


def _signal(process: ForkServerProcess, which: signal.Signals) -> None:
    assert process.pid is not None
    with contextlib.suppress(ProcessLookupError):  # it was killed meanwhile
        os.kill(process.pid, which)


class Crowd:
    """Processes that are replaced as they die."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.support.chaos"])
        self._draw = random.Random(0)  # noqa: S311 - chaos that can be repeated
        self._born = 0
        self._frozen: list[tuple[float, ForkServerProcess]] = []
        self._members: list[tuple[Callable[[str, str], None], ForkServerProcess]] = []

    def add(self, role: Callable[[str, str], None]) -> None:
        """One more process in this role."""
        self._born += 1
        process = self._context.Process(target=role, args=(self._url, f"{role.__name__}-{self._born}"), daemon=True)
        process.start()
        self._members.append((role, process))

    def kill(self, member: int) -> None:
        """One process dies, at once and without a word, and another takes its role."""
        role, process = self._members.pop(member)
        process.kill()
        process.join()
        self.add(role)

    def freeze(self, member: int) -> None:
        """One process stands still, others go on meanwhile."""
        process = self._members[member][1]
        _signal(process, signal.SIGSTOP)
        self._frozen.append((time.monotonic() + self._draw.uniform(0.5, _FROZEN_SECONDS), process))

    def thaw(self, until: float) -> None:
        """Those that stood still for long enough go on."""
        for frozen in [one for one in self._frozen if one[0] <= until]:
            self._frozen.remove(frozen)
            _signal(frozen[1], signal.SIGCONT)

    def rage(self, proved: Callable[[], bool]) -> None:
        """Kill and freeze for a while, and until that has proved something."""
        began = time.monotonic()
        deadline = began + _LONGEST_CHAOS_SECONDS
        while time.monotonic() < began + _CHAOS_SECONDS or (time.monotonic() < deadline and not proved()):
            threading.Event().wait(self._draw.random() * 0.3)
            self.thaw(time.monotonic())
            act = self._draw.choice([self.kill, self.freeze, self.freeze])
            act(self._draw.randrange(len(self._members)))
        self.thaw(time.monotonic() + 2 * _FROZEN_SECONDS)

    def dismiss(self, role: Callable[[str, str], None] | None = None) -> None:
        """All processes in this role end; without a role, all."""
        for member in [one for one in self._members if role in (None, one[0])]:
            self._members.remove(member)
            member[1].kill()
            member[1].join()


@pytest.fixture
def url(empty_database_url: str) -> str:
    """A database of its own. PostgreSQL ends the transaction of a frozen process as soon as its leases."""
    if empty_database_url.startswith("sqlite"):
        return empty_database_url
    return f"{empty_database_url}&options=-c%20idle_in_transaction_session_timeout=1s"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A database that watches."""
    opened = open_database(url)
    migrate.upgrade(opened)
    chaos.prepare(opened)
    yield opened
    opened.close()


@pytest.fixture
def crowd(url: str, database: Database) -> Iterator[Crowd]:
    """Nobody yet."""
    made = Crowd(url)
    yield made
    made.dismiss()


def wait_for_calm(database: Database) -> None:
    """Wait until all that was queued has ended."""
    deadline = time.monotonic() + _CALM_SECONDS
    left = 1
    while left and time.monotonic() < deadline:
        threading.Event().wait(0.1)
        with database.read() as connection:
            alive = select(func.count()).where(jobs.c.state.in_(["queued", "running"]))
            left = connection.execute(alive).scalar_one()
    assert not left, f"{left} jobs did not end"


def proves_something(database: Database) -> bool:
    """Whether all things were asked for, work was lost and taken over, much was done, and a key was full."""
    with database.read() as connection:
        asked_for_least = connection.execute(select(func.min(chaos.things.c.pushed))).scalar_one()
        crashes = connection.execute(select(func.coalesce(func.sum(jobs.c.crashes), 0))).scalar_one()
        done = connection.execute(select(func.count()).where(jobs.c.state == "done")).scalar_one()
        shared = select(func.coalesce(func.max(chaos.starts.c.running), 0)).where(chaos.starts.c.key.startswith("two:"))
        return min(asked_for_least, crashes) > 0 and done > 20 and connection.execute(shared).scalar_one() == 2


@pytest.mark.chaos
def test_nothing_is_lost_doubled_or_beyond_its_limit(database: Database, crowd: Crowd) -> None:
    """Through SIGKILL and SIGSTOP, what was accepted is done once, and no key is ever exceeded."""
    for role in (chaos.work_on, chaos.work_on, chaos.work_on, chaos.push):
        crowd.add(role)
    crowd.rage(lambda: proves_something(database))
    crowd.dismiss(chaos.push)
    wait_for_calm(database)
    crowd.dismiss()

    with database.read() as connection:
        ended = dict(connection.execute(select(jobs.c.id, jobs.c.state)).all())
        effects = Counter(connection.execute(select(chaos.effects.c.job)).scalars())
        deliveries = Counter(connection.execute(select(tables.deliveries.c.duplicates)).scalars())
        things = connection.execute(select(chaos.things)).all()
        changes = connection.execute(select(chaos.changes).order_by(chaos.changes.c.id)).all()
        starts = connection.execute(select(chaos.starts.c.key, func.max(chaos.starts.c.running)).group_by("key")).all()

    assert set(ended.values()) <= {"done", "joined"}
    assert effects == Counter(job for job, state in ended.items() if state == "done")
    assert deliveries.keys() == {1}
    assert all(thing.seen == thing.pushed for thing in things)
    assert all(running <= planning.most_under(key, chaos.WORKING.limits) for key, running in starts)
    done: set[int] = set()
    for change in changes:
        assert change.job not in done
        done.update([change.job] if change.state in ("done", "joined") else [])
    assert proves_something(database)
