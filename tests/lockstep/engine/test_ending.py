"""How a claim ends: with everything that it decided, or with nothing."""

from __future__ import annotations

import contextlib

import pytest
from sqlalchemy import Connection, func, insert, select

from lockstep import errors, work
from lockstep.engine.queue import Queue
from lockstep.store import tables
from lockstep.store.database import Database
from tests.support import times
from tests.support.jobs import Push, job, rows, states


def write_hook(connection: Connection) -> None:
    """An effect: a row that can be counted."""
    connection.execute(insert(tables.hooks).values(hook="effect"))


def effects(database: Database) -> int:
    """How many effects were written."""
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(tables.hooks)).scalar_one()


def test_effects_and_next_jobs_are_written_with_the_end(push: Push, queue: Queue, database: Database) -> None:
    """The job is done, its effects are there and what comes next is queued, all at once."""
    (first,) = push(job("a"))
    queue.finish(queue.claim()[0], work.Done(effects=(write_hook,), then=(job("next"),)))
    assert effects(database) == 1
    assert list(states(database).values()) == ["done", "queued"]
    assert rows(database)[first]["ended_at"] is not None


@pytest.mark.parametrize(
    "outcome",
    [work.Done(effects=(write_hook,), then=(job("next"),)), work.Later(seconds=1, reason="", effects=(write_hook,))],
)
def test_lost_work_is_thrown_away(
    push: Push, queue: Queue, database: Database, clock: times.Clock, outcome: work.Outcome
) -> None:
    """A worker that was frozen beyond its lease writes nothing at all, and is told."""
    push(job("a"))
    (lost,) = queue.claim()
    clock.pass_seconds(20.0)
    (taken,) = queue.claim()
    with pytest.raises(errors.LostWorkError):
        queue.finish(lost, outcome)
    with pytest.raises(errors.LostWorkError):
        queue.fail(lost, KeyError("x"))
    assert effects(database) == 0
    assert list(states(database).values()) == ["running"]
    queue.finish(taken, work.Done())


def test_a_job_ends_once(push: Push, queue: Queue, database: Database) -> None:
    """A second end, as after an answer that got lost, finds the work gone and writes nothing twice."""
    push(job("a"))
    (claim,) = queue.claim()
    queue.finish(claim, work.Done(effects=(write_hook,)))
    with pytest.raises(errors.LostWorkError):
        queue.finish(claim, work.Done(effects=(write_hook,)))
    assert effects(database) == 1


def test_a_late_end_counts_as_long_as_nobody_took_over(push: Push, queue: Queue, clock: times.Clock) -> None:
    """An expired lease is no reason to do the work again if it is done."""
    push(job("a"))
    (claim,) = queue.claim()
    clock.pass_seconds(500.0)
    queue.finish(claim, work.Done())
    assert queue.claim() == []


def test_an_effect_that_raises_takes_everything_with_it(push: Push, queue: Queue, database: Database) -> None:
    """The job is still ours, and nothing of its end is written."""

    def broken(_connection: Connection) -> None:
        raise ZeroDivisionError

    (id_,) = push(job("a"))
    (claim,) = queue.claim()
    with pytest.raises(ZeroDivisionError):
        queue.finish(claim, work.Done(effects=(write_hook, broken), then=(job("next"),)))
    assert effects(database) == 0
    assert states(database) == {id_: "running"}
    assert queue.heartbeat([claim]) == {id_}


def test_later_is_no_failure(push: Push, queue: Queue, clock: times.Clock, database: Database) -> None:
    """The same row runs again after the time that was asked for; failures before it are forgotten."""
    (id_,) = push(job("a"))
    queue.fail(queue.claim()[0], errors.UnreachableError("no answer"))
    clock.pass_seconds(10.0)
    queue.finish(queue.claim()[0], work.Later(seconds=30.0, reason="waits for images", effects=(write_hook,)))
    assert effects(database) == 1
    assert rows(database)[id_]["message"] == "waits for images"
    clock.pass_seconds(29.0)
    assert queue.claim() == []
    clock.pass_seconds(1.0)
    (again,) = queue.claim()
    assert (again.id, again.attempt) == (id_, 1)


def test_a_temporary_error_is_tried_again_with_growing_waits(push: Push, queue: Queue, clock: times.Clock) -> None:
    """Attempts count up, and each wait is at most twice the last."""
    push(job("a"))
    for attempt in range(1, 5):
        (claim,) = queue.claim()
        assert claim.attempt == attempt
        queue.fail(claim, errors.UnreachableError("no answer"))
        assert queue.claim() == []
        clock.pass_seconds(2.0**attempt)


def test_a_job_that_used_up_its_attempts_stays_visible(push: Push, queue: Queue, database: Database) -> None:
    """It ends as failed, with what was wrong, and is not tried again."""
    (id_,) = push(job("a", attempts=1))
    queue.fail(queue.claim()[0], errors.UnreachableError("seoul does not answer.", remedy="Start it."))
    row = rows(database)[id_]
    assert (row["state"], row["message"], row["failures"]) == ("failed", "seoul does not answer. Start it.", 1)
    assert row["ended_at"] is not None


def test_an_answer_fails_a_job_at_once(push: Push, queue: Queue, database: Database) -> None:
    """What was refused is not asked for again."""
    (id_,) = push(job("a"))
    queue.fail(queue.claim()[0], errors.ForbiddenError("no"))
    assert states(database) == {id_: "failed"}


def test_a_message_with_nul_is_kept_readable(push: Push, queue: Queue, database: Database) -> None:
    """What a program printed may have any bytes; both databases keep the rest of it."""
    (id_,) = push(job("a"))
    queue.fail(queue.claim()[0], errors.InputError("bad\0byte \ud800"))
    assert rows(database)[id_]["message"] == "bad\ufffdbyte \ufffd"


def test_what_is_given_back_counts_as_nothing(push: Push, queue: Queue, database: Database) -> None:
    """A worker that stops returns what it did not start: the next one finds it as it was."""
    (id_,) = push(job("a"))
    queue.give_back(queue.claim()[0])
    (again,) = queue.claim()
    assert (again.id, again.attempt, again.crashes) == (id_, 1, 0)


def test_a_listener_hears_of_a_job_after_its_commit(push: Push, queue: Queue, database: Database) -> None:
    """Whoever is woken finds the job; a request that was rolled back wakes nobody."""
    heard: list[list[int]] = []
    queue.listen(lambda: heard.append(list(states(database))))
    with contextlib.suppress(ZeroDivisionError), database.write() as connection:
        queue.enqueue(connection, job("b"))
        raise ZeroDivisionError
    assert heard == []
    ids = push(job("a"))
    assert heard == [ids]
