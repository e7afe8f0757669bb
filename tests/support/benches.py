"""Attempts of tasks on this machine, for tests: a runner, and a record that is kept in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from lockstep import clock as clocks
from lockstep import documents as yaml
from pipelines import documents, orders
from pipelines.local import attempts, machine, runner, scopes
from pipelines.local.attempts import StepState
from pipelines.local.logbook import Logbook

RUN = 4242


@dataclass(slots=True, kw_only=True)
class Remembered:
    """A record in memory."""

    before: list[StepState] = field(default_factory=list)
    states: list[StepState] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    most: int = 4 * 2**20
    wrote: threading.Event = field(default_factory=threading.Event)

    def ended(self) -> Sequence[StepState]:
        """What had ended before."""
        return self.before

    def put(self, state: StepState) -> None:
        """Remember a step."""
        self.states.append(state)

    @contextmanager
    def log(self, container: str) -> Iterator[Logbook]:
        """Remember what is written."""

        def keep(text: str) -> None:
            self.logs[container] = self.logs.get(container, "") + text
            self.wrote.set()

        with Logbook(keep, most=self.most) as book:
            yield book

    @property
    def reasons(self) -> list[str]:
        """How the steps ended, in order."""
        return [state.reason for state in self.states if state.ended_at]


@dataclass(slots=True, kw_only=True)
class Bench:
    """Runs task specs written as YAML."""

    folder: Path
    looked: machine.Machine
    record: Remembered = field(default_factory=Remembered)
    interrupt: attempts.Interrupt = field(default_factory=attempts.Interrupt)
    keys: Mapping[tuple[str, str], Mapping[str, bytes]] = field(default_factory=dict)
    result_bytes: int = 64 * 2**10
    user: str = ""
    hidden: Sequence[Path] = ()

    def run(
        self,
        spec: str,
        *,
        params: Mapping[str, documents.Value] | None = None,
        folders: Sequence[orders.Folder] = (),
        timeout: float | None = None,
        step_actions: Mapping[str, str] | None = None,
        key: str = "1-0",
    ) -> attempts.Finished:
        """Run the lines of a TaskSpec."""
        order = orders.Order(
            task_name="task",
            spec=_read(spec),
            folders=tuple(folders),
            timeout_seconds=timeout,
            step_actions={name: _read(text) for name, text in (step_actions or {}).items()},
        )
        clock = clocks.SystemClock()
        deadline: datetime | None = clock.now() + timedelta(seconds=timeout) if timeout is not None else None
        job = attempts.Job(
            order=order,
            params=params or {},
            identity=scopes.Identity(name="walk-task", namespace="office", uid="u-1", attempt=0),
            deadline=deadline,
            folder=self.folder / "state" / "runs" / str(RUN),
            user=machine.identity(RUN, self.user),
            key=key,
        )
        made = runner.Runner(
            machine=self.looked,
            clock=clock,
            result_bytes=self.result_bytes,
            keys=self.keys,
            hidden=lambda: self.hidden,
        )
        return made.run(job, self.record, self.interrupt)

    def said(self, container: str = "step-s") -> str:
        """What a step wrote."""
        return self.record.logs.get(container, "")


def script(text: str, *, more: str = "", name: str = "s") -> str:
    """A TaskSpec of one step with this script, and further lines."""
    inner = "\n".join(f"    {line}" for line in text.strip("\n").split("\n"))
    return f"{more}\nsteps:\n- name: {name}\n  image: busybox\n  script: |\n{inner}\n"


def _read(text: str) -> object:
    (document,) = yaml.read(text.encode(), file="task.yaml")
    return document.value
