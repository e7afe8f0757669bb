"""Deliveries are stored once, worked off, played again and forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lockstep import errors
from lockstep.store import deliveries, hooks
from lockstep.store.database import Database
from lockstep.store.deliveries import Arrival, Filter, Incoming, State

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PUSH = Incoming(
    hook="forge",
    provider="github",
    delivery="72d3162e",
    event="push",
    headers={"x-github-event": "push"},
    body=b'{"ref": "refs/heads/main"}\x00\xff',
    received_at=NOON,
)


def store(database: Database, incoming: Incoming) -> tuple[int, Arrival]:
    """Store one delivery in a transaction of its own."""
    with database.write() as connection:
        return deliveries.insert(connection, incoming)


def end(database: Database, delivery: int, state: State) -> None:
    """Write down that a delivery was worked off."""
    with database.write() as connection:
        deliveries.finish(connection, delivery, state=state, reason="why", events=[{"type": "GitPush"}], at=NOON)


def test_a_delivery_comes_back_byte_for_byte(database: Database) -> None:
    """What was posted is what is read, also bytes that are no text."""
    number, arrival = store(database, PUSH)
    with database.read() as connection:
        found = deliveries.get(connection, number)
    assert arrival is Arrival.NEW
    assert (found.body, found.headers, found.summary.size) == (PUSH.body, PUSH.headers, len(PUSH.body))
    assert (found.summary.state, found.summary.received_at, found.summary.events) == (State.RECEIVED, NOON, [])


def test_the_same_id_is_stored_once_for_each_hook(database: Database) -> None:
    """A second post with the id of a first is counted with the first; another hook may use the same id."""
    first, _ = store(database, PUSH)
    again = store(database, replace(PUSH, body=b"{}"))
    other, arrival = store(database, replace(PUSH, hook="mirror"))
    assert again == (first, Arrival.DUPLICATE)
    assert (other != first, arrival) == (True, Arrival.NEW)
    with database.read() as connection:
        found = deliveries.get(connection, first)
    assert (found.body, found.summary.duplicates) == (PUSH.body, 1)


@pytest.mark.parametrize("state", [State.DONE, State.IGNORED])
def test_a_duplicate_of_what_was_worked_off_changes_nothing(database: Database, state: State) -> None:
    """What is done stays done, however often its sender repeats itself."""
    number, _ = store(database, PUSH)
    end(database, number, state)
    assert store(database, PUSH) == (number, Arrival.DUPLICATE)
    with database.read() as connection:
        assert deliveries.get(connection, number).summary.state is state


def test_a_duplicate_of_a_failed_delivery_arms_it_again(database: Database) -> None:
    """A sender that repeats what failed gets it worked on again; what had come of it is forgotten."""
    number, _ = store(database, PUSH)
    end(database, number, State.FAILED)
    assert store(database, PUSH) == (number, Arrival.REARMED)
    with database.read() as connection:
        found = deliveries.get(connection, number).summary
    assert (found.state, found.reason, found.events, found.done_at) == (State.RECEIVED, "", [], None)


def test_replay_arms_what_was_done(database: Database) -> None:
    """A person may have any delivery worked on again."""
    number, _ = store(database, PUSH)
    end(database, number, State.DONE)
    with database.write() as connection:
        deliveries.replay(connection, number)
    with database.read() as connection:
        assert deliveries.get(connection, number).summary.state is State.RECEIVED


def test_a_delivery_that_is_not_there_is_said(file_database: Database) -> None:
    """Asking for, ending and replaying what is not there is an error with a remedy."""
    with file_database.write() as connection:
        for ask in (deliveries.get, deliveries.replay):
            with pytest.raises(errors.NotFoundError, match="no delivery 7"):
                ask(connection, 7)
        with pytest.raises(errors.NotFoundError):
            deliveries.finish(connection, 7, state=State.DONE, reason="", events=[], at=NOON)


def test_pages_follow_each_other_without_gap_or_overlap(file_database: Database) -> None:
    """Paging by the last id walks through every delivery once, the newest first."""
    stored = [store(file_database, replace(PUSH, delivery=str(number)))[0] for number in range(7)]
    walked: list[int] = []
    with file_database.read() as connection:
        while page := deliveries.page(connection, Filter(), before=walked[-1] if walked else None, limit=3):
            walked += [summary.id for summary in page]
    assert walked == stored[::-1]


def test_a_list_can_be_narrowed_to_a_hook_and_a_state(file_database: Database) -> None:
    """Filters narrow by hook, by state and by both; counts say how many there are of each state."""
    failed, _ = store(file_database, PUSH)
    end(file_database, failed, State.FAILED)
    other, _ = store(file_database, replace(PUSH, hook="mirror"))
    with file_database.read() as connection:
        by_hook = deliveries.page(connection, Filter(hook="mirror"))
        by_state = deliveries.page(connection, Filter(state=State.FAILED))
        by_both = deliveries.page(connection, Filter(hook="mirror", state=State.FAILED))
        counts = deliveries.counts(connection)
    assert [[summary.id for summary in page] for page in (by_hook, by_state, by_both)] == [[other], [failed], []]
    assert counts == {State.RECEIVED: 1, State.DONE: 0, State.IGNORED: 0, State.FAILED: 1}


def test_what_is_old_and_worked_off_is_forgotten_in_small_steps(database: Database) -> None:
    """Retention deletes the oldest first, never what was not worked off, and only so many at once."""
    for day in range(4):
        number, _ = store(database, replace(PUSH, delivery=str(day), received_at=NOON + timedelta(days=day)))
        if day != 0:
            end(database, number, State.DONE)
    with database.write() as connection:
        before = NOON + timedelta(days=3)
        assert [deliveries.forget(connection, before=before, most=1) for _ in range(3)] == [1, 1, 0]
        left = [summary.delivery for summary in deliveries.page(connection, Filter())]
    assert left == ["3", "0"]


def test_counts_of_a_hook_add_up(database: Database) -> None:
    """Adding keeps the sum, and the newest moment and reason of each kind."""
    later = NOON + timedelta(minutes=1)
    with database.write() as connection:
        hooks.add(connection, "forge", hooks.Count(accepted=2, last_accepted_at=NOON))
        hooks.add(connection, "forge", hooks.Count(refused=1, last_refused_at=later, last_refusal="not signed"))
        hooks.add(connection, "forge", hooks.Count(accepted=1, last_accepted_at=later))
    with database.read() as connection:
        found = hooks.everything(connection)
    wanted = hooks.Count(
        accepted=3, refused=1, last_accepted_at=later, last_refused_at=later, last_refusal="not signed"
    )
    assert found == {"forge": wanted}
