"""Calls of the door to a scripted server."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lockstep import clock, errors
from lockstep.sites.cluster.access import Access
from lockstep.sites.cluster.api import Api, Call
from lockstep.sites.cluster.limits import Limits
from lockstep.values import Json
from tests.support import scripted

RIGHT = errors.Right(verb="get", resource="configmaps", namespace="pay", name="settings")
CALL = Call(method="GET", segments=("api", "v1", "namespaces", "pay", "configmaps", "settings"), right=RIGHT)


@dataclass(slots=True)
class Source:
    """Gives access without TLS, with another token each time."""

    url: str
    tokens: Iterator[int] = field(default_factory=itertools.count)

    def open(self) -> Access:
        """The next access."""
        return Access(server=self.url, tls=None, headers=(("Authorization", f"Bearer t{next(self.tokens)}"),))


def api(server: scripted.Scripted, *, waits: list[float] | None = None, **limits: Any) -> Api:
    """Calls to a server; waits are noted, and not waited."""
    noted = [] if waits is None else waits
    return Api(Source(server.url), Limits(**limits), clock=clock.SystemClock(), wait=noted.append)


def after(times: int, first: scripted.Reply, then: Callable[[], scripted.Reply]) -> scripted.Script:
    """Answer so often like this, and from then on like that."""
    count = itertools.count()
    return lambda _: first if next(count) < times else then()


def config() -> scripted.Reply:
    """The object that is asked for."""
    metadata = {"name": "settings", "namespace": "pay"}
    return scripted.said({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})


def status(code: int, message: str = "", **more: Json) -> dict[str, Json]:
    """A ``Status`` as a server writes it."""
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message, **more}
