"""What people and pages do with the queue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from lockstep import errors, work
from lockstep.engine.queue import Queue
from lockstep.engine.tables import State, slots
from lockstep.store.database import Database
from tests.support import times
from tests.support.jobs import Push, job, rows, states


def fail(queue: Queue) -> None:
    """The next job fails for good."""
    queue.fail(queue.claim()[0], errors.ForbiddenError("no"))


def cancel(database: Database, queue: Queue, key: str) -> bool:
    """Cancel in a transaction of its own."""
    with database.write() as connection:
        return queue.cancel(connection, coalesce=key)


def test_what_is_queued_can_be_cancelled(push: Push, queue: Queue, database: Database) -> None:
    """It never runs, stays visible, and leaves its key to the next request."""
    (first,) = push(job("a"))
    assert cancel(database, queue, "a")
    assert queue.claim() == []
    (second,) = push(job("a"))
    assert states(database) == {first: "cancelled", second: "queued"}


def test_what_runs_or_is_not_there_is_not_cancelled(push: Push, queue: Queue, database: Database) -> None:
    """The answer says that nothing was taken back; jobs without a key are nobody's namesakes."""
    push(job("a"), job(""))
    queue.claim(most=2)
    assert not cancel(database, queue, "a")
    assert not cancel(database, queue, "b")
    assert not cancel(database, queue, "")
    assert set(states(database).values()) == {"running"}


def test_what_failed_can_be_queued_again(push: Push, queue: Queue, database: Database) -> None:
    """A person mended the cause: the job has all its attempts again."""
    (id_,) = push(job("a", attempts=1))
    fail(queue)
    assert queue.requeue(id_) == id_
    (claim,) = queue.claim()
    assert (claim.id, claim.attempt, claim.crashes) == (id_, 1, 0)
    assert rows(database)[id_]["ended_at"] is None


def test_what_was_set_aside_can_be_queued_again(push: Push, queue: Queue, clock: times.Clock) -> None:
    """Its crashes are forgotten, else it would be set aside at the first."""
    (id_,) = push(job("a"))
    for _ in range(4):
        queue.claim()
        clock.pass_seconds(20.0)
    queue.requeue(id_)
    assert [claim.crashes for claim in queue.claim()] == [0]


def test_queued_again_it_joins_what_is_queued_already(push: Push, queue: Queue, database: Database) -> None:
    """There are never two for one thing, whichever way they came."""
    (first,) = push(job("a"))
    fail(queue)
    (second,) = push(job("a"))
    assert queue.requeue(first) == second
    assert states(database) == {first: "joined", second: "queued"}


def test_only_what_ended_in_trouble_can_be_queued_again(push: Push, queue: Queue) -> None:
    """Running and finished work is not started twice by a person; a job that is not there is said."""
    (id_,) = push(job("a"))
    with pytest.raises(errors.InputError, match="is queued"):
        queue.requeue(id_)
    (claim,) = queue.claim()
    with pytest.raises(errors.InputError, match="is running"):
        queue.requeue(id_)
    queue.finish(claim, work.Done())
    with pytest.raises(errors.InputError, match="is done"):
        queue.requeue(id_)
    with pytest.raises(errors.NotFoundError):
        queue.requeue(id_ + 1)


def test_a_job_that_is_queued_again_wakes_a_worker(push: Push, queue: Queue) -> None:
    """Nobody waits for the next look at the queue."""
    (id_,) = push(job("a"))
    fail(queue)
    heard: list[bool] = []
    queue.listen(lambda: heard.append(True))
    queue.requeue(id_)
    assert heard == [True]


def test_counts_are_by_kind_and_state(push: Push, queue: Queue, clock: times.Clock) -> None:
    """With the age of the oldest, which tells a stuck queue from a busy one."""
    started = clock.now()
    push(job("a"))
    clock.pass_seconds(5.0)
    push(job("b"), work.sweep(work.Kind.SWEEP_GIT))
    queue.claim([work.Kind.SWEEP_GIT])
    found = {(tally.kind, tally.state): (tally.count, tally.oldest) for tally in queue.counts()}
    assert found == {
        ("pipeline.task", State.QUEUED): (2, started),
        ("sweep.git", State.RUNNING): (1, clock.now()),
    }


def test_a_list_has_the_newest_first_and_pages(push: Push, queue: Queue) -> None:
    """Pages follow each other without gap or overlap."""
    ids = push(*(job(f"{number}") for number in range(5)))
    first = queue.listing(most=3)
    second = queue.listing(most=3, before=first[-1].id)
    assert [listed.id for listed in first + second] == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([State.QUEUED], ["blocked", "timed"]),
        ([State.RUNNING], ["running"]),
        ([State.FAILED, State.ASIDE], ["failed"]),
        ([State.FAILED, State.RUNNING], ["failed", "running"]),
        ([State.DONE], []),
        ([], ["blocked", "failed", "running", "timed"]),
    ],
)
def test_a_list_can_be_narrowed_to_states(push: Push, queue: Queue, wanted: list[State], found: list[str]) -> None:
    """Whether an index serves them or not."""
    push(job("failed"))
    fail(queue)
    push(job("running", limits=("one:x",)), job("timed", delay_seconds=9.0))
    queue.claim()
    push(job("blocked", limits=("one:x",)))
    assert sorted(listed.coalesce for listed in queue.listing(states=wanted)) == found


def test_a_list_says_what_a_job_waits_for(push: Push, queue: Queue) -> None:
    """Its time, or the key that is full; and what was wrong when it ran before."""
    push(job("a", limits=("one:x",)), job("b", limits=("one:x",)), job("c", delay_seconds=9.0))
    queue.fail(queue.claim()[0], errors.UnreachableError("seoul is away."))
    queue.claim()
    listed = {one.coalesce: (one.state, one.waits_for, one.message) for one in queue.listing()}
    assert listed["a"] == (State.QUEUED, "time", "seoul is away.")
    assert listed["b"][:2] == (State.RUNNING, "")
    assert listed["c"][:2] == (State.QUEUED, "time")


def test_old_finished_jobs_are_removed_and_troubled_ones_stay(
    push: Push, queue: Queue, clock: times.Clock, database: Database
) -> None:
    """What failed stays where people see it until somebody says otherwise; what lives is never removed."""
    done, failed, young, queued = push(*(job(name, limits=(f"one:{name}",)) for name in "abcd"))
    queue.finish(queue.claim()[0], work.Done())
    fail(queue)
    clock.pass_seconds(100.0)
    queue.finish(queue.claim()[0], work.Done())
    with database.write() as connection:
        assert queue.prune(connection, timedelta(seconds=50)) == 1
        assert list(connection.execute(select(slots.c.key)).scalars()) == []
    assert rows(database).keys() == {failed, young, queued}
    with database.write() as connection:
        assert queue.prune(connection, timedelta(seconds=50), states=[State.FAILED]) == 1
    assert rows(database).keys() == {young, queued}
    assert done not in rows(database)


def test_removing_goes_in_steps(push: Push, queue: Queue, clock: times.Clock, database: Database) -> None:
    """A million old rows do not make one endless transaction."""
    push(*(job(str(number)) for number in range(5)))
    for claim in queue.claim(most=5):
        queue.finish(claim, work.Done())
    clock.pass_seconds(100.0)
    with database.write() as connection:
        assert [queue.prune(connection, timedelta(0), most=3) for _ in range(3)] == [3, 2, 0]


def test_ids_are_never_given_again(push: Push, queue: Queue, clock: times.Clock, database: Database) -> None:
    """A row that names a job of last year does not mean one of today."""
    (last,) = push(job("a"))
    queue.finish(queue.claim()[0], work.Done())
    clock.pass_seconds(100.0)
    with database.write() as connection:
        queue.prune(connection, timedelta(0))
    assert push(job("b")) > [last]


def test_a_counter_that_is_used_is_not_removed(push: Push, queue: Queue, database: Database) -> None:
    """Removing old rows never lets more jobs run than may."""
    push(job("a", limits=("one:x",)), job("b", limits=("one:x",)))
    queue.claim(most=2)
    with database.write() as connection:
        queue.prune(connection, timedelta(0))
    assert queue.claim() == []


def test_a_claim_can_be_held_while_something_is_written(push: Push, queue: Queue, database: Database) -> None:
    """What a handler writes before its end is written by the owner of the job, or not at all."""
    push(job("a"))
    (claim,) = queue.claim()
    with database.write() as connection:
        queue.hold(connection, claim)
    queue.finish(claim, work.Done())
    with pytest.raises(errors.LostWorkError), database.write() as connection:
        queue.hold(connection, claim)
