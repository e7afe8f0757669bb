"""Watches: what has changed since a revision, then what changes, with bookmarks; an error when that is too old."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from tests.support.kubernetes_double import requests, statuses, versions
from tests.support.kubernetes_double.reading import Chosen
from tests.support.kubernetes_double.requests import Request
from tests.support.kubernetes_double.storage import Change, Store, TooOldError
from tests.support.kubernetes_double.types import Object

_CHANGES = {"ADDED", "MODIFIED", "DELETED"}
_LONGEST = 1800.0  # seconds that a watch lasts when nothing is said
_PULSE = 0.25  # seconds after which a watch looks whether it is to end


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How watches go. A real server sends a bookmark about once a minute; nobody wants to wait for it in a test."""

    bookmark_seconds: float = 1.0
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when the server ends: every watch ends with it."""


def events(store: Store, request: Request, what: Chosen, pace: Pace) -> Iterator[bytes]:
    """The lines of a watch, until its time is over."""
    for kind, body in _events(store, request, what, pace):
        shown = versions.shown(body, what.resource) if kind in _CHANGES else body
        shown = requests.partial(shown) if _wants_partial(request) and kind in _CHANGES else shown
        yield orjson.dumps({"type": kind, "object": shown}) + b"\n"


def _wants_partial(request: Request) -> bool:
    return "as=PartialObjectMetadata" in request.headers.get("accept", "")


def _events(store: Store, request: Request, what: Chosen, pace: Pace) -> Iterator[tuple[str, Object]]:
    marks = request.flag("allowWatchBookmarks")
    initial = request.query.get("sendInitialEvents") == "true"
    given = request.query.get("resourceVersion", "")
    newest = initial or given in {"", "0"}
    with store.lock:
        revision = store.revision if newest else int(given)
        wanted = initial or (newest and "sendInitialEvents" not in request.query)
        present = list(store.listed(what.resource.bucket, prefix=what.prefix)) if wanted else []
    yield from (("ADDED", one) for _, one in present if what.test(one))
    if initial and marks:
        yield "BOOKMARK", _bookmark(what, revision, ended=True)
    until = time.monotonic() + float(request.query.get("timeoutSeconds") or _LONGEST)
    marked = time.monotonic()
    while time.monotonic() < until and not pace.ended.is_set():
        try:
            changes = _waited(store, revision, until)
        except TooOldError:
            yield "ERROR", statuses.expired(f"too old resource version: {revision} ({store.oldest})").body
            return
        yield from _seen(changes, what)
        revision = max([revision, *(change.revision for change in changes)])
        if marks and time.monotonic() - marked >= pace.bookmark_seconds:
            marked = time.monotonic()
            yield "BOOKMARK", _bookmark(what, revision)
    if marks:
        yield "BOOKMARK", _bookmark(what, revision)


def _waited(store: Store, revision: int, until: float) -> list[Change]:
    """What was written after a revision, waiting a moment for it."""
    with store.changed:
        if store.revision == revision:
            store.changed.wait(max(0.0, min(_PULSE, until - time.monotonic())))
        return store.since(revision)


def _seen(changes: list[Change], what: Chosen) -> Iterator[tuple[str, Object]]:
    """Changes as somebody sees them who only sees what is chosen."""
    for change in changes:
        if change.bucket != what.resource.bucket or not change.key.startswith(what.prefix):
            continue
        before = change.old is not None and what.test(change.old)
        after = change.new is not None and what.test(change.new)
        if after:
            yield ("MODIFIED" if before else "ADDED"), change.seen
        elif change.old is not None and before:
            metadata = change.old["metadata"] | {"resourceVersion": str(change.revision)}
            yield "DELETED", change.old | {"metadata": metadata}


def _bookmark(what: Chosen, revision: int, *, ended: bool = False) -> Object:
    metadata: Object = {"resourceVersion": str(revision)}
    if ended:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return {"kind": what.resource.kind, "apiVersion": what.resource.api_version, "metadata": metadata}
