"""What the handlers of pipelines stand on: one frozen context, made once at the start of a process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from lockstep import clock as clocks
from lockstep import settings, work
from lockstep.engine import listing
from lockstep.engine.tables import State
from lockstep.store import database as databases
from lockstep.topology import model
from pipelines.approval import Approval
from pipelines.local.runner import Runner
from pipelines.run import Enqueue, Runs
from pipelines.tasks import Builtin, Registry

BUILTINS: dict[str, Builtin] = {"Approval": Approval(), "ApprovalTask.openshift-pipelines.org": Approval()}
"""The built-in tasks of this package; others are registered beside them."""


class Queue(Enqueue, Protocol):
    """The part of the engine that pipelines need."""

    def hold(self, connection: Connection, claim: work.Claim) -> None:
        """Raise LostWorkError unless the claim is ours until the transaction ends."""
        ...

    def listing(
        self, *, states: Collection[State] = (), most: int = 100, before: int | None = None
    ) -> Sequence[listing.Listed]:
        """The newest jobs in these states."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What handlers need.

    ``topology`` gives the configuration that is in force now; ``secrets`` are texts that no log may keep.
    """

    database: databases.Database
    queue: Queue
    runs: Runs
    runner: Runner
    stepping: settings.Stepping
    workspaces: Path
    """Where the folders of runs are."""
    topology: Callable[[], model.Topology]
    builtins: Registry = field(default_factory=lambda: Registry(BUILTINS))
    secrets: Callable[[], Sequence[str]] = tuple

    @property
    def clock(self) -> clocks.Clock:
        """The clock of runs."""
        return self.runs.clock

    def folder(self, run: int) -> Path:
        """The folder of a run."""
        return self.workspaces / str(run)
