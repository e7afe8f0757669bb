"""An attempt of a task: what is to be run, where it is written down, how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from lockstep import children
from pipelines import documents, orders
from pipelines.local import machine, scopes
from pipelines.local.logbook import Logbook

Results: TypeAlias = Mapping[str, documents.Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """A step of this attempt. ``reason`` is Tekton's terminationReason, empty while it runs."""

    position: int
    name: str
    image: str
    started_at: datetime
    ended_at: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    results: Results = field(default_factory=dict)


class Record(Protocol):
    """Where an attempt is written down. Whatever it raises ends the attempt."""

    def ended(self) -> Sequence[StepState]:
        """The steps of this attempt that have ended, in order."""
        ...

    def put(self, state: StepState) -> None:
        """A step began, or ended."""
        ...

    def log(self, container: str) -> AbstractContextManager[Logbook]:
        """Where the output of a step or sidecar goes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An attempt that is to be run."""

    order: orders.Order
    params: Results
    identity: scopes.Identity
    deadline: datetime | None
    """When its time is over."""
    folder: Path
    """The folder of its run."""
    user: children.Identity | None
    key: str
    """Names the attempt within the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How an attempt ended, in Tekton's words."""

    status: str
    reason: str
    message: str
    results: Results = field(default_factory=dict)
    view: machine.View = machine.View.NOTHING


class Interrupt:
    """Ends an attempt from another thread, once and for all: ``cancel`` or ``timeout``."""

    def __init__(self) -> None:
        self.asked = ""
        self._stop = children.Stop()

    def __call__(self, asked: str) -> None:
        """End it."""
        self.asked = self.asked or asked
        self._stop()

    @property
    def stop(self) -> children.Stop:
        """What ends the step that runs now."""
        return self._stop
