"""What has been over for long goes, and nothing else does."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, update

from lockstep import errors, settings, work
from lockstep.engine import retention
from lockstep.engine.queue import Queue
from lockstep.engine.retention import Retention
from lockstep.engine.tables import State, jobs
from lockstep.engine.worker import Worker
from lockstep.store import deliveries, parts, runs, tables
from lockstep.store.database import Database
from lockstep.store.views import drift
from tests.support import bank, times
from tests.support.jobs import Push, job, rows

DAY = 86_400.0
KEEPING = settings.Keeping(jobs_days=7.0, troubled_jobs_days=90.0, deliveries_days=30.0)


@pytest.fixture
def kept(database: Database, queue: Queue) -> Retention:
    """Two rows of each kind at once, and the times above."""
    return Retention(database=database, queue=queue, keeping=KEEPING, step=2)


def deliver(database: Database, clock: times.Clock, name: str, state: deliveries.State) -> None:
    """Store a delivery that is in this state."""
    incoming = deliveries.Incoming(
        hook="forge", provider="github", delivery=name, event="push", headers={}, body=b"{}", received_at=clock.now()
    )
    with database.write() as connection:
        id_, _ = deliveries.insert(connection, incoming)
        if state is not deliveries.State.RECEIVED:
            deliveries.finish(connection, id_, state=state, reason="", events=[], at=clock.now())


def sweep(kept: Retention) -> work.Outcome:
    """One run of the job's handler."""
    claim = work.Claim(id=0, kind=work.Kind.SWEEP_STORE, payload={}, fence="", attempt=1, crashes=0)
    return retention.handle_sweep(kept, claim)


def left(database: Database) -> tuple[set[str], set[str]]:
    """The names of the jobs, and those of the deliveries."""
    with database.read() as connection:
        stored = deliveries.page(connection, deliveries.Filter())
    return {row["coalesce_key"] for row in rows(database).values()}, {summary.delivery for summary in stored}


def test_each_thing_is_kept_for_its_own_time(
    push: Push, queue: Queue, clock: times.Clock, database: Database, kept: Retention
) -> None:
    """Done, then worked off, then troubled; what waits stays for ever."""
    push(job("done"), job("failed"), job("waits"))
    queue.finish(queue.claim()[0], work.Done())
    queue.fail(queue.claim()[0], errors.ForbiddenError("no"))
    deliver(database, clock, "done", deliveries.State.DONE)
    deliver(database, clock, "waits", deliveries.State.RECEIVED)
    seen = []
    for days in (6.9, 7.1, 30.1, 90.1, 10_000.0):
        clock.wall = times.Clock().wall
        clock.pass_seconds(days * DAY)
        assert sweep(kept) == work.Done()
        seen.append(left(database))
    assert seen == [
        ({"done", "failed", "waits"}, {"done", "waits"}),
        ({"failed", "waits"}, {"done", "waits"}),
        ({"failed", "waits"}, {"waits"}),
        ({"waits"}, {"waits"}),
        ({"waits"}, {"waits"}),
    ]


def test_much_is_removed_in_steps_until_nothing_is_left(
    push: Push, queue: Queue, clock: times.Clock, database: Database, kept: Retention
) -> None:
    """The job comes back at once while there is more, and ends when there is not."""
    push(*(job(str(number)) for number in range(5)))
    for claim in queue.claim(most=5):
        queue.finish(claim, work.Done())
    for number in range(3):
        deliver(database, clock, str(number), deliveries.State.IGNORED)
    clock.pass_seconds(31 * DAY)
    push(work.sweep(work.Kind.SWEEP_STORE))
    handlers = {work.Kind.SWEEP_STORE: partial(retention.handle_sweep, kept)}
    assert Worker(queue, handlers, working=settings.Working()).drain() == 3
    assert left(database) == ({"sweep.store"}, set())


def _ended(database: Database, clock: times.Clock, application: str, name: str) -> int:
    """A run that ended now, with a task and a line of its log."""
    new = runs.New(name=name, pipeline="p", snapshot={}, state="running", reason="Running", application=application)
    with database.write() as connection:
        run = runs.add(connection, new, at=clock.now())
        runs.change(connection, run, state="ended", ended_at=clock.now())
        more = {"run": run, "pipeline_task": "t", "name": "t", "kind": "TaskRun", "section": "tasks", "state": "ended"}
        task = connection.execute(
            tables.tasks.insert().values(**more, status="True", reason="Succeeded", created_at=clock.now())
        ).inserted_primary_key
        assert task is not None
        connection.execute(tables.logs.insert().values(task=task[0], attempt=1, step="s", at=clock.now(), text="said"))
    return run


def test_runs_that_ended_long_ago_go_with_their_logs_but_for_the_newest(
    database: Database, clock: times.Clock, kept: Retention
) -> None:
    """Whoever asks what was delivered last finds it, however long ago that was."""
    for name in ("first", "second", "third", "last"):
        _ended(database, clock, "pay", name)
    clock.pass_seconds(181 * DAY)
    _ended(database, clock, "ledger", "yesterday")
    outcomes = [sweep(kept), sweep(kept)]
    assert outcomes == [work.Later(seconds=0.0, reason="There is more to remove."), work.Done()]
    with database.read() as connection:
        assert {run.name for run in runs.page(connection, runs.Filter())} == {"last", "yesterday"}
        assert connection.execute(select(func.count()).select_from(tables.logs)).scalar_one() == 2


def test_findings_that_were_resolved_long_ago_go(database: Database, clock: times.Clock, kept: Retention) -> None:
    """What is open stays, however old, and so does what was resolved not so long ago."""
    with database.write() as connection:
        for name, state, days in (("old", "resolved", 401), ("late", "resolved", 399), ("open", "open", 9000)):
            then = clock.now() - timedelta(days=days)
            at = then if state == "resolved" else None
            bank.finding(connection, name, state=state, first_seen=then, last_seen=then, resolved_at=at)
    assert sweep(kept) == work.Done()
    with database.read() as connection:
        assert {one.fingerprint for one in drift.page(connection, drift.Filter())} == {"late", "open"}


@pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.needs("postgres"))], indirect=True
)
def test_what_comes_back_to_life_at_this_moment_is_not_removed(
    push: Push, queue: Queue, clock: times.Clock, database: Database, kept: Retention
) -> None:
    """A person repeats an old failure while the sweep looks at it: the sweep neither waits for it nor takes it away."""
    (failed,) = push(job("failed"))
    queue.fail(queue.claim()[0], errors.ForbiddenError("no"))
    deliver(database, clock, "failed", deliveries.State.FAILED)
    clock.pass_seconds(1000 * DAY)
    with database.write() as person:
        person.execute(update(jobs).where(jobs.c.id == failed).values(state=State.QUEUED.value, ended_at=None))
        (summary,) = deliveries.page(person, deliveries.Filter())
        deliveries.replay(person, summary.id)
        assert sweep(kept) == work.Done()
    assert left(database) == ({"failed"}, {"failed"})


def test_what_an_image_consists_of_goes_when_no_site_has_it_any_more(
    clock: times.Clock, database: Database, kept: Retention
) -> None:
    """As late as findings, which may tell of it."""
    digest = f"sha256:{'a' * 64}"
    with database.write() as connection:
        parts.record(connection, {digest: {}}, at=clock.now())
    seen = []
    for days in (KEEPING.findings_days - 0.1, 0.2):
        clock.pass_seconds(days * DAY)
        sweep(kept)
        with database.read() as connection:
            seen.append(set(parts.children_of(connection, [digest])))
    assert seen == [{digest}, set()]
