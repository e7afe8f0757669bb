"""Jobs accepted and worked off each second, beside procrastinate on the same PostgreSQL server."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import procrastinate

from lockstep import settings, work
from lockstep.engine.queue import Queue
from lockstep.engine.tables import State
from lockstep.engine.worker import Worker
from lockstep.store import migrate
from lockstep.store.database import Database, open_database
from tests.support import postgres, tools

_JOBS = 600
_ROUNDS = 5
_AT_ONCE = 8
_KEYS = 50

_HEAD = f"""\
{_JOBS} jobs that do nothing, one process, {_AT_ONCE} threads (or coroutines); the best of {_ROUNDS} rounds in turns.
Each job is accepted in a transaction of its own. Every commit is on the disk before it is answered: SQLite with WAL
and synchronous=FULL; PostgreSQL with fsync=on and synchronous_commit=on, one server for both of its users.
Under keys: {_KEYS} keys, one job at a time under each (procrastinate: lock)."""


class Contestant(Protocol):
    """Accepts and works off jobs. Each call deals with all of them."""

    def accept(self) -> None:
        """One after another."""
        ...

    def accept_at_once(self) -> None:
        """From several callers at once."""
        ...

    def accept_under_keys(self) -> None:
        """One after another, each under one of the keys."""
        ...

    def work_off(self) -> None:
        """Until nothing is left."""
        ...


@dataclass(kw_only=True)
class Rates:
    """The best rates so far, in jobs each second."""

    who: str
    best: dict[str, float] = field(default_factory=dict)

    def measure(self, contestant: Contestant) -> None:
        """One round."""
        self._time("accepted", contestant.accept)
        self._time("worked off", contestant.work_off)
        self._time("accepted at once", contestant.accept_at_once)
        contestant.work_off()
        contestant.accept_under_keys()
        self._time("worked off under keys", contestant.work_off)

    def _time(self, what: str, act: Callable[[], None]) -> None:
        started = time.perf_counter()
        act()
        rate = _JOBS / (time.perf_counter() - started)
        self.best[what] = max(rate, self.best.get(what, 0.0))


class Lockstep:
    """Ours, on either database."""

    def __init__(self, database: Database) -> None:
        migrate.upgrade(database)
        self._database = database
        self._working = settings.Working(threads=_AT_ONCE)
        self._queue = Queue(database, working=self._working)

    def accept(self) -> None:
        """One after another."""
        for number in range(_JOBS):
            self._push(work.Job(kind=work.Kind.TASK, payload={"number": number}))

    def accept_at_once(self) -> None:
        """From several threads."""
        jobs = [work.Job(kind=work.Kind.TASK, payload={"number": number}) for number in range(_JOBS)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._push, jobs))

    def accept_under_keys(self) -> None:
        """Each with a limit."""
        for number in range(_JOBS):
            limits = (f"repository:{number % _KEYS}",)
            self._push(work.Job(kind=work.Kind.TASK, payload={"number": number}, limits=limits))

    def work_off(self) -> None:
        """With a worker."""
        ran = itertools.count(1)
        last = threading.Event()

        def handle(_: work.Claim) -> work.Outcome:
            if next(ran) == _JOBS:
                last.set()
            return work.Done()

        worker = Worker(self._queue, {work.Kind.TASK: handle}, working=self._working)
        # Stopping lets the last ones end. The predicate is cheap, because it is asked after each job.
        assert worker.run_until(last.is_set, timeout_seconds=600.0)
        assert not any(self._queue.listing(states=[state]) for state in (State.QUEUED, State.RUNNING))

    def _push(self, job: work.Job) -> None:
        with self._database.write() as connection:
            self._queue.enqueue(connection, job)


class Procrastinate:
    """The peer, in the way that its documentation recommends: asynchronous, with a pool of connections."""

    def __init__(self, conninfo: str, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(conninfo=conninfo, min_size=_AT_ONCE, max_size=_AT_ONCE + 2)
        )
        self._task = self._app.task(name="nothing")(_nothing)

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """With its tables, while connections are open."""
        self._runner.run(self._app.open_async().__aenter__())
        try:
            self._runner.run(self._app.schema_manager.apply_schema_async())
            yield
        finally:
            self._runner.run(self._app.close_async())

    def accept(self) -> None:
        """One after another."""
        self._runner.run(self._defer(range(_JOBS)))

    def accept_at_once(self) -> None:
        """From several coroutines."""

        async def all_of_them() -> None:
            await asyncio.gather(*(self._defer(range(first, _JOBS, _AT_ONCE)) for first in range(_AT_ONCE)))

        self._runner.run(all_of_them())

    def accept_under_keys(self) -> None:
        """Each with a lock."""

        async def all_of_them() -> None:
            for number in range(_JOBS):
                await self._task.configure(lock=f"repository:{number % _KEYS}").defer_async(number=number)

        self._runner.run(all_of_them())

    def work_off(self) -> None:
        """With a worker."""
        self._runner.run(self._work_off())

    async def _work_off(self) -> None:
        """It ends when it finds nothing, also when the last jobs wait for the locks of those that run just then."""
        left = True
        while left:
            await self._app.run_worker_async(concurrency=_AT_ONCE, wait=False, install_signal_handlers=False)
            left = bool(await self._app.job_manager.list_jobs_async(status="todo"))

    async def _defer(self, numbers: range) -> None:
        for number in numbers:
            await self._task.defer_async(number=number)


async def _nothing(number: int) -> None:
    """A job."""
    del number


def run() -> None:
    """Print a table: jobs each second, and how many times the peer's rate ours is."""
    if tools.find("postgres") is None:
        print("PostgreSQL is not installed: nothing to compare with.")
        return
    print(_HEAD)
    rates = [Rates(who="lockstep, SQLite"), Rates(who="lockstep, PostgreSQL"), Rates(who="procrastinate, PostgreSQL")]
    with _contestants() as contestants:
        for _ in range(_ROUNDS):
            for one, contestant in zip(rates, contestants, strict=True):
                one.measure(contestant)
    _print(rates)


@contextlib.contextmanager
def _contestants() -> Iterator[list[Contestant]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres.server() as address,
        asyncio.Runner() as runner,
        contextlib.ExitStack() as stack,
    ):
        for name in ("ours", "theirs"):
            postgres.administer(address, f"CREATE DATABASE {name}")
        databases = [
            open_database(f"sqlite:///{Path(folder) / 'ours.db'}"),
            open_database(postgres.url(address, "ours")),
        ]
        for database in databases:
            stack.callback(database.close)
        theirs = Procrastinate(f"host={address} user=lockstep dbname=theirs", runner)
        stack.enter_context(theirs.opened())
        yield [*map(Lockstep, databases), theirs]


def _print(rates: list[Rates]) -> None:
    *ours, peer = rates
    print(f"\n{'jobs each second':<28}" + "".join(f"{name:>24}" for name in peer.best))
    for one in rates:
        print(f"{one.who:<28}" + "".join(f"{rate:>24,.0f}" for rate in one.best.values()))
    for one in ours:
        ratios = (f"{rate / peer.best[name]:>23.1f}x" for name, rate in one.best.items())
        print(f"{one.who + ' / peer':<28}" + "".join(ratios))
