"""Who gets which job, and when."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import event

from lockstep import errors, settings, work
from lockstep.engine.queue import Queue
from lockstep.store.database import Database
from tests.support import times
from tests.support.jobs import Push, job, rows, running_by_key, states


def names(claims: list[work.Claim]) -> list[str]:
    """What was claimed, in its order."""
    return [claim.payload["name"] for claim in claims]


def test_an_empty_queue_has_nothing_to_claim(queue: Queue) -> None:
    """Claiming from nothing is no error."""
    assert queue.claim(most=5) == []
    assert queue.claim(most=0) == []


def test_higher_priorities_go_first_and_then_older_ones(push: Push, queue: Queue) -> None:
    """Urgent before idle, and among equals first come, first served."""
    for name, priority in [("a", 0), ("b", 5), ("c", 0), ("d", 5), ("e", -1)]:
        push(job(name, priority=priority))
    assert names(queue.claim(most=10)) == ["b", "d", "a", "c", "e"]


def test_a_job_is_claimed_once(push: Push, queue: Queue) -> None:
    """Nobody gets what somebody has."""
    push(job("a"))
    assert len(queue.claim(most=3)) == 1
    assert queue.claim(most=3) == []


def test_only_the_kinds_that_are_asked_for_are_claimed(push: Push, queue: Queue) -> None:
    """A worker without a handler for a kind leaves it to others."""
    push(work.sweep(work.Kind.SWEEP_GIT), work.sweep(work.Kind.SWEEP_RUNS))
    assert [claim.kind for claim in queue.claim([work.Kind.SWEEP_RUNS], most=5)] == [work.Kind.SWEEP_RUNS]
    assert queue.claim([], most=5) == []


def test_a_job_of_an_unknown_kind_is_left_alone(push: Push, queue: Queue, database: Database) -> None:
    """What a newer program queued waits for a newer program."""
    push(job("a"))
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET kind = 'from.the.future'")
    assert queue.claim(most=5) == []
    assert list(states(database).values()) == ["queued"]


def test_a_delayed_job_waits_for_its_time(push: Push, queue: Queue, clock: times.Clock) -> None:
    """Not before, and then without any further doing."""
    push(job("a", delay_seconds=10.0))
    clock.pass_seconds(9.9)
    assert queue.claim() == []
    clock.pass_seconds(0.1)
    assert names(queue.claim()) == ["a"]


def test_a_key_runs_as_many_jobs_as_its_setting_says(push: Push, queue: Queue) -> None:
    """Two may share ``two``, one holds any other, and ``none`` is closed."""
    for kind in ("one", "two", "none", "unnamed"):
        push(*(job(f"{kind}{number}", limits=(f"{kind}:x",)) for number in range(3)))
    assert names(queue.claim(most=20)) == ["one0", "two0", "two1", "unnamed0"]
    assert queue.claim(most=20) == []


def test_keys_of_one_kind_do_not_limit_each_other(push: Push, queue: Queue) -> None:
    """Every repository, every site has its own slots."""
    push(job("a", limits=("one:a",)), job("b", limits=("one:b",)))
    assert names(queue.claim(most=5)) == ["a", "b"]


def test_a_job_needs_a_slot_of_each_of_its_keys(push: Push, queue: Queue) -> None:
    """It takes all of its keys or none: one that waits for a key does not hold another."""
    push(job("a", limits=("one:a",)))
    (first,) = queue.claim()
    push(job("b", limits=("one:a", "one:b")))
    push(job("c", limits=("one:b",)))
    assert names(queue.claim(most=5)) == ["c"]
    queue.finish(first, work.Done())
    assert queue.claim(most=5) == []


def test_a_slot_that_is_freed_goes_to_the_best_that_waits(push: Push, queue: Queue) -> None:
    """Among those that wait for a key, too, the urgent go first and then the older."""
    push(job("a", limits=("one:x",)))
    (first,) = queue.claim()
    for name, priority in [("b", 0), ("c", 3), ("d", 3)]:
        push(job(name, limits=("one:x",), priority=priority))
    assert queue.claim(most=5) == []
    order = []
    claims = [first]
    while claims:
        queue.finish(claims[0], work.Done())
        claims = queue.claim(most=5)
        order += names(claims)
    assert order == ["c", "d", "b"]


@pytest.mark.parametrize("ending", ["finish", "later", "fail", "retry", "give_back"])
def test_every_way_to_end_frees_the_slots(push: Push, queue: Queue, database: Database, ending: str) -> None:
    """However a job ends, its keys are free afterwards, and only those."""
    push(job("a", limits=("one:x", "two:y")), job("b", limits=("two:y",)))
    claim, _ = queue.claim(most=2)
    end = {
        "finish": lambda: queue.finish(claim, work.Done()),
        "later": lambda: queue.finish(claim, work.Later(seconds=5.0, reason="not yet")),
        "fail": lambda: queue.fail(claim, errors.InputError("bad")),
        "retry": lambda: queue.fail(claim, errors.UnreachableError("no answer")),
        "give_back": lambda: queue.give_back(claim),
    }
    end[ending]()
    assert running_by_key(database) == {"two:y": 1}


def test_a_raised_limit_holds_from_the_next_claim(
    push: Push, queue: Queue, database: Database, clock: times.Clock
) -> None:
    """The limits are those of the process that claims; nothing has to be cleaned up after a change."""
    push(*(job(f"a{number}", limits=("one:x",)) for number in range(4)))
    assert len(queue.claim(most=9)) == 1
    roomy = Queue(database, working=settings.Working(limits={"one": 3}), clock=clock)
    assert len(roomy.claim(most=9)) == 2


def test_a_job_that_waits_on_two_full_keys_does_not_hide_others(push: Push, queue: Queue) -> None:
    """Many that wait for two keys move from one to the other, and whoever needs only one of them gets it."""
    push(job("holds x", limits=("one:x",)), job("holds y", limits=("one:y",)))
    holds_x, _ = queue.claim(most=2)
    push(*(job(f"both{number:03}", limits=("one:x", "one:y"), priority=5) for number in range(300)))
    push(job("only x", limits=("one:x",)))
    assert queue.claim(most=2) == []
    queue.finish(holds_x, work.Done())
    assert names(queue.claim(most=2)) == ["only x"]


def test_a_blocked_crowd_costs_a_claim_nothing(push: Push, queue: Queue, database: Database) -> None:
    """Once the crowd in front was looked at, a claim reads only what may start: the plan shows no scan."""
    push(job("holds", limits=("one:x",)))
    queue.claim()
    push(*(job(f"crowd{number:04}", limits=("one:x",), priority=9) for number in range(5000)))
    push(job("free"))
    claims: list[work.Claim] = []
    while not claims:
        claims = queue.claim(most=1)
    assert names(claims) == ["free"]
    push(job("next"))
    fetched = 0

    def count(_connection: object, _cursor: object, _statement: str, *_rest: object) -> None:
        nonlocal fetched
        fetched += 1

    event.listen(database.engine, "after_cursor_execute", count)
    assert names(queue.claim(most=1)) == ["next"]
    assert fetched < 10


def test_an_expired_lease_is_taken_over(push: Push, queue: Queue, clock: times.Clock) -> None:
    """Whoever comes next has the job, with a new fence; it counts as a crash, not as a failure."""
    push(job("a", limits=("one:x",)))
    (lost,) = queue.claim()
    clock.pass_seconds(19.9)
    assert queue.claim() == []
    clock.pass_seconds(0.1)
    (taken,) = queue.claim()
    assert (taken.id, taken.attempt, taken.crashes) == (lost.id, 1, 1)
    assert taken.fence != lost.fence


def test_a_heartbeat_keeps_a_job(push: Push, queue: Queue, clock: times.Clock) -> None:
    """A lease that is extended in time never ends."""
    push(job("a"))
    claims = queue.claim()
    for _ in range(5):
        clock.pass_seconds(15.0)
        assert queue.heartbeat(claims) == {claims[0].id}
        assert queue.claim() == []


def test_a_heartbeat_tells_what_is_lost(push: Push, queue: Queue, clock: times.Clock) -> None:
    """A claim that another worker took over is not extended, and its owner learns of it."""
    push(job("a"), job("b"))
    lost = queue.claim()
    clock.pass_seconds(20.0)
    (taken,) = queue.claim()
    kept = queue.claim()
    assert queue.heartbeat([*lost, *kept]) == {claim.id for claim in kept}
    assert queue.heartbeat([taken]) == {taken.id}
    assert queue.heartbeat([]) == set()


def test_a_job_that_keeps_ending_its_worker_is_set_aside(
    push: Push, queue: Queue, clock: times.Clock, database: Database
) -> None:
    """After as many crashes as the setting says it is not tried again; it stays visible, and frees its slots."""
    (poison,) = push(job("poison", limits=("one:x",)))
    push(job("behind", limits=("one:x",)))
    for crashes in (0, 1, 2):
        assert [claim.crashes for claim in queue.claim()] == [crashes]
        clock.pass_seconds(20.0)
    assert names(queue.claim(most=5)) == ["behind"]
    row = rows(database)[poison]
    assert (row["state"], row["crashes"]) == ("aside", 3)
    assert row["message"]


def test_a_worker_does_not_take_over_from_itself(push: Push, queue: Queue, clock: times.Clock) -> None:
    """A laptop that wakes up finds all its leases ended, and still runs its jobs once."""
    push(job("a"))
    claims = queue.claim()
    clock.leap(86_400.0)
    assert queue.claim(besides={claim.id for claim in claims}) == []
    assert queue.heartbeat(claims) == {claims[0].id}


def test_a_clock_set_back_strands_nothing(push: Push, queue: Queue, clock: times.Clock) -> None:
    """A machine that booted in the wrong year leaves leases and waits of years; they are seen for what they are."""
    clock.leap(9 * 365 * 86_400.0)
    push(job("running"), job("waiting", delay_seconds=30.0))
    queue.claim()
    clock.leap(-9 * 365 * 86_400.0)
    assert sorted(names(queue.claim(most=5))) == ["running", "waiting"]


def test_most_crashes_of_one_means_no_second_chance(push: Push, database: Database, clock: times.Clock) -> None:
    """The bound is a count of crashes, from one."""
    strict = Queue(database, working=settings.Working(most_crashes=1), clock=clock)
    push(job("a"))
    strict.claim()
    clock.pass_seconds(20.0)
    assert strict.claim() == []
    assert list(states(database).values()) == ["aside"]


def test_a_claim_hides_nothing_in_its_text(push: Push, queue: Queue) -> None:
    """The fence is random: nobody can end a job whose claim was not given to it."""
    push(job("a"), job("b"))
    (first,) = queue.claim()
    (second,) = queue.claim()
    assert first.fence != second.fence
    with pytest.raises(errors.LostWorkError):
        queue.finish(dataclasses.replace(first, fence=second.fence), work.Done())
