"""A worker that dies between two steps: who takes over does what is left, and only that."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep import errors
from lockstep.store import logs, tasks
from lockstep.store.database import Database
from pipelines import handlers
from pipelines.local import machine
from tests.support.houses import House
from tests.support.times import Clock

STEPS = """
tasks:
- name: build
  retries: 1
  taskSpec:
    results: [{name: r}]
    steps:
    - {name: one, image: i, results: [{name: word}], script: "echo one; printf kept > $(step.results.word.path)"}
    - {name: two, image: i, env: [{name: WORD, value: $(steps.one.results.word)}], script: 'echo "two $WORD"'}
    - {name: three, image: i, script: "echo three; printf done > $(results.r.path)"}
"""


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


def _said(house: House, run: int) -> str:
    with house.database.read() as connection:
        return "".join(piece.text for piece in logs.of_run(connection, run))


@pytest.mark.parametrize(("dies_at", "state"), [("two", "running"), ("two", "ended"), ("three", "ended")])
def test_who_takes_over_runs_what_had_not_ended(
    file_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: str, state: str
) -> None:
    """Steps that were written down as ended are not run again, their results are there, and no attempt is lost."""
    clock = Clock()
    house = House(file_database, tmp_path, clock=clock, looked=machine.look())
    run = house.walk(STEPS)
    put, alive = tasks.put_step, [True]

    def dying(connection: object, step: tasks.Step) -> None:
        if alive[0] and (step.name, step.state) == (dies_at, state):
            alive[0] = False
            raise Killed
        put(connection, step)  # type: ignore[arg-type]  # it is handed on as it came

    monkeypatch.setattr(tasks, "put_step", dying)
    (claim,) = house.queue.claim()
    with pytest.raises(Killed):
        handlers.handle_task(house.service, claim)
    clock.pass_seconds(house.working.lease_seconds + 1)
    house.work()
    said = _said(house, run)
    for name in ("one\n", "two kept\n", "three\n"):
        again = state == "ended" and name.startswith(dies_at)
        assert said.count(name) == (2 if again else 1), said
    build = house.tasks(run)["build"]
    assert (build.status, build.attempt, build.results[0]["value"]) == ("True", 0, "done")
    assert house.reason(run) == "Succeeded"


def test_a_worker_that_lost_its_task_writes_nothing_more(file_database: Database, tmp_path: Path) -> None:
    """Neither a step nor a line of a log: another one has it now."""
    clock = Clock()
    house = House(file_database, tmp_path, clock=clock, looked=machine.look())
    run = house.walk(STEPS)
    (late,) = house.queue.claim()
    clock.pass_seconds(house.working.lease_seconds + 1)
    house.work()
    before = _said(house, run)
    with pytest.raises(errors.LostWorkError):
        handlers.handle_task(house.service, late)
    assert _said(house, run) == before
    assert house.reason(run) == "Succeeded"
