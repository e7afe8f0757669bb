"""Ticks."""

from __future__ import annotations

import concurrent.futures
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors, settings, work
from lockstep.engine.queue import Queue
from lockstep.engine.schedule import Schedule, next_tick
from lockstep.engine.tables import schedules
from lockstep.store.database import Database
from tests.support import times
from tests.support.jobs import rows

SWEEP = work.sweep(work.Kind.SWEEP_GIT)
START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def schedule(database: Database, queue: Queue) -> Schedule:
    """A schedule with a sweep each minute."""
    made = Schedule(database, queue)
    ensure(database, made, 60.0)
    return made


def ensure(database: Database, schedule: Schedule, every: float, job: work.Job = SWEEP) -> None:
    """What each process does at its start."""
    with database.write() as connection:
        schedule.ensure(connection, "sweep", job, every)


def work_off(queue: Queue) -> int:
    """End all jobs that may start; how many."""
    claims = queue.claim(most=10)
    for claim in claims:
        queue.finish(claim, work.Done())
    return len(claims)


def test_the_first_tick_is_at_once(schedule: Schedule, queue: Queue) -> None:
    """A service that starts looks at everything first."""
    assert schedule.tick() == 1
    assert schedule.tick() == 0
    assert queue.claim()[0].kind is work.Kind.SWEEP_GIT


def test_ticks_come_in_their_rhythm(schedule: Schedule, queue: Queue, clock: times.Clock) -> None:
    """Each interval once, counted from the first, however late somebody looks."""
    ticks = []
    for _ in range(100):
        ticks.append(schedule.tick())
        work_off(queue)
        clock.pass_seconds(7.0)
    assert sum(ticks) == 1 + 99 * 7 // 60


def test_missed_ticks_collapse_into_one(schedule: Schedule, queue: Queue, clock: times.Clock) -> None:
    """After a week without a process there is one sweep, not ten thousand."""
    schedule.tick()
    work_off(queue)
    clock.pass_seconds(7 * 86_400.0)
    assert schedule.tick() == 1
    assert schedule.tick() == 0
    assert work_off(queue) == 1


def test_a_tick_joins_the_job_of_the_last_one(schedule: Schedule, database: Database, clock: times.Clock) -> None:
    """Sweeps that nobody works off do not pile up."""
    for _ in range(5):
        schedule.tick()
        clock.pass_seconds(60.0)
    assert len(rows(database)) == 1


def test_each_tick_fires_once_however_many_look(database: Database, working: settings.Working) -> None:
    """Eight processes see the same moment come; one of them queues the job."""
    plain = work.Job(kind=work.Kind.SWEEP_GIT, payload={})
    many = [Schedule(database, Queue(database, working=working)) for _ in range(8)]
    ensure(database, many[0], 3600.0, plain)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda one: one.tick(), many)) == 1
    assert len(rows(database)) == 1


def test_a_restart_keeps_the_rhythm(schedule: Schedule, database: Database, clock: times.Clock) -> None:
    """Starting again and again does not sweep again and again."""
    schedule.tick()
    clock.pass_seconds(30.0)
    ensure(database, schedule, 60.0)
    assert schedule.tick() == 0
    clock.pass_seconds(30.0)
    assert schedule.tick() == 1


def test_a_shorter_interval_holds_at_once(schedule: Schedule, database: Database, clock: times.Clock) -> None:
    """Nobody waits for the end of an interval that was an hour yesterday."""
    ensure(database, schedule, 3600.0)
    schedule.tick()
    ensure(database, schedule, 10.0)
    clock.pass_seconds(10.0)
    assert schedule.tick() == 1


def test_a_changed_job_is_the_one_that_is_queued(schedule: Schedule, database: Database, queue: Queue) -> None:
    """The newest program says what a name means, in every detail of the job."""
    job = work.Job(kind=work.Kind.SCAN, payload={"application": "한국"}, limits=("scan:a",), priority=3, attempts=2)
    ensure(database, schedule, 60.0, job)
    schedule.tick()
    (row,) = rows(database).values()
    assert (row["kind"], row["payload"], row["limits"]) == ("drift.scan", {"application": "한국"}, ["scan:a"])
    assert (row["priority"], row["attempts"]) == (3, 2)


def test_a_clock_set_back_does_not_stop_the_schedule(schedule: Schedule, queue: Queue, clock: times.Clock) -> None:
    """A tick of the year 2035 is no reason to wait for it."""
    clock.leap(9 * 365 * 86_400.0)
    schedule.tick()
    clock.leap(-9 * 365 * 86_400.0)
    assert schedule.tick() == 1
    assert schedule.tick() == 0
    clock.pass_seconds(60.0)
    assert schedule.tick() == 1


def test_a_job_of_an_unknown_kind_is_left_to_others(schedule: Schedule, database: Database) -> None:
    """What a newer program has scheduled neither runs here nor keeps the rest from running."""
    with database.write() as connection:
        newer = {"name": "newer", "job": {"kind": "from.the.future"}, "every_seconds": 60.0, "next_at": START}
        connection.execute(schedules.insert().values(newer))
    assert schedule.tick() == 1


@pytest.mark.parametrize("every", [0.0, -1.0, float("nan")])
def test_an_interval_that_is_none_is_refused(schedule: Schedule, database: Database, every: float) -> None:
    """Nothing is queued without a pause."""
    with pytest.raises(errors.InputError):
        ensure(database, schedule, every)


@given(st.floats(1.0, 1e7), st.floats(0.0, 1e9))
def test_the_next_tick_is_ahead_and_within_one_interval(every: float, passed: float) -> None:
    """Whatever was missed, the next tick is later than now and not further than an interval."""
    now = START + timedelta(seconds=passed)
    after = next_tick(START, every, now)
    assert now < after <= now + timedelta(seconds=every)
