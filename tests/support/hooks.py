"""A receiver with a few hooks, as an application that a test can post to."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Flask

from lockstep import clock, errors, settings
from lockstep.engine.queue import Queue
from lockstep.store.database import Database
from lockstep.topology.kinds import SecretRef
from tests.support import payloads, signing
from tests.support.topologies import topology
from webhooks import receiver
from webhooks.keyring import Keyring
from webhooks.tally import Tally

SECRET = "비밀 of the forge"
_KNOWN = {"FORGE": SECRET, "OLD": "old", "REGISTRY": "t0ken"}
FORGE: dict[str, Any] = {"provider": "github", "secrets": [{"env": "FORGE"}]}
TOPOLOGY = topology(
    ("Webhook", "forge", FORGE),
    ("Webhook", "gitea", {**FORGE, "provider": "gitea"}),
    ("Webhook", "registry", {"provider": "distribution", "secrets": [{"env": "REGISTRY"}]}),
    ("Webhook", "small", {**FORGE, "maxBytes": 1000}),
    ("Webhook", "far", {**FORGE, "sources": ["10.1.0.0/16"]}),
    ("Webhook", "open", {"provider": "github", "allowUnsigned": True, "sources": ["127.0.0.0/8"]}),
    ("Webhook", "rotated", {**FORGE, "secrets": [{"env": "OLD", "expires": "2000-01-01"}, {"env": "FORGE"}]}),
    ("Webhook", "half", {**FORGE, "secrets": [{"env": "GONE"}, {"env": "FORGE"}]}),
    ("Webhook", "broken", {**FORGE, "secrets": [{"env": "GONE"}]}),
)
PUSH = payloads.body("github/push-payload")


def reveal(secret: SecretRef) -> str:
    """Read one of the made-up secrets."""
    if secret.env not in _KNOWN:
        raise errors.NotFoundError(f"The environment variable {secret.env} is not set.", remedy="Set it.")
    return _KNOWN[secret.env]


def context(database: Database) -> receiver.Context:
    """What a receiver stands on."""
    system = clock.SystemClock()
    return receiver.Context(
        database=database,
        topology=lambda: TOPOLOGY,
        keyring=Keyring(reveal, system),
        enqueue=Queue(database, working=settings.Working()).enqueue,
        clock=system,
        tally=Tally(database),
    )


def app(standing: receiver.Context) -> Flask:
    """An application with nothing but the receiver."""
    made = Flask("receiver")
    made.register_blueprint(receiver.create_blueprint(standing))
    return made


def github(body: bytes = PUSH, *, secret: str = SECRET, event: str = "push", delivery: str = "") -> dict[str, str]:
    """The headers that GitHub sends with a body."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-GitHub-Event": event,
        "X-Hub-Signature-256": "sha256=" + signing.hmac_sha256(body, secret),
    }


def registry(authorization: str = "Bearer t0ken") -> dict[str, str]:
    """The headers that a registry sends."""
    return {
        "Content-Type": "application/vnd.docker.distribution.events.v2+json",
        "Authorization": authorization,
        "User-Agent": "Go-http-client/1.1",
    }


def numbered(number: int) -> bytes:
    """A body that differs from every other number's."""
    return json.dumps({"number": number}).encode()


def without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    """The same headers but one."""
    return {key: value for key, value in headers.items() if key != name}
