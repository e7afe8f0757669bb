"""Work that packages hand to each other through the engine: its kinds, what each carries, how it ends.

Nobody calls another package to have work done: it enqueues one of the jobs below, in the transaction that
gave the reason for it, and ``console.wiring`` knows which function runs which kind. Payloads are small JSON
objects that name rows and things; a handler reads the rest afresh, so that a job that ran late or twice acts
on what is true now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from sqlalchemy import Connection

from lockstep.values import Json


class Kind(Enum):
    """What can be asked for."""

    DELIVERY = "delivery"  # understand a stored delivery: {"delivery": id}
    GIT_FETCH = "git.fetch"  # ask the source of a repository, fetch what is new: {"repository":, "event": bool}
    GIT_DISTRIBUTE = "git.distribute"  # bring a repository to its sites: {"repository":, "site": name or ""}
    IMAGE_MIRROR = (
        "image.mirror"  # bring an image repository to its sites: {"repository":, "references": [...], "pushed":}
    )
    TRIGGER = "pipeline.trigger"  # start runs for what moved: {"repository":, "event": bool}
    ADVANCE = "pipeline.advance"  # see what a run may do next: {"run": id}
    TASK = "pipeline.task"  # run one task: {"task": id}
    SCAN = "drift.scan"  # compare an application over its pairs: {"application":, "pair": name or "", "told":}
    HEAL = "drift.heal"  # heal what may heal itself at standbys: {"application":}
    TELL = "notify.tell"  # find out what people are to be told: {"application": name or "" for all that is of none}
    SEND = "notify.send"  # send one message over one channel: {"message": id}
    SWEEP_GIT = "sweep.git"  # {}: every repository, whatever events say
    SWEEP_IMAGES = "sweep.images"
    SWEEP_DRIFT = "sweep.drift"
    SWEEP_RUNS = "sweep.runs"  # timeouts, and runs that nobody advanced
    SWEEP_STANCES = "sweep.stances"  # what the sites remember of the stances of their pairs
    SWEEP_NOTICES = "sweep.notices"  # what nobody says when it happens: a silent site, the hour of a reminder
    SWEEP_STORE = "sweep.store"  # jobs and deliveries that have been over for long


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work.

    Args:
        kind: What is asked for.
        payload: What it is about.
        coalesce: At most one *queued* job has this key; a second request joins it. Empty: never joined.
        limits: Keys such as ``repository:bank/pay`` or ``site:sejong``; how many jobs may run under each key
            at once is a setting of the part before the colon.
        priority: Higher goes first.
        delay_seconds: Not before this; a joined request may push it back, never beyond ``longest_wait_seconds``.
        longest_wait_seconds: Bound of the debounce, from the first request.
        attempts: How often it may fail before it is given up.
    """

    kind: Kind
    payload: Mapping[str, Json]
    coalesce: str = ""
    limits: tuple[str, ...] = ()
    priority: int = 0
    delay_seconds: float = 0.0
    longest_wait_seconds: float = 30.0
    attempts: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job that is ours until its lease ends. ``fence`` proves it; ``attempt`` counts from 1."""

    id: int
    kind: Kind
    payload: Mapping[str, Json]
    fence: str
    attempt: int
    crashes: int


Effect: TypeAlias = Callable[[Connection], None]
"""Something to write in the transaction that ends a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The job is finished: its effects and the next jobs are written in the transaction that ends it."""

    effects: tuple[Effect, ...] = ()
    then: tuple[Job, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Not yet: the same job again after some seconds, which counts neither as an attempt nor as a failure."""

    seconds: float
    reason: str
    effects: tuple[Effect, ...] = field(default=())


Outcome: TypeAlias = Done | Later
Handler: TypeAlias = Callable[[Claim], Outcome]
"""Runs one job. ``TemporaryError`` is retried with back-off; any other error is recorded and not repeated
beyond the job's attempts."""


def process_delivery(delivery: int) -> Job:
    """Understand a stored delivery."""
    return Job(kind=Kind.DELIVERY, payload={"delivery": delivery}, priority=10)


def fetch_git(repository: str, *, event: bool) -> Job:
    """Ask the source of a repository; ``event`` when somebody pushed, not when the sweep passes by."""
    return Job(
        kind=Kind.GIT_FETCH,
        payload={"repository": repository, "event": event},
        coalesce=f"git.fetch:{repository}:{'event' if event else 'sweep'}",
        limits=(f"repository:{repository}", "source:git"),
        priority=8 if event else 0,
    )


def distribute_git(repository: str, *, urgent: bool, site: str = "", delay_seconds: float = 0.0) -> Job:
    """Bring a repository to its sites, or to the one that did not take it.

    One site has a job and a limit of its own: waiting for it does not keep news from the others.
    """
    return Job(
        kind=Kind.GIT_DISTRIBUTE,
        payload={"repository": repository, "site": site},
        coalesce=f"git.distribute:{repository}:{site}",
        limits=(f"mirror:{repository}:{site}",),
        priority=7 if urgent else 0,
        delay_seconds=delay_seconds,
    )


def mirror_images(
    repository: str, *, references: tuple[str, ...] = (), urgent: bool, pushed: datetime | None = None
) -> Job:
    """Bring an image repository to its sites; all tags that the mirrors name when no reference is given.

    ``pushed`` is when somebody said that the references were pushed. A request that joins keeps the first.
    """
    listed = ",".join(sorted(references)) or "*"
    told: dict[str, Json] = {"pushed": pushed.timestamp()} if pushed else {}
    return Job(
        kind=Kind.IMAGE_MIRROR,
        payload={"repository": repository, "references": sorted(references), **told},
        coalesce=f"image.mirror:{repository}:{listed}",
        limits=(f"images:{repository}",),
        priority=7 if urgent else 0,
    )


def trigger(repository: str, *, event: bool) -> Job:
    """Start runs for what moved in a repository."""
    return Job(
        kind=Kind.TRIGGER,
        payload={"repository": repository, "event": event},
        coalesce=f"pipeline.trigger:{repository}:{'event' if event else 'sweep'}",
        limits=(f"trigger:{repository}",),
        priority=9,
    )


def advance(run: int) -> Job:
    """See what a run may do next."""
    return Job(kind=Kind.ADVANCE, payload={"run": run}, coalesce=f"pipeline.advance:{run}", priority=9)


def run_task(task: int, *, delay_seconds: float = 0.0) -> Job:
    """Run one task of a run."""
    return Job(
        kind=Kind.TASK,
        payload={"task": task},
        coalesce=f"pipeline.task:{task}",
        limits=(f"task:{task}",),
        priority=6,
        delay_seconds=delay_seconds,
    )


def scan(
    application: str, *, pair: str = "", urgent: bool = False, told: bool = False, delay_seconds: float = 0.0
) -> Job:
    """Compare an application over one of its pairs, or all of them; ``told`` when a watch told of a change."""
    return Job(
        kind=Kind.SCAN,
        payload={"application": application, "pair": pair, "told": told},
        coalesce=f"drift.scan:{application}:{pair}:{'told' if told else 'all'}",
        limits=(f"scan:{application}",),
        priority=5 if urgent else 0,
        delay_seconds=delay_seconds,
    )


def heal(application: str) -> Job:
    """Heal what may heal itself at the standbys of an application."""
    return Job(
        kind=Kind.HEAL,
        payload={"application": application},
        coalesce=f"drift.heal:{application}",
        limits=(f"heal:{application}",),
        priority=4,
    )


def tell(application: str = "") -> Job:
    """Find out what people are to be told of an application, or of what belongs to none."""
    return Job(
        kind=Kind.TELL,
        payload={"application": application},
        coalesce=f"notify.tell:{application}",
        # What readers are told follows from what they were told before: one at a time.
        limits=(f"tell:{application}",),
        priority=6,
    )


def send(message: int, *, channel: str) -> Job:
    """Send one message over one channel; a channel that is slow or dead keeps only its own messages waiting."""
    return Job(
        kind=Kind.SEND,
        payload={"message": message},
        coalesce=f"notify.send:{message}",
        limits=(f"channel:{channel}",),
        priority=6,
    )


def sweep(kind: Kind) -> Job:
    """One pass of a schedule."""
    return Job(kind=kind, payload={}, coalesce=kind.value)
