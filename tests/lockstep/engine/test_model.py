"""The queue against a model that a person can check by reading: lists, and no index, no lock, no shortcut."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from lockstep import errors, settings, work
from lockstep.engine.queue import Queue
from lockstep.store.database import open_database
from tests.support import times
from tests.support.jobs import rows, running_by_key

WORKING = settings.Working(
    lease_seconds=20.0, backoff_seconds=2.0, longest_backoff_seconds=8.0, most_crashes=2, limits={"one": 1, "two": 2}
)
NAMES = st.sampled_from(["", "a", "b", "c"])
KEYS = st.sampled_from([(), ("one:x",), ("one:y",), ("two:z",)])


@dataclass(kw_only=True)
class Modelled:
    """A job as the model has it."""

    name: str
    limits: tuple[str, ...]
    priority: int
    run_at: datetime
    latest_at: datetime
    state: str = "queued"
    failures: int = 0
    crashes: int = 0
    lease_until: datetime = times.Clock().wall


class _NoJitter(random.Random):
    """The model does not guess: every wait is its upper bound."""

    def uniform(self, a: float, b: float) -> float:
        return b


class Model(RuleBasedStateMachine):
    """Everything that may be done with a queue, done to both."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "model.db"
        shutil.copy(self.template, file)
        self.clock = times.Clock()
        self.database = open_database(f"sqlite:///{file}")
        self.queue = Queue(self.database, working=WORKING, clock=self.clock)
        self.queue._draw = _NoJitter()
        self.jobs: dict[int, Modelled] = {}
        self.claims: list[work.Claim] = []
        self.fences: dict[int, str] = {}

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.database.close()
        self.folder.cleanup()

    # What is done

    @rule(name=NAMES, limits=KEYS, priority=st.integers(0, 2), delay=st.sampled_from([0, 0, 0, 3, 50]))
    def push(self, name: str, limits: tuple[str, ...], priority: int, delay: int) -> None:
        """Queue or join."""
        wishes = {"limits": limits, "priority": priority, "delay_seconds": delay, "attempts": 2}
        job = work.Job(kind=work.Kind.TASK, payload={}, coalesce=name, **wishes)  # type: ignore[arg-type] # as given
        with self.database.write() as connection:
            (id_,) = self.queue.enqueue(connection, job)
        now, asked = self.clock.now(), self.clock.now() + timedelta(seconds=delay)
        twin = self._twin(name)
        if twin is not None:
            assert id_ == twin
            joined = self.jobs[twin]
            joined.run_at = max(joined.run_at, min(asked, joined.latest_at))
            joined.priority = max(joined.priority, priority)
            joined.failures = 0
        else:
            assert id_ not in self.jobs
            latest = now + timedelta(seconds=max(delay, 30))
            self.jobs[id_] = Modelled(name=name, limits=limits, priority=priority, run_at=asked, latest_at=latest)

    @rule(most=st.integers(1, 4))
    def claim(self, most: int) -> None:
        """Claim, and expect what a look at every job would find."""
        expected = self._expect(most)
        claimed = self.queue.claim(most=most)
        assert [claim.id for claim in claimed] == expected
        assert all(claim.attempt == self.jobs[claim.id].failures + 1 for claim in claimed)
        self.claims += claimed
        self.fences |= {claim.id: claim.fence for claim in claimed}

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), how=st.sampled_from(["done", "later", "temporary", "final", "give back"]))
    def end(self, data: st.DataObject, how: str) -> None:
        """End a claim in one of its ways; one that is lost cannot be ended."""
        claim = data.draw(st.sampled_from(self.claims))
        self.claims.remove(claim)
        ours = self._is_ours(claim)
        try:
            self._end(claim, how)
        except errors.LostWorkError:
            assert not ours
            return
        assert ours
        job = self.jobs[claim.id]
        if how == "done":
            job.state = "done"
        elif how == "give back":
            self._put_back(claim.id, 0)
        elif how == "later":
            job.failures = job.crashes = 0
            self._put_back(claim.id, 5)
        else:
            job.failures += 1
            job.state = "failed"
            if how == "temporary" and job.failures < 2:
                self._put_back(claim.id, 2)

    @rule(seconds=st.sampled_from([1, 4, 10, 21, 100]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.pass_seconds(seconds)

    @precondition(lambda self: self.claims)
    @rule()
    def beat(self) -> None:
        """Extend all leases that are ours."""
        ours = {claim.id for claim in self.claims if self._is_ours(claim)}
        assert self.queue.heartbeat(self.claims) == ours
        for id_ in ours:
            self.jobs[id_].lease_until = self.clock.now() + timedelta(seconds=20)

    @rule(name=NAMES)
    def cancel(self, name: str) -> None:
        """Cancel what is queued under a key."""
        twin = self._twin(name)
        with self.database.write() as connection:
            assert self.queue.cancel(connection, coalesce=name) == (twin is not None)
        if twin is not None:
            self.jobs[twin].state = "cancelled"

    @precondition(lambda self: any(job.state in ("failed", "aside", "cancelled") for job in self.jobs.values()))
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        """Queue again what ended in trouble."""
        troubled = [id_ for id_, job in self.jobs.items() if job.state in ("failed", "aside", "cancelled")]
        id_ = data.draw(st.sampled_from(troubled))
        twin = self._twin(self.jobs[id_].name)
        assert self.queue.requeue(id_) == (twin or id_)
        self.jobs[id_].failures = self.jobs[id_].crashes = 0
        self._put_back(id_, 0)

    # What must hold

    @invariant()
    def every_job_is_as_modelled(self) -> None:
        """State, priority, moments and counts."""
        stored = rows(self.database)
        assert stored.keys() == self.jobs.keys()
        for id_, job in self.jobs.items():
            row = stored[id_]
            assert (row["state"], row["failures"], row["crashes"]) == (job.state, job.failures, job.crashes)
            if job.state == "queued":
                assert (row["run_at"], row["priority"]) == (job.run_at, job.priority)

    @invariant()
    def the_counters_are_what_runs(self) -> None:
        """A counter never differs from the jobs that it counts."""
        assert running_by_key(self.database) == dict(self._running())

    # The model

    def _running(self) -> Counter[str]:
        return Counter(key for job in self.jobs.values() if job.state == "running" for key in job.limits)

    def _twin(self, name: str) -> int | None:
        queued = (id_ for id_, job in self.jobs.items() if name and job.name == name and job.state == "queued")
        return next(queued, None)

    def _is_ours(self, claim: work.Claim) -> bool:
        return self.jobs[claim.id].state == "running" and self.fences[claim.id] == claim.fence

    def _expect(self, most: int) -> list[int]:
        now = self.clock.now()
        running = sorted((job.lease_until, id_) for id_, job in self.jobs.items() if job.state == "running")
        lost = [id_ for lease_until, id_ in running if lease_until <= now]
        expected = [id_ for id_ in lost[:most] if self._take_over(id_)]
        due = [id_ for id_, job in self.jobs.items() if job.state == "queued" and job.run_at <= now]
        for id_ in sorted(due, key=lambda id_: (-self.jobs[id_].priority, id_)):
            taken = self._running()
            free = all(taken[key] < WORKING.limits[key.partition(":")[0]] for key in self.jobs[id_].limits)
            if free and len(expected) < most:
                self.jobs[id_].state = "running"
                expected.append(id_)
        for id_ in expected:
            self.jobs[id_].lease_until = now + timedelta(seconds=20)
        return expected

    def _take_over(self, id_: int) -> bool:
        job = self.jobs[id_]
        job.crashes += 1
        job.state = "aside" if job.crashes >= WORKING.most_crashes else "running"
        return job.state == "running"

    def _put_back(self, id_: int, seconds: int) -> None:
        job, run_at = self.jobs[id_], self.clock.now() + timedelta(seconds=seconds)
        twin = self._twin(job.name)
        if twin is None:
            job.state, job.run_at = "queued", run_at
        else:
            job.state = "joined"
            self.jobs[twin].run_at = max(self.jobs[twin].run_at, run_at)
            self.jobs[twin].priority = max(self.jobs[twin].priority, job.priority)

    def _end(self, claim: work.Claim, how: str) -> None:
        if how == "done":
            self.queue.finish(claim, work.Done())
        elif how == "later":
            self.queue.finish(claim, work.Later(seconds=5.0, reason=""))
        elif how == "give back":
            self.queue.give_back(claim)
        else:
            self.queue.fail(claim, errors.UnreachableError("") if how == "temporary" else errors.HeldError(""))


def test_the_queue_does_what_the_model_does(sqlite_template: Path) -> None:
    """Whatever is done in whatever order, the queue answers as the lists do."""
    model = type("Model", (Model,), {"template": sqlite_template})
    run_state_machine_as_test(
        model, settings=hypothesis_settings(max_examples=60, stateful_step_count=30, deadline=None)
    )
