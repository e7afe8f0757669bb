"""Understands a stored delivery: which of our repositories and images it is about, and who is to look at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from lockstep import errors, work
from lockstep.clock import Clock
from lockstep.store import deliveries, triggers
from lockstep.store.database import Database
from lockstep.store.deliveries import Delivery, State
from lockstep.topology.model import Topology
from lockstep.values import Json
from webhooks import events, matching, providers

# A post names one repository or a few images; a list beyond this is no registry at work.
_MOST_EVENTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the handler stands on. ``topology`` gives the configuration in force at this moment."""

    database: Database
    topology: Callable[[], Topology]
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """What a delivery means: how it ends, why, its events as they are kept, and the work that they wake."""

    state: State
    reason: str
    events: tuple[Json, ...] = ()
    jobs: tuple[work.Job, ...] = ()
    pushes: tuple[tuple[str, str], ...] = ()
    """Repositories and refs that were pushed."""


def handle_delivery(context: Context, claim: work.Claim) -> work.Outcome:
    """Run a job of kind ``DELIVERY``: end it with the jobs that the delivery wakes, and its new state.

    Raises:
        UnreachableError: The database does not answer.
    """
    number = int(claim.payload["delivery"])
    try:
        with context.database.read() as connection:
            delivery = deliveries.get(connection, number)
    except errors.NotFoundError:  # too old, and forgotten in between
        return work.Done()
    understood = understand(delivery, context.topology())
    at = context.clock.now()

    def finish(connection: Connection) -> None:
        deliveries.finish(
            connection, number, state=understood.state, reason=understood.reason, events=understood.events, at=at
        )
        for repository, ref in understood.pushes:
            triggers.push(connection, repository, (ref,), at=at)

    return work.Done(effects=(finish,), then=understood.jobs)


def understand(delivery: Delivery, topology: Topology) -> Understanding:
    """What a delivery means under a configuration. Pure."""
    summary = delivery.summary
    hook = topology.webhooks.get(summary.hook)
    if hook is None:
        return Understanding(state=State.IGNORED, reason="the hook is not configured any more")
    try:
        found = providers.named(summary.provider).parse(summary.event, delivery.body)
    except errors.InputError as error:
        return Understanding(state=State.FAILED, reason=str(error))
    if len(found) > _MOST_EVENTS:
        return Understanding(state=State.FAILED, reason=f"it holds {len(found)} events, more than {_MOST_EVENTS}")
    woken = [(event, _wakes(event, topology, hook.spec.mirrors, summary.received_at)) for event in found]
    jobs = tuple({job.coalesce: job for _, (jobs, _) in woken for job in jobs}.values())
    reasons = dict.fromkeys(reason for _, (_, reason) in woken if reason)
    return Understanding(
        state=State.DONE if jobs else State.IGNORED,
        reason="" if jobs else "; ".join(reasons),
        events=tuple(_kept(event, *wakes) for event, wakes in woken),
        jobs=jobs,
        pushes=tuple(
            dict.fromkeys(
                (str(job.payload["repository"]), event.ref)
                for event, (jobs, _) in woken
                if isinstance(event, events.GitPush)
                for job in jobs
            )
        ),
    )


def _wakes(event: events.Event, topology: Topology, only: tuple[str, ...], at: datetime) -> tuple[list[work.Job], str]:
    """The jobs that an event is a reason for; without any, why not."""
    if isinstance(event, events.Nothing):
        return [], event.reason
    if isinstance(event, events.GitPush):
        names = matching.repositories(event, topology, only)
        jobs = [work.fetch_git(name, event=True) for name in names]
        called = next(iter((*event.names, *event.urls)), "")
        return jobs, "" if jobs else f"no GitMirror that this hook may wake covers {called}"
    names = matching.images(event, topology, only)
    asked = {name: matching.references(event, name, topology) for name in names}
    jobs = [work.mirror_images(name, references=wanted, urgent=True, pushed=at) for name, wanted in asked.items()]
    called = f"{event.repository} {event.tag or event.digest}"
    return jobs, "" if jobs else f"no ImageMirror that this hook may wake takes {called}"


def _kept(event: events.Event, jobs: list[work.Job], reason: str) -> Json:
    wakes = [{"kind": job.kind.value, "repository": job.payload["repository"]} for job in jobs]
    return {**events.as_json(event), "wakes": wakes, "reason": reason}
