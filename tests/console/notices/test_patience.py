"""What a deploy moves is told when it outlasts the deploy, and never lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.notices import patience
from console.notices.patience import Span
from lockstep.store import approvals, runs, tables, tasks
from lockstep.store.database import Database
from lockstep.values import Json, Verdict
from tests.console.notices.subjects import NOW
from tests.console.notices.telling_house import House, configured, webhook
from tests.support import receivers
from tests.support.receivers import SECRET, Receiver

_DEPLOY: dict[str, Json] = {"name": "deploy", "taskRef": {"apiVersion": "lockstep.dev/v1alpha1", "kind": "Deploy"}}
_TEST: dict[str, Json] = {"name": "test", "taskSpec": {}}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that verifies."""
    with receivers.served() as opened:
        yield opened


@pytest.fixture
def house(database: Database, receiver: Receiver) -> House:
    """One Notification with one webhook to the receiver."""
    made = configured(("ops", {"webhooks": [webhook("A")]}))
    return House(database, made, {"A_URL": receiver.url, "A_SECRET": SECRET})


def begin(house: House, name: str = "pay-1", *, task: dict[str, Json] = _DEPLOY) -> int:
    """A run of ``pay`` whose only task has begun; its id."""
    now = house.clock.now()
    snapshot = {"pipeline": {"tasks": [task]}}
    new = runs.New(
        name=name, pipeline="deliver", snapshot=snapshot, state="running", reason="Running", application="pay"
    )
    with house.database.write() as connection:
        run = runs.add(connection, new, at=now)
        connection.execute(
            tables.tasks.insert().values(
                run=run,
                pipeline_task=task["name"],
                name=f"{name}-{task['name']}",
                kind="CustomRun",
                section="tasks",
                state="running",
                status="Unknown",
                reason="Running",
                created_at=now,
                started_at=now,
            )
        )
    return run


def end(house: House, run: int) -> None:
    """Its task has ended; the run itself ends a little later."""
    values = {"state": "ended", "status": "True", "ended_at": house.clock.now()}
    with house.database.write() as connection:
        connection.execute(tables.tasks.update().where(tables.tasks.c.run == run).values(**values))


def counts(receiver: Receiver) -> list[dict[str, int]]:
    """The counts of every message about findings that came."""
    return [came.json["data"]["counts"] for came in receiver.came if came.json["type"] == "lockstep.findings"]


def look(house: House, *names: str, seconds: float = 1, weight: float = 0.8) -> None:
    """A comparison a little later, and the look that follows."""
    house.clock.pass_seconds(seconds)
    house.scan(*names, weight=weight)
    house.work()


def test_what_goes_before_the_deploy_ends_is_never_told(house: House, receiver: Receiver) -> None:
    """It was the work of the deploy."""
    run = begin(house)
    look(house, "web", "api")
    look(house)
    end(house, run)
    look(house)
    assert counts(receiver) == []


def test_what_outlasts_a_deploy_is_told_by_the_comparison_after_it(house: House, receiver: Receiver) -> None:
    """Once, as new; what readers know already is told as worse then, and as resolved at once."""
    look(house, "known", "gone", weight=0.6)
    run = begin(house)
    look(house, "known", "web", weight=1.0)
    assert counts(receiver) == [{"new": 2}, {"resolved": 1}]
    end(house, run)
    look(house, "known", "web", weight=1.0)
    assert counts(receiver)[2:] == [{"new": 1, "worse": 1}]
    look(house, "known", "web", weight=1.0)
    assert len(counts(receiver)) == 3


def test_a_comparison_that_began_before_the_end_says_nothing_of_what_is_after_it(
    house: House, receiver: Receiver
) -> None:
    """The next one is waited for, but not for long."""
    run = begin(house)
    began = house.clock.now()
    house.clock.pass_seconds(1)
    end(house, run)
    house.scan("web", started_at=began)
    house.work()
    assert counts(receiver) == []
    house.clock.pass_seconds(patience.SETTLING.total_seconds())
    house.sweep()
    assert counts(receiver) == [{"new": 1}]


def test_a_deploy_that_hangs_does_not_silence_for_ever(house: House, receiver: Receiver) -> None:
    """After half an hour it is told, by a look that no comparison has to cause."""
    begin(house)
    look(house, "web")
    house.clock.pass_seconds(patience.LONGEST.total_seconds() - 10)
    house.sweep()
    assert counts(receiver) == []
    house.clock.pass_seconds(10)
    house.sweep()
    assert counts(receiver) == [{"new": 1}]


def test_a_run_that_deploys_nothing_keeps_nothing_back(house: House, receiver: Receiver) -> None:
    """Tests may run for hours."""
    begin(house, task=_TEST)
    look(house, "web")
    assert counts(receiver) == [{"new": 1}]


def test_a_deploy_that_waits_for_a_person_keeps_nothing_back_until_it_is_answered(
    house: House, receiver: Receiver
) -> None:
    """A person may be away for days; what is deployed then has its half hour."""
    run = begin(house)
    with house.database.write() as connection:
        (task,) = tasks.of_run(connection, run)
        question = approvals.Question(run=run, task=task.id, kind="guard", question="All the same?", bound={})
        asked = approvals.ask(connection, question, at=house.clock.now())
    look(house, "web")
    assert counts(receiver) == [{"new": 1}]
    house.clock.pass_seconds(timedelta(days=2).total_seconds())
    with house.database.write() as connection:
        approvals.close(connection, asked, "approved", at=house.clock.now())
    look(house, "web", "api")
    assert counts(receiver) == [{"new": 1}]
    end(house, run)
    look(house, "web", "api")
    assert counts(receiver) == [{"new": 1}, {"new": 1}]


def test_an_application_that_nobody_could_compare_yet_has_the_time_of_a_comparison(
    house: House, receiver: Receiver
) -> None:
    """Before the first mirror it is no alarm that nobody knows the branch; a quarter of an hour later it is."""
    house.scan("", verdict=Verdict.UNKNOWN, weight=0.9, revision="")
    house.work()
    house.clock.pass_seconds(60)
    house.scan()
    house.work()
    assert counts(receiver) == []


def test_an_application_that_nobody_can_compare_for_long_is_told(house: House, receiver: Receiver) -> None:
    """Once, when it has lasted longer than a comparison may be old."""
    for _ in range(16):
        assert counts(receiver) == []
        house.scan("", verdict=Verdict.UNKNOWN, weight=0.9, revision="")
        house.work()
        house.clock.pass_seconds(60)
    house.scan("", verdict=Verdict.UNKNOWN, weight=0.9, revision="")
    house.work()
    assert counts(receiver) == [{"new": 1}]


def test_git_that_is_lost_after_a_comparison_is_told_at_once(house: House, receiver: Receiver) -> None:
    """Patience is for what was never compared."""
    house.scan()
    house.clock.pass_seconds(1)
    house.scan("", verdict=Verdict.UNKNOWN, weight=0.9, revision="")
    house.work()
    assert counts(receiver) == [{"new": 1}]


def minutes(at: float) -> datetime:
    """A moment."""
    return NOW + timedelta(minutes=at)


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 60), st.booleans()), min_size=1, max_size=8))
def test_deploys_never_silence_for_longer_than_half_an_hour_at_once(steps: list[tuple[float, float, bool]]) -> None:
    """However they overlap, follow one another or hang: within 31 minutes from any moment there is one that tells."""
    spans = [Span(start=minutes(at), end=None if hangs else minutes(at + long)) for at, long, hangs in steps]
    silent = 0
    for at in range(200):
        begun = [
            Span(start=one.start, end=one.end if one.end is not None and one.end <= minutes(at) else None)
            for one in spans
            if one.start <= minutes(at)
        ]
        silent = silent + 1 if patience.is_moving(begun, [], now=minutes(at)) else 0
        assert silent <= 31


def test_a_chain_of_deploys_is_one() -> None:
    """Each begins as the one before ends: the half hour counts from the first."""
    chain = [Span(start=minutes(at), end=minutes(at + 5)) for at in range(0, 35, 5)]
    running = Span(start=minutes(35), end=None)
    assert patience.is_moving([running], [], now=minutes(36))
    assert not patience.is_moving([*chain, running], [], now=minutes(36))
