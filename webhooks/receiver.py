"""``POST /hooks/<name>``: let in or not, stored once, answered. Nothing else happens in the request.

What is answered: 404 for an unknown hook, 405 for another method, 403 for a network that may not post, 413 too
large, 415 not what this sender posts, 401 not believed, in this order; 202 stored; 200 stored before, or a
ping; 503 with ``Retry-After`` when it could not be stored. An authentic post is never answered with 4xx,
whatever it says: several senders switch a hook off, or block their queue, when that happens.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets as randomness
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from flask import Blueprint, Request, Response, jsonify, request
from sqlalchemy import Connection
from werkzeug.exceptions import RequestEntityTooLarge

from lockstep import crash, errors, work
from lockstep.clock import Clock
from lockstep.store import deliveries
from lockstep.store.database import Database
from lockstep.store.deliveries import Arrival
from lockstep.topology.kinds.webhook import WebhookSpec
from lockstep.topology.model import Topology
from webhooks import admission, providers, redaction
from webhooks.admission import Refusal
from webhooks.keyring import Keyring
from webhooks.tally import Tally

_log = logging.getLogger(__name__)
# When the database does not answer. A sender that waits at all waits longer than a restart of it takes.
_RETRY_AFTER_SECONDS = 10
# Two equal bodies of a sender without ids are one post when they come within this; a day apart they are two.
# Windows are fixed: two on either side of a boundary count as two, which costs one look at the source.
_WINDOW_SECONDS = 300
_SOUND_ID = re.compile(r"[\x21-\x7e]{1,200}")
_NOT_IN_A_NAME = re.compile(r"[^\x20-\x7e]")

Enqueue: TypeAlias = Callable[[Connection, work.Job], object]
"""Hands a job to the engine in the caller's transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the receiver stands on. ``topology`` gives the configuration in force at this moment."""

    database: Database
    topology: Callable[[], Topology]
    keyring: Keyring
    enqueue: Enqueue
    clock: Clock
    tally: Tally


def create_blueprint(context: Context) -> Blueprint:
    """The receiver, to be registered with an app; its paths need no session and no CSRF token."""
    blueprint = Blueprint("webhooks", __name__)
    # Of the same length of work as a real secret, and different in every process.
    nobody = (randomness.token_bytes(32),)

    @blueprint.post("/hooks/<name>", provide_automatic_options=False)
    def receive(name: str) -> Response:
        hook = context.topology().webhooks.get(name)
        spec = hook.spec if hook else admission.STRANGER
        keys = context.keyring.secrets(name, spec) if hook else nobody
        post = _let_in(request, spec, keys)
        if isinstance(post, Refusal):
            return _refuse(context, name if hook else "", post)
        return _accept(context, name, spec, post)

    blueprint.register_error_handler(errors.LockstepError, _not_now)
    return blueprint


def _let_in(incoming: Request, spec: WebhookSpec, keys: tuple[bytes, ...]) -> providers.Post | Refusal:
    refusal = admission.by_source(incoming.remote_addr, spec.sources)
    if refusal:
        return refusal
    # Werkzeug counts what it reads, so a body without Content-Length is cut off at the same place.
    incoming.max_content_length = spec.max_bytes
    try:
        body = incoming.get_data(cache=False)
    except RequestEntityTooLarge:
        return Refusal(status=413, why="it is larger than the hook allows")
    post = providers.Post(headers={name.lower(): value for name, value in incoming.headers.items()}, body=body)
    provider = providers.of(spec)
    return (
        admission.by_type(post.header("content-type"), post.header("content-encoding"), provider.content_types)
        or admission.by_signature(provider, post, keys, allow_unsigned=spec.allow_unsigned)
        or post
    )


def _refuse(context: Context, hook: str, refusal: Refusal) -> Response:
    if not hook:
        return _answer(404, {"error": "refused"})
    context.tally.refused(hook, context.clock.now(), refusal.why)
    return _answer(refusal.status, {"error": "refused"})


def _not_now(error: errors.LockstepError) -> Response:
    _log.error("A post could not be stored: %s", error)
    response = _answer(503, {"error": "not stored"})
    response.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return response


def _accept(context: Context, hook: str, spec: WebhookSpec, post: providers.Post) -> Response:
    now = context.clock.now()
    provider = providers.of(spec)
    identity = provider.identity(post)
    if identity.event in provider.pings:
        context.tally.accepted(hook, now)
        return _answer(200, {"status": "pong"})
    incoming = deliveries.Incoming(
        hook=hook,
        provider=spec.provider,
        delivery=_key(identity.delivery, post.body, now),
        event=_NOT_IN_A_NAME.sub("?", identity.event)[:100],
        headers=redaction.kept(post.headers, provider.credentials),
        body=post.body,
        received_at=now,
    )
    with context.database.write() as connection:
        number, arrival = deliveries.insert(connection, incoming)
        if arrival is not Arrival.DUPLICATE:
            context.enqueue(connection, work.process_delivery(number))
    crash.reach(crash.Point.DELIVERY_STORED)
    context.tally.accepted(hook, now)
    status = {Arrival.NEW: "accepted", Arrival.DUPLICATE: "duplicate", Arrival.REARMED: "rearmed"}[arrival]
    return _answer(202 if arrival is Arrival.NEW else 200, {"status": status, "delivery": number})


def _key(delivery: str, body: bytes, now: datetime) -> str:
    """The key of "once": the sender's id, or the body within a window (the blank keeps the two apart)."""
    if _SOUND_ID.fullmatch(delivery):
        return delivery
    return f"body {hashlib.sha256(body).hexdigest()} {int(now.timestamp()) // _WINDOW_SECONDS}"


def _answer(status: int, body: dict[str, str | int]) -> Response:
    response = jsonify(body)
    response.status_code = status
    return response
