"""What the pages stand on: read access to the store, the configuration in force, and what people may do.

``console.wiring`` fills it. The pages decide nothing: every action is one call of ``Actions`` or of the engine's
queue, which refuse with errors of the house.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from flask import Blueprint

from console.token import Token
from lockstep import errors, settings
from lockstep.clock import Clock
from lockstep.engine.queue import Queue
from lockstep.store.database import Database
from lockstep.topology.model import Topology

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person answers to an approval: who, yes or no, and why."""

    approval: int
    by: str
    approve: bool
    comment: str = ""


class Actions(Protocol):
    """What a person may do. Each raises LockstepError when it is refused, with what to do."""

    def decide(self, answer: Answer) -> None:
        """Approve or reject. ConflictError when it was decided or superseded, ForbiddenError for the wrong person."""
        ...

    def cancel(self, run: str, *, by: str) -> None:
        """Stop a run; its finally tasks still run."""
        ...

    def rerun(self, run: str, *, by: str) -> str:
        """Start a run again from its snapshot; the name of the new one."""
        ...

    def redeploy(self, application: str, site: str, *, by: str) -> str:
        """Deploy to a site what git says; the name of the run that does it."""
        ...

    def heal(self, finding: int, *, by: str) -> str:
        """Deploy to a standby again because of a finding; the name of the run that does it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """One thing that must hold before requests are served. ``problem`` is empty when it does."""

    name: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything that the pages stand on.

    Args:
        topology: The configuration in force.
        problems: What is wrong with the configuration on disk, while an older one is in force.
        readiness: What ``/readyz`` says beside whether the database answers.
        token: Who brings it is let in.
        session_key: What signs sessions: the installation's own secret of that name (``lockstep.store.keys``).
        receiver: The blueprint of the webhooks.
    """

    database: Database
    topology: Callable[[], Topology]
    problems: Callable[[], Sequence[errors.Problem]]
    readiness: Callable[[], Sequence[Readiness]]
    actions: Actions
    queue: Queue
    token: Token
    session_key: str = field(repr=False)
    receiver: Blueprint
    clock: Clock
    serving: settings.Serving

    def audit(self, by: str, what: str) -> None:
        """Write down who did what, in the log of the service; a name cannot break its lines."""
        _log.info("%s: %s", " ".join(by.split()) or "somebody", what)
