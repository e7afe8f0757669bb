"""A queue on each database, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lockstep import settings, work
from lockstep.engine.queue import Queue
from lockstep.store.database import Database
from tests.support import times


@pytest.fixture
def working() -> settings.Working:
    """Round numbers, and one key that two jobs may share."""
    return settings.Working(
        lease_seconds=20.0,
        backoff_seconds=2.0,
        longest_backoff_seconds=60.0,
        most_crashes=3,
        limits={"one": 1, "two": 2, "none": 0},
    )


@pytest.fixture
def clock() -> times.Clock:
    """It stands still until the test moves it."""
    return times.Clock()


@pytest.fixture
def queue(database: Database, clock: times.Clock, working: settings.Working) -> Queue:
    """An empty queue."""
    return Queue(database, working=working, clock=clock)


@pytest.fixture
def push(database: Database, queue: Queue) -> Callable[..., list[int]]:
    """Queues jobs in a transaction of their own; their ids."""

    def pushed(*jobs: work.Job) -> list[int]:
        with database.write() as connection:
            return queue.enqueue(connection, *jobs)

    return pushed
