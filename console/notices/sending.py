"""The job that sends one message over one channel, again and again until it is taken or nobody cares any more.

A channel that fails is left alone for a while, longer each time; what waits for it waits together, and the other
channels go on. A message has the same id in every attempt: a receiver that got it twice can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from console.notices.routes import Route, routes_of
from lockstep import crash, errors, work
from lockstep.clock import Clock
from lockstep.sites import channels
from lockstep.sites.channels import chat
from lockstep.store import notices
from lockstep.store.database import Database
from lockstep.topology import kinds
from lockstep.topology.model import Topology

# After the first, second, ... attempt that failed in a row; after that as after the last of them. Seconds.
_WAITS = (10.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0)
# As long as Standard Webhooks recommends to try ("Retry schedule"): after that it is no news.
_PATIENCE = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What sending stands on; ``read`` gives a secret as text."""

    database: Database
    topology: Callable[[], Topology]
    read: Callable[[kinds.SecretRef], str] = field(repr=False)
    clock: Clock


def handle_send(context: Sending, claim: work.Claim) -> work.Outcome:
    """Send a message: ``{"message": number}``."""
    with context.database.read() as connection:
        message = notices.get(connection, int(claim.payload["message"]))
        known = notices.channel(connection, message.notification, message.channel)
    now = context.clock.now()
    if message.state != notices.WAITING:
        return work.Done()
    if known.next_at is not None and known.next_at > now:
        return work.Later(seconds=(known.next_at - now).total_seconds(), reason=known.problem)
    route = _route(context.topology(), message)
    if route is None:
        problem = "The configuration has no such channel any more."
        return work.Done(effects=(partial(notices.failed, message=message, at=now, problem=problem, again=None),))
    try:
        deliver(route, message, read=context.read, at=now)
    except errors.LockstepError as error:
        return _failed(context, message, error)
    crash.reach(crash.Point.MESSAGE_SENT)
    return work.Done(effects=(partial(notices.sent, message=message, at=context.clock.now()),))


def deliver(route: Route, message: notices.Listed, *, read: Callable[[kinds.SecretRef], str], at: datetime) -> None:
    """Hand a message to its channel once. Raises LockstepError, which never says the URL."""
    if route.webhook is not None:
        channels.Receiver(
            url=read(route.webhook.url),
            keys=[channels.key_of(read(ref)) for ref in route.webhook.secrets],
            allow_private=route.webhook.allow_private,
        ).send(channels.Message(id=message.message, timestamp=int(at.timestamp()), body=message.body.encode()))
    elif route.apprise is not None:
        chat.Chat(url=read(route.apprise)).send(title=message.title, body=message.body)


def wait_after(attempts: int, error: errors.LockstepError) -> float:
    """Seconds until a channel is tried again after so many failures in a row, this one included."""
    wait = _WAITS[min(max(attempts, 1), len(_WAITS)) - 1]
    if isinstance(error, errors.ThrottledError):
        wait = max(wait, min(error.wait_seconds, _WAITS[-1]))
    return wait


def _failed(context: Sending, message: notices.Listed, error: errors.LockstepError) -> work.Outcome:
    now, problem = context.clock.now(), str(error)
    # What was refused for good, and what nobody took for days.
    over = isinstance(error, errors.RefusedError) or now - message.made_at >= _PATIENCE
    wait = wait_after(message.attempts + 1, error)
    again = None if over else now + timedelta(seconds=wait)
    effect = partial(notices.failed, message=message, at=now, problem=problem, again=again)
    if over:
        return work.Done(effects=(effect,))
    return work.Later(seconds=wait, reason=problem, effects=(effect,))


def _route(topology: Topology, message: notices.Listed) -> Route | None:
    found = topology.notifications.get(message.notification)
    routes = routes_of(found) if found else []
    return next((route for route in routes if route.channel == message.channel), None)
