"""The seam for tasks that are not steps: what the house does by itself, as a custom task of Tekton's.

A built-in is a function of a context; it ends, asks a person, or asks to be called again. It is called at least
once: what it does outside the database must bear being done twice, what it writes into the database goes into
``effects``, which are written in the transaction that ends its job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from lockstep import children, errors, work
from lockstep.store import approvals, runs, tasks
from lockstep.values import Json
from pipelines.documents import Value

OUR_GROUP = "lockstep.dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """It is done. ``results`` are for later tasks, ``detail`` is for people who look at it."""

    results: Mapping[str, Value] = field(default_factory=dict)
    detail: Mapping[str, Json] = field(default_factory=dict)
    reason: str = "Succeeded"
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A person has to decide before it goes on; then it is called again, with the answer.

    ``bound`` is what the answer is about (commit, digests, plan); ``kind`` is approval or guard; ``barred`` are
    people who may not approve.
    """

    question: str
    bound: Json
    kind: str = "approval"
    approvers: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    needed: int = 1
    detail: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Not yet: call it again after some seconds."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It cannot be done."""

    reason: str
    message: str
    results: Mapping[str, Value] = field(default_factory=dict)
    detail: Mapping[str, Json] = field(default_factory=dict)


Outcome: TypeAlias = Finished | Waiting | Again | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a built-in is told, and what it may do."""

    run: runs.Run
    """Its run: application, revision, cause."""
    task: tasks.Task
    """Itself: name, attempt, detail so far."""
    params: Mapping[str, Value]
    spec: Json
    """What is written into it where it stands inline; None otherwise."""
    workspaces: Mapping[str, Path]
    """The real folders of its workspaces. Steps own what is in them: follow no link there."""
    results: Mapping[str, Mapping[str, Value]]
    """What the tasks before it handed on, by task and name."""
    details: Mapping[str, Json]
    """What built-in tasks before it show for themselves, by task."""
    plan: str
    """The digest of the run's documents."""
    answers: tuple[approvals.Approval, ...]
    """Questions of this attempt that were answered, in order."""
    identity: children.Identity | None
    """The user of the run's steps, who has to be able to read what is put into a workspace."""
    log: Callable[[str], None]
    """Writes a line that people see while it runs."""
    cancelled: Callable[[], str]
    """``cancel`` or ``timeout`` once somebody wants it to end, else empty; cheap enough to ask often."""
    deadline: datetime | None
    """When its time is over."""
    effects: list[work.Effect]
    """What is to be written in the transaction that ends this call."""


class Builtin(Protocol):
    """A task that the house does by itself."""

    def run(self, context: Context) -> Outcome:
        """Do it, or as much of it as can be done now.

        Raises:
            TemporaryError: The same call may succeed later; it is repeated with back-off.
            LockstepError: It cannot be done; the task fails with this message.
        """
        ...


class Registry:
    """The built-in tasks, by apiVersion and kind."""

    def __init__(self, known: Mapping[str, Builtin]) -> None:
        """``known`` maps ``Kind`` (of lockstep.dev) or ``Kind.group`` to what runs it."""
        self._known = dict(known)

    def find(self, api_version: str, kind: str) -> Builtin:
        """What runs a custom task, whatever the version of its group.

        Raises:
            NotFoundError: Nobody here runs this kind.
        """
        group = api_version.partition("/")[0]
        found = self._known.get(kind if group == OUR_GROUP else f"{kind}.{group}")
        if found is None:
            listed = ", ".join(sorted(self._known))
            raise errors.NotFoundError(
                f"Nobody here runs tasks of the kind {kind} ({api_version}).", remedy=f"These are run: {listed}."
            )
        return found
