"""The threads that work on the queue, and what they do when handlers or databases misbehave."""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import pytest
from sqlalchemy import Connection, insert

from lockstep import children, errors, settings, work
from lockstep.engine import execution
from lockstep.engine.heart import Heart
from lockstep.engine.queue import Queue
from lockstep.engine.schedule import Schedule
from lockstep.engine.worker import Worker
from lockstep.store import tables
from lockstep.store.database import Database
from tests.support import times
from tests.support.jobs import Push, job, rows, states

DONE = work.Done()


@pytest.fixture
def database(file_database: Database) -> Database:
    """What threads do is the same on both databases: here it is a file."""
    return file_database


@pytest.fixture
def working(working: settings.Working) -> settings.Working:
    """Few threads, which look for work only when they are woken."""
    return dataclasses.replace(working, threads=3, poll_seconds=3600.0)


@pytest.fixture
def build(queue: Queue, working: settings.Working) -> Iterator[Callable[..., Worker]]:
    """Makes workers for handlers, and stops them in the end."""
    made: list[Worker] = []

    def build(handle: work.Handler | Mapping[work.Kind, work.Handler], **options: object) -> Worker:
        handlers = handle if isinstance(handle, Mapping) else {work.Kind.TASK: handle}
        made.append(Worker(queue, handlers, working=working, **options))  # type: ignore[arg-type] # as given
        return made[-1]

    yield build
    for worker in made:
        worker.stop(0.0)


def all_ended(database: Database) -> bool:
    """Whether nothing is left to do."""
    return not {"queued", "running"} & set(states(database).values())


def test_jobs_are_run_by_the_handler_of_their_kind(
    push: Push, database: Database, build: Callable[..., Worker]
) -> None:
    """What has a handler here is done; what has none is left to others."""
    seen: list[str] = []

    def handle(claim: work.Claim) -> work.Outcome:
        seen.append(claim.payload["name"])
        return DONE

    *_, foreign = push(job("a"), job("b"), work.sweep(work.Kind.SWEEP_GIT))
    assert build(handle).run_until(lambda: len(seen) == 2, timeout_seconds=60)
    assert sorted(seen) == ["a", "b"]
    assert states(database)[foreign] == "queued"


def test_as_many_run_at_once_as_there_are_threads(push: Push, database: Database, build: Callable[..., Worker]) -> None:
    """Three jobs that wait for each other all get a thread."""
    meeting = threading.Barrier(3, timeout=60)

    def handle(_: work.Claim) -> work.Outcome:
        meeting.wait()
        return DONE

    push(job("a"), job("b"), job("c"), job("d"), job("e"), job("f"))
    assert build(handle).run_until(lambda: all_ended(database), timeout_seconds=60)


@pytest.mark.timeout(60)
def test_an_end_between_the_question_and_the_wait_is_noticed(push: Push, build: Callable[..., Worker]) -> None:
    """What happens while the predicate is being asked leads to its being asked again, without waiting for a poll."""
    ran = threading.Event()
    asked: list[bool] = []

    def handle(_: work.Claim) -> work.Outcome:
        ran.set()
        return DONE

    def second_time() -> bool:
        asked.append(True)
        if len(asked) == 1:
            push(job("a"))
            assert ran.wait(30)
            assert worker._wait_idle(30)
        return len(asked) == 2

    worker = build(handle)
    assert worker.run_until(second_time)


def test_a_job_queued_in_this_process_starts_at_once(
    push: Push, database: Database, build: Callable[..., Worker]
) -> None:
    """Nobody waits for the next look at the queue, which is an hour away here."""
    ran = threading.Event()

    def handle(_: work.Claim) -> work.Outcome:
        ran.set()
        return DONE

    build(handle).start()
    push(job("a"))
    assert ran.wait(30)


def test_what_waits_for_a_key_starts_when_the_key_is_free(
    push: Push, database: Database, build: Callable[..., Worker]
) -> None:
    """The end of one job starts the next under its key, without any poll, and never two at once."""
    at_once: list[int] = []
    inside = threading.Semaphore(1)

    def handle(_: work.Claim) -> work.Outcome:
        assert inside.acquire(blocking=False)
        at_once.append(1)
        inside.release()
        return DONE

    push(*(job(str(number), limits=("one:x",)) for number in range(5)))
    assert build(handle).run_until(lambda: all_ended(database), timeout_seconds=60)
    assert len(at_once) == 5
    assert set(states(database).values()) == {"done"}


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (errors.UnreachableError("seoul is away."), "queued", "seoul is away."),
        (errors.ForbiddenError("No.", remedy="Ask."), "failed", "No. Ask."),
        (ValueError("surprise"), "queued", "ValueError: surprise (tests/lockstep/engine/test_worker.py:"),
        (SystemExit(3), "queued", "SystemExit: 3"),
    ],
)
def test_a_handler_that_raises_takes_nobody_along(
    push: Push, database: Database, build: Callable[..., Worker], error: BaseException, state: str, message: str
) -> None:
    """The job is tried again or fails with its message, and the worker goes on to the next."""

    def handle(claim: work.Claim) -> work.Outcome:
        if claim.payload["name"] == "bad":
            raise error
        return DONE

    bad, good = push(job("bad", priority=1), job("good"))
    assert build(handle).drain() == 2
    assert states(database) == {bad: state, good: "done"}
    assert rows(database)[bad]["message"].startswith(message)


def test_what_went_wrong_is_logged_with_its_way_and_without_values(
    push: Push, build: Callable[..., Worker], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reads the log finds the line of code; what a variable held is not there."""

    def handle(_: work.Claim) -> work.Outcome:
        secret = "hunter2"
        raise LookupError(len(secret))

    push(job("a"))
    build(handle).drain()
    assert "raise LookupError(len(secret))" in caplog.text
    assert "hunter2" not in caplog.text


def test_an_effect_that_raises_is_a_failure_of_its_job(
    push: Push, database: Database, build: Callable[..., Worker], clock: times.Clock
) -> None:
    """Nothing of the end is written; the next attempt writes all of it, once."""
    broken = iter([True, False])

    def effect(connection: Connection) -> None:
        connection.execute(insert(tables.hooks).values(hook="effect"))
        if next(broken):
            raise ZeroDivisionError

    (id_,) = push(job("a"))
    worker = build(lambda _: work.Done(effects=(effect,)))
    assert worker.drain() == 1
    assert states(database) == {id_: "queued"}
    clock.pass_seconds(10.0)
    assert worker.drain() == 1
    assert states(database) == {id_: "done"}


def test_draining_runs_what_follows_and_waits_for_nothing(
    push: Push, database: Database, build: Callable[..., Worker]
) -> None:
    """Jobs that jobs queue are run too; what is delayed stays."""

    def handle(claim: work.Claim) -> work.Outcome:
        number = int(claim.payload["name"])
        return work.Done(then=(job(str(number + 1)),) if number < 5 else (job("late", delay_seconds=9.0),))

    push(job("1"))
    assert build(handle).drain() == 5
    assert [row["coalesce_key"] for row in rows(database).values() if row["state"] == "queued"] == ["late"]


def test_later_is_run_again(push: Push, build: Callable[..., Worker], clock: times.Clock) -> None:
    """A job that says "not yet" is asked again after its time."""
    answers = iter([work.Later(seconds=5.0, reason="not yet"), DONE])
    worker = build(lambda _: next(answers))
    push(job("a"))
    assert [worker.drain(), worker.drain()] == [1, 0]
    clock.pass_seconds(5.0)
    assert worker.drain() == 1


def test_the_worker_minds_the_clock(database: Database, queue: Queue, build: Callable[..., Worker]) -> None:
    """A worker with a schedule queues what is due and runs it."""
    schedule = Schedule(database, queue)
    with database.write() as connection:
        schedule.ensure(connection, "sweep", work.sweep(work.Kind.SWEEP_GIT), 60.0)
    ran = threading.Event()

    def handle(_: work.Claim) -> work.Outcome:
        ran.set()
        return DONE

    assert build({work.Kind.SWEEP_GIT: handle}, schedule=schedule).run_until(ran.is_set, timeout_seconds=60)


# Leases


def take_over(queue: Queue, clock: times.Clock) -> work.Claim:
    """What another process does once the lease has ended."""
    clock.pass_seconds(20.0)
    (claim,) = queue.claim()
    return claim


def test_work_that_was_taken_over_is_thrown_away(
    push: Push, database: Database, queue: Queue, build: Callable[..., Worker], clock: times.Clock
) -> None:
    """A handler that comes back after its lease changes nothing: the job belongs to the other one."""

    def handle(_: work.Claim) -> work.Outcome:
        take_over(queue, clock)
        return work.Done(then=(job("next"),))

    (id_,) = push(job("a"))
    assert build(handle).drain() == 1
    assert states(database) == {id_: "running"}


def test_a_job_that_is_lost_loses_its_children(push: Push, queue: Queue, clock: times.Clock) -> None:
    """The next beat of the heart tells, and ends the commands; what they said is not believed."""
    push(job("a"))
    heart = Heart(queue, settings.Working(lease_seconds=1000.0))
    (kept,) = heart.keep(queue.claim(), since=time.monotonic())
    take_over(queue, clock)

    def started(_: bytes) -> None:
        assert heart.beat()

    command = children.Command(argv=["sh", "-c", "echo started; exec sleep 1000"], env={"PATH": os.defpath})
    with children.scope(kept.scope), pytest.raises(errors.LostWorkError):
        children.run(command, on_output=started)


def test_a_heart_that_cannot_beat_leaves_children_to_their_lease(push: Push, queue: Queue) -> None:
    """Without the database nobody knows whose work it is: the children end in time, and nothing is renewed."""

    class Away(Queue):
        def heartbeat(self, claims: object) -> set[int]:
            raise errors.UnreachableError("The database is away.")

    push(job("a"))
    away = Away(queue._database, working=queue._working)
    heart = Heart(away, settings.Working(lease_seconds=10.0))
    since = time.monotonic()
    (kept,) = heart.keep(queue.claim(), since=since)
    assert not heart.beat()
    assert kept.scope.until == since + 9.0
    assert heart.ids == {kept.claim.id}


def test_a_renewed_lease_ends_before_that_of_the_database(push: Push, queue: Queue, working: settings.Working) -> None:
    """Children have ended by the time that another process may take over."""
    push(job("a"))
    heart = Heart(queue, working)
    (kept,) = heart.keep(queue.claim(), since=time.monotonic())
    before = time.monotonic()
    assert heart.beat()
    assert before + 18.0 <= kept.scope.until <= time.monotonic() + 18.0


def test_the_end_of_a_job_waits_for_a_database_that_is_away(
    push: Push, database: Database, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart of the database in the wrong moment does not repeat an hour of work."""
    away = iter([True, True, False])

    class Shaky(Queue):
        def finish(self, claim: work.Claim, outcome: work.Outcome) -> None:
            if next(away):
                raise errors.UnreachableError("The database is away.")
            super().finish(claim, outcome)

    monkeypatch.setattr(execution, "_WAITS", (0.0, 0.0, 0.0))
    calls: list[int] = []

    def handle(claim: work.Claim) -> work.Outcome:
        calls.append(claim.id)
        return DONE

    (id_,) = push(job("a"))
    shaky = Shaky(database, working=settings.Working(), clock=queue._clock)
    assert Worker(shaky, {work.Kind.TASK: handle}, working=settings.Working()).drain() == 1
    assert (calls, states(database)) == ([id_], {id_: "done"})


def test_a_worker_outlives_a_database_that_is_away(
    push: Push, database: Database, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so, waits, and goes on once the database is back."""
    away = iter([True, True])

    class Shaky(Queue):
        def claim(self, *args: object, **kwargs: object) -> list[work.Claim]:
            if next(away, False):
                raise errors.UnreachableError("The database is away.")
            return super().claim(*args, **kwargs)  # type: ignore[arg-type] # as given

    working = settings.Working(threads=1, poll_seconds=0.01)
    push(job("a"))
    shaky = Shaky(database, working=working, clock=queue._clock)
    worker = Worker(shaky, {work.Kind.TASK: lambda _: DONE}, working=working)
    assert worker.run_until(lambda: all_ended(database), timeout_seconds=60)
    assert caplog.text.count("The database is away.") == 2


# Stopping


def test_stopping_lets_what_runs_end(push: Push, database: Database, build: Callable[..., Worker]) -> None:
    """A job in the middle is finished, and nothing new is started."""
    started, go_on = threading.Event(), threading.Event()

    def handle(_: work.Claim) -> work.Outcome:
        started.set()
        assert go_on.wait(60)
        return work.Done(then=(job("next"),))

    (id_,) = push(job("a"))
    worker = build(handle)
    worker.start()
    assert started.wait(60)
    stopper = threading.Thread(target=worker.stop)
    stopper.start()
    go_on.set()
    stopper.join(60)
    assert sorted(states(database).values()) == ["done", "queued"]
    assert states(database)[id_] == "done"


def test_stopping_does_not_wait_for_ever(push: Push, database: Database, build: Callable[..., Worker]) -> None:
    """What runs on loses its children and goes back to the queue: no failure, no crash is counted."""
    started = threading.Event()

    def handle(_: work.Claim) -> work.Outcome:
        command = children.Command(argv=["sh", "-c", "echo started; exec sleep 1000"], env={"PATH": os.defpath})
        children.run(command, on_output=lambda _: started.set())
        return DONE

    (id_,) = push(job("a"))
    worker = build(handle)
    worker.start()
    assert started.wait(60)
    assert not worker.stop(0.0)
    row = rows(database)[id_]
    assert (row["state"], row["failures"], row["crashes"]) == ("queued", 0, 0)


def test_a_handler_that_hangs_is_left_to_its_lease(
    push: Push,
    database: Database,
    queue: Queue,
    build: Callable[..., Worker],
    clock: times.Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process can end although a handler never returns; another one has its job after the lease."""
    monkeypatch.setattr("lockstep.engine.worker._GRACE", 0.0)
    started, never = threading.Event(), threading.Event()

    def handle(_: work.Claim) -> work.Outcome:
        started.set()
        never.wait(60)
        return DONE

    (id_,) = push(job("a"))
    worker = build(handle)
    worker.start()
    assert started.wait(60)
    assert not worker.stop(0.0)
    assert states(database) == {id_: "running"}
    assert take_over(queue, clock).id == id_
    never.set()


def test_a_worker_that_never_started_can_be_stopped(build: Callable[..., Worker]) -> None:
    """Nothing to wait for."""
    assert build(lambda _: DONE).stop()


def test_run_until_gives_up_after_its_time(build: Callable[..., Worker]) -> None:
    """What never comes true is said, not waited for."""
    assert not build(lambda _: DONE).run_until(lambda: False, timeout_seconds=0.0)


def test_a_quiet_worker_says_nothing(
    push: Push, database: Database, build: Callable[..., Worker], caplog: pytest.LogCaptureFixture
) -> None:
    """A log with a line for each job that went well would hide the line that matters."""
    with caplog.at_level(logging.INFO):
        push(job("a"))
        build(lambda _: DONE).drain()
    assert caplog.text == ""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_has_ended_is_missed(
    push: Push, queue: Queue, database: Database, build: Callable[..., Worker]
) -> None:
    """Before the start all are missing, then none; what ends a thread leaves its name."""

    def end(_claim: work.Claim) -> work.Outcome:
        raise KeyboardInterrupt

    worker = build(end)
    found = [len(worker.missing)]
    worker.start()
    found.append(len(worker.missing))
    threads = {thread.name: thread for thread in threading.enumerate() if thread.name.startswith("lockstep-work")}
    push(job())
    while not (ended := [name for name, thread in threads.items() if not thread.is_alive()]):
        next(iter(threads.values())).join(0.01)
    assert [f"lockstep-{name}" for name in worker.missing] == ended
    worker.stop(0.0)
    assert [*found, len(worker.missing)] == [5, 0, 0]
