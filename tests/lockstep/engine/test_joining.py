"""Requests for the same thing join; nobody's request is lost."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest

from lockstep import errors, work
from lockstep.engine.queue import Queue
from lockstep.store.database import Database
from tests.support import times
from tests.support.jobs import Push, job, rows, states


def test_a_second_request_joins_the_queued_one(push: Push, database: Database) -> None:
    """Two requests for one thing are one job, and both callers get its id."""
    (first,) = push(job("a"))
    again, other, same = push(job("a"), job("b"), job("a"))
    assert again == same == first
    assert rows(database).keys() == {first, other}


def test_requests_without_a_key_stay_apart(push: Push, database: Database) -> None:
    """A job without a coalescing key is never joined."""
    assert len(set(push(job(), job(), job()))) == 3


def test_ids_come_back_in_the_order_of_the_requests(push: Push, database: Database) -> None:
    """Whatever order the rows are written in, each request gets the id of its own job."""
    names = ["c", "", "a", "b", "", "a"]
    ids = push(*(work.Job(kind=work.Kind.TASK, payload={"name": name}, coalesce=name) for name in names))
    stored = rows(database)
    assert [stored[id_]["payload"]["name"] for id_ in ids] == names


def test_a_request_during_a_run_queues_exactly_one_follow_up(push: Push, queue: Queue, database: Database) -> None:
    """What was pushed while the job ran is looked at afterwards, once, however often it was pushed."""
    (first,) = push(job("a"))
    (claim,) = queue.claim()
    (second,) = push(job("a"))
    assert push(job("a")) == [second] != [first]
    queue.finish(claim, work.Done())
    (again,) = queue.claim()
    assert again.id == second
    queue.finish(again, work.Done())
    assert states(database) == {first: "done", second: "done"}


def test_a_request_that_is_rolled_back_was_never_made(queue: Queue, database: Database) -> None:
    """The job lives and dies with the transaction that gave the reason for it."""
    with contextlib.suppress(ZeroDivisionError), database.write() as connection:
        queue.enqueue(connection, job("a"))
        raise ZeroDivisionError
    assert rows(database) == {}


def test_joining_pushes_the_start_back(push: Push, queue: Queue, clock: times.Clock) -> None:
    """A burst is worked on once it is over: each request starts the wait again."""
    push(job("a", delay_seconds=5.0))
    clock.pass_seconds(4.0)
    push(job("a", delay_seconds=5.0))
    clock.pass_seconds(4.0)
    assert queue.claim() == []
    clock.pass_seconds(1.0)
    assert len(queue.claim()) == 1


def test_joining_never_pushes_beyond_the_longest_wait(push: Push, queue: Queue, clock: times.Clock) -> None:
    """A burst without an end is worked on too: the bound counts from the first request."""
    push(job("a", delay_seconds=5.0, longest_wait_seconds=12.0))
    for _ in range(2):
        clock.pass_seconds(4.0)
        assert queue.claim() == []
        push(job("a", delay_seconds=5.0, longest_wait_seconds=12.0))
    clock.pass_seconds(4.0)
    push(job("a", delay_seconds=5.0, longest_wait_seconds=12.0))
    assert len(queue.claim()) == 1


def test_joining_never_hurries_a_job(push: Push, queue: Queue, clock: times.Clock) -> None:
    """A server that asked for time gets it, whoever else asks for the same thing meanwhile."""
    push(job("a"))
    (claim,) = queue.claim()
    queue.fail(claim, errors.ThrottledError("not now", wait_seconds=100.0))
    push(job("a"))
    clock.pass_seconds(99.0)
    assert queue.claim() == []
    clock.pass_seconds(1.0)
    assert len(queue.claim()) == 1


def test_joining_raises_the_priority_and_never_lowers_it(push: Push, queue: Queue) -> None:
    """What one sweep asked for goes to the front once a person asks for it too."""
    push(job("sweep"), job("other", priority=5))
    push(job("sweep", priority=9))
    push(job("sweep", priority=1))
    assert [claim.payload["name"] for claim in queue.claim(most=2)] == ["sweep", "other"]


def test_a_new_request_gets_attempts_of_its_own(push: Push, queue: Queue, clock: times.Clock) -> None:
    """A request that joins a job at its last attempt does not fail with it."""
    push(job("a", attempts=2))
    (claim,) = queue.claim()
    queue.fail(claim, errors.UnreachableError("no answer"))
    push(job("a", attempts=2))
    clock.pass_seconds(60.0)
    assert queue.claim()[0].attempt == 1


def test_a_retry_leaves_its_work_to_the_follow_up(push: Push, queue: Queue, database: Database) -> None:
    """Two jobs for one thing are never queued: the one that failed joins the one that came during its run."""
    (first,) = push(job("a", priority=7))
    (claim,) = queue.claim()
    (second,) = push(job("a"))
    queue.fail(claim, errors.UnreachableError("no answer"))
    stored = rows(database)
    assert (stored[first]["state"], stored[first]["joined"]) == ("joined", second)
    assert stored[second]["priority"] == 7


def test_a_follow_up_waits_out_the_back_off_of_what_failed(push: Push, queue: Queue, clock: times.Clock) -> None:
    """A site that asked for time is not asked by the follow-up either."""
    push(job("a"))
    (claim,) = queue.claim()
    push(job("a"))
    queue.fail(claim, errors.ThrottledError("not now", wait_seconds=50.0))
    clock.pass_seconds(49.0)
    assert queue.claim() == []
    clock.pass_seconds(1.0)
    assert len(queue.claim()) == 1


def test_the_same_key_is_free_again_after_the_end(push: Push, queue: Queue) -> None:
    """A job that ended does not swallow the next request."""
    (first,) = push(job("a"))
    queue.finish(queue.claim()[0], work.Done())
    assert push(job("a")) == [first + 1]


def test_a_wait_without_a_bound_is_bounded(push: Push, queue: Queue, database: Database, clock: times.Clock) -> None:
    """A delay that no calendar holds becomes the longest wait, not an error or a job that never runs."""
    (endless, negative) = push(job("a", delay_seconds=1e300), job("b", delay_seconds=-5.0))
    stored = rows(database)
    assert stored[endless]["run_at"] == clock.now() + timedelta(days=1)
    assert stored[negative]["run_at"] == clock.now()


@pytest.mark.parametrize("text", ["한국어 🚀", "a\0b", "\u2028", "'; DROP TABLE jobs; --", ""])
def test_a_payload_comes_back_as_it_was(push: Push, queue: Queue, text: str) -> None:
    """A payload keeps every character that JSON can have, NUL included, on both databases."""
    push(work.Job(kind=work.Kind.SCAN, payload={"application": text, text: [1, None, True]}))
    assert queue.claim()[0].payload == {"application": text, text: [1, None, True]}


@pytest.mark.parametrize("payload", [{"x": "\ud800"}, {"x": 2**64}, {"x": object()}])
def test_a_payload_that_is_not_json_is_refused(push: Push, payload: dict[str, object], database: Database) -> None:
    """Half a character, or what is no JSON, is refused before anything is written."""
    with pytest.raises(errors.InputError):
        push(work.Job(kind=work.Kind.SCAN, payload=payload))
    assert rows(database) == {}


@pytest.mark.parametrize("wishes", [{"coalesce": "a\0b"}, {"limits": ("colonless",)}, {"coalesce": "\udfff"}])
def test_a_key_that_cannot_be_kept_is_refused(push: Push, wishes: dict[str, object]) -> None:
    """A key with a NUL or broken Unicode is refused alike on both databases, and so is a key of no kind."""
    with pytest.raises(errors.InputError):
        push(work.Job(kind=work.Kind.SCAN, payload={}, **wishes))  # type: ignore[arg-type] # of several types


def test_thousands_are_queued_in_one_transaction(push: Push, database: Database) -> None:
    """A sweep may ask for every repository at once, and again while the first requests wait."""
    names = [f"repository-{number}" for number in range(3000)]
    assert len(set(push(*map(job, names)))) == 3000
    push(*map(job, names))
    assert len(rows(database)) == 3000
