"""The jobs that find out what people are to be told.

What readers believe and the messages that change it are written in one transaction, with the jobs that send them.
The transaction that records a comparison queues the look at its application: nothing that is stored goes untold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from console.language import Catalogue
from console.notices import deciding, grouping, patience, reading, wording
from console.notices.grouping import Notice
from console.notices.routes import routes_of
from console.notices.subject import About, Subject, wanted
from lockstep import work
from lockstep.clock import Clock
from lockstep.engine.queue import Queue
from lockstep.store import notices
from lockstep.store.database import Database
from lockstep.topology import kinds
from lockstep.topology.model import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What telling stands on.

    Args:
        catalogues: The languages.
        url: Where people reach the pages; empty for messages without links.
        stale: How old evidence may be.
    """

    database: Database
    topology: Callable[[], Topology]
    queue: Queue
    clock: Clock
    catalogues: Mapping[str, Catalogue]
    url: str
    stale: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one look brings about for the readers of one Notification; ``reminding`` when it is about reminders too."""

    notification: kinds.Notification
    decision: deciding.Decision
    notices: tuple[Notice, ...]
    at: datetime
    reminding: deciding.Reminding | None = None


def handle_tell(context: Telling, claim: work.Claim) -> work.Outcome:
    """Tell what is new of an application's findings, or of everything else: ``{"application": name or ""}``."""
    application, topology = str(claim.payload["application"]), context.topology()
    if not topology.notifications or (application and application not in topology.applications):
        return work.Done()
    now = context.clock.now()
    with context.database.read() as connection:
        look = reading.Look(connection=connection, topology=topology, now=now, stale=context.stale)
        found = list(reading.findings_of(look, application) if application else reading.everything_else(look))
        early = patience.early(look, application, found) if application else frozenset()
        plans = [_plan(look, one, found, application, early=early) for one in topology.notifications.values()]
    return work.Done(effects=tuple(partial(_carry_out, context, plan) for plan in plans))


def handle_sweep(context: Telling, _claim: work.Claim) -> work.Outcome:
    """Look at everything, whatever nobody said: silent sites, waivers that end, reminders that are due."""
    topology = context.topology()
    forget = partial(
        notices.keep_only, notifications=list(topology.notifications), applications=list(topology.applications)
    )
    if not topology.notifications:
        return work.Done(effects=(forget,))
    return work.Done(effects=(forget,), then=(work.tell(), *map(work.tell, topology.applications)))


def _plan(
    look: reading.Look,
    notification: kinds.Notification,
    found: Iterable[Subject],
    application: str,
    *,
    early: Collection[str],
) -> Plan:
    spec = notification.spec
    every = notices.believed(look.connection, notification.name, application=application or None)
    of_findings = bool(application)
    mine = {key: one for key, one in every.items() if (one.facts["about"] == About.FINDING.value) == of_findings}
    listed = [(subject, wanted(subject, notification, look.topology)) for subject in found]
    decision = deciding.decide(
        (subject for subject, is_wanted in listed if is_wanted),
        (subject for subject, is_wanted in listed if not is_wanted),
        mine,
        now=look.now,
        early=early,
    )
    made = grouping.group(decision.news, when=spec.when)
    if application:
        return Plan(notification=notification, decision=decision, notices=tuple(made), at=look.now)
    last = notices.reminded(look.connection, notification.name)
    reminding = deciding.remind(every.values(), last, every=spec.digest, now=look.now)
    reminder = grouping.remind(reminding.of) if "open" in spec.when else None
    return Plan(
        notification=notification,
        decision=decision,
        notices=(*made, *([reminder] if reminder else ())),
        at=look.now,
        reminding=reminding,
    )


def _carry_out(context: Telling, plan: Plan, connection: Connection) -> None:
    """Write what readers believe, keep the messages, and queue what sends them."""
    name = plan.notification.name
    notices.believe(connection, name, plan.decision.beliefs, forgotten=plan.decision.forgotten)
    if plan.reminding is not None and plan.reminding.changes:
        notices.remind(connection, name, plan.reminding.at)
    for notice in plan.notices:
        post(context, connection, plan.notification, notice, at=plan.at)


def post(
    context: Telling, connection: Connection, notification: kinds.Notification, notice: Notice, *, at: datetime
) -> list[int]:
    """Keep a notice as a message to each channel of a Notification, and queue what sends it; their numbers."""
    catalogue = context.catalogues[notification.spec.language]
    title, text = wording.text_of(notice, catalogue, url=context.url)
    body = wording.json_of(notice, catalogue, notification=notification.name, url=context.url, at=at).decode()
    message = notices.new_id()
    routes = routes_of(notification)
    outgoing = [
        notices.Message(
            message=message,
            notification=notification.name,
            channel=route.channel,
            kind=notice.kind,
            title=title,
            body=body if route.webhook else text,
            made_at=at,
        )
        for route in routes
    ]
    numbers = notices.put(connection, outgoing)
    for number, route in zip(numbers, routes, strict=True):
        context.queue.enqueue(connection, work.send(number, channel=f"{notification.name}/{route.channel}"))
    return numbers
