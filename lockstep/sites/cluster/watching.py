"""Being told what changes: lists that are kept true by a watch, and that say how old they are.

Source: documentation of Kubernetes, "Efficient detection of changes". One list and one watch for each kind and
namespace; bookmarks keep its place while nothing changes; when the place is gone (410) it is listed anew. A watch
that has been silent beyond its deadline is stale, and what it was about is unknown: an old truth is none.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from lockstep import errors
from lockstep.sites.cluster import listing, refusals
from lockstep.sites.cluster.api import Api, Call
from lockstep.sites.cluster.discovery import Resource, Served
from lockstep.sites.ends import Gap, Inventory, Selection
from lockstep.values import Json, ObjectKey

_METHOD = "watch"
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 60.0
_SPARE_SECONDS = 15.0
# A watch that held for this long was a good one: the next pause is a short one again.
_STEADY_SECONDS = 10.0
_FAREWELL_SECONDS = 5.0


@dataclass(slots=True, kw_only=True)
class Changes:
    """What changed, for one who waits for it."""

    _keys: set[ObjectKey] = field(default_factory=set)
    _some: threading.Condition = field(default_factory=threading.Condition)

    def add(self, *keys: ObjectKey) -> None:
        """Tell of changes."""
        with self._some:
            self._keys.update(keys)
            self._some.notify_all()

    def take(self, seconds: float) -> frozenset[ObjectKey]:
        """What was told since the last time; waits some seconds for a first one."""
        with self._some:
            self._some.wait_for(lambda: bool(self._keys), timeout=seconds)
            taken, self._keys = frozenset(self._keys), set()
        return taken


@dataclass(slots=True, kw_only=True)
class Kept:
    """What is known of one kind in one namespace, and how old that is. Safe to share between threads.

    ``tell`` hears what changes.
    """

    resource: Resource
    namespace: str
    tell: Callable[..., None]
    place: str = ""
    problem: str = "it has not been listed yet."
    spoke_at: float = float("-inf")
    heard_at: datetime | None = None
    _objects: dict[ObjectKey, dict[str, Json]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, listed: listing.Listed, now: datetime) -> None:
        """Take a whole list, which replaces whatever was known."""
        fresh = {ObjectKey.of(one): one for one in listed.objects if isinstance(one["metadata"].get("name"), str)}
        with self._lock:
            old, self._objects = self._objects, fresh
            self.place = listed.resource_version
        self.heard(now)
        gone_or_new = old.keys() ^ fresh.keys()
        self.tell(*gone_or_new, *(key for key in old.keys() & fresh.keys() if old[key] != fresh[key]))

    def heard(self, now: datetime) -> None:
        """Note that the server has spoken."""
        with self._lock:
            self.spoke_at, self.heard_at, self.problem = time.monotonic(), now, ""

    def event(self, event: dict[str, Json], now: datetime) -> None:
        """Take one event of a watch.

        Raises:
            FaultError: It is none.
        """
        kind, given = event.get("type"), event.get("object")
        metadata = given.get("metadata") if isinstance(given, dict) else None
        if not isinstance(metadata, dict):
            raise errors.FaultError("A watch told of something that is no object.")
        if kind in ("ADDED", "MODIFIED", "DELETED"):
            (manifest,) = listing.whole([given], self.resource)
            key = ObjectKey.of(manifest)
            with self._lock:
                if kind == "DELETED":
                    self._objects.pop(key, None)
                else:
                    self._objects[key] = manifest
            self.tell(key)
        elif kind != "BOOKMARK":
            raise errors.FaultError(f"A watch told of {refusals.line(kind)}, which nobody knows.")
        self.place = str(metadata.get("resourceVersion") or self.place)
        self.heard(now)

    def get(self, key: ObjectKey) -> dict[str, Json] | None:
        """One object as it was heard of last."""
        with self._lock:
            return self._objects.get(key)

    def failed(self, error: errors.LockstepError) -> None:
        """Note why nothing is heard."""
        with self._lock:
            self.problem = str(error)

    def known(self, *, stale_seconds: float) -> tuple[list[dict[str, Json]], Gap | None]:
        """The objects, or the gap that is there instead."""
        with self._lock:
            age = time.monotonic() - self.spoke_at
            if age <= stale_seconds:
                return list(self._objects.values()), None
            why = self.problem or f"its watch has been silent for {age:.0f} s."
        where = f" in {self.namespace}" if self.namespace else ""
        return [], Gap(
            what=f"{self.resource.plural}{where}",
            why=why,
            group=self.resource.group,
            kind=self.resource.kind,
            namespace=self.resource.gap_of(self.namespace),
        )


class Watching:
    """Everything that a selection covers, kept true by watches.

    Args:
        api: The server.
        served: What it serves.
        selection: What to watch; named objects without a namespace are not watched.
    """

    def __init__(self, api: Api, served: Served, selection: Selection) -> None:
        self._api = api
        self._served = served
        self._selection = selection
        self._changes = Changes()
        self._stop = threading.Event()
        kept = [
            Kept(resource=resource, namespace=namespace, tell=self._changes.add)
            for resource, namespace in _targets(served, selection)
        ]
        if len(kept) > api.limits.most_watches:
            raise errors.UnsupportedError(
                f"{len(kept)} kinds and namespaces cannot be watched at once.", remedy="Watch fewer, or read them."
            )
        self._by_kind: dict[tuple[str, str], list[Kept]] = {}
        for one in kept:
            self._by_kind.setdefault((one.resource.group, one.resource.kind), []).append(one)
        self._runners = [_Runner(api=api, kept=one, stop=self._stop) for one in kept]

    def inventory(self) -> Inventory:
        """What is there as far as is known now; a kind that has been silent for too long is a gap."""
        objects: list[dict[str, Json]] = []
        gaps = list(self._served.gaps)
        heard: list[datetime] = []
        for runner in self._runners:
            found, gap = runner.kept.known(stale_seconds=self._api.limits.stale_seconds)
            objects += found
            gaps += [gap] if gap else []
            heard += [runner.kept.heard_at] if runner.kept.heard_at and gap is None else []
        read_at = min(heard, default=self._api.clock.now())
        return Inventory(objects=tuple(objects), read_at=read_at, method=_METHOD, gaps=tuple(sorted(set(gaps))))

    def objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, dict[str, Json] | None]:
        """Some objects as they are known now; None for one that is not there, or that nobody knows of."""
        return {key: self._object(key) for key in keys}

    def _object(self, key: ObjectKey) -> dict[str, Json] | None:
        lists = self._by_kind.get((key.group, key.kind), ())
        return next((found for one in lists if (found := one.get(key)) is not None), None)

    def changed(self, *, seconds: float) -> frozenset[ObjectKey]:
        """What has changed since this was asked last; waits some seconds for a first change."""
        return self._changes.take(seconds)

    @contextlib.contextmanager
    def running(self) -> Iterator[Watching]:
        """Watch until the block ends."""
        for runner in self._runners:
            runner.start()
        try:
            yield self
        finally:
            self._stop.set()
            for runner in self._runners:
                runner.cut()
            for runner in self._runners:
                runner.join()


def _targets(served: Served, selection: Selection) -> Iterator[tuple[Resource, str]]:
    for resource in served.kinds(selection.versions):
        if not {"list", "watch"} <= resource.verbs or not selection.has_kind(resource.group, resource.kind):
            continue
        if resource.namespaced and selection.namespaces is not None:
            yield from ((resource, namespace) for namespace in sorted(selection.namespaces))
        elif resource.namespaced or selection.cluster_scoped is None:
            yield resource, ""


@dataclass(slots=True, kw_only=True)
class _Runner:
    """The thread that keeps one list true."""

    api: Api
    kept: Kept
    stop: threading.Event
    _cut: Callable[[], None] | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        name = f"watch-{self.kept.resource.plural}-{self.kept.namespace}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Wake the thread when it waits for the server."""
        cut = self._cut
        if cut is not None:
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                cut()

    def join(self) -> None:
        """Wait for the thread, though not for a server that does not answer: it ends by itself then."""
        if self._thread is not None:
            self._thread.join(_FAREWELL_SECONDS)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self.stop.is_set():
            began = time.monotonic()
            try:
                self._turn()
            except refusals.ExpiredError:
                self.kept.place = ""
            except errors.LockstepError as error:
                self.kept.failed(error)
            if time.monotonic() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE
            # Nobody comes back at once, and nobody at the same moment as all the others.
            self.stop.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - it spreads tries
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _turn(self) -> None:
        """List when there is no place to go on from, then watch until the server ends it."""
        now = self.api.clock.now
        if not self.kept.place:
            until = time.monotonic() + self.api.limits.read_seconds
            self.kept.begin(listing.walk(self.api, self.kept.resource, self.kept.namespace, until=until), now())
        until = time.monotonic() + self.api.limits.watch_seconds + _SPARE_SECONDS
        with self.api.opened(
            self._call(), until=until, silence_seconds=self.api.limits.watch_seconds + _SPARE_SECONDS
        ) as opened:
            self._cut = opened.cut
            if self.stop.is_set():
                return
            self.kept.heard(now())
            for event in _events(opened.pieces, most_bytes=self.api.limits.most_bytes):
                if self.stop.is_set():
                    return
                if event.get("type") == "ERROR":
                    status = event.get("object")
                    asked = refusals.Asked(server=self.api.server, right=self._call().right)
                    raise refusals.of_status(status if isinstance(status, dict) else {}, asked, now=now())
                self.kept.event(event, now())
        self.kept.heard(now())

    def _call(self) -> Call:
        resource, namespace = self.kept.resource, self.kept.namespace
        return Call(
            method="GET",
            segments=resource.all_of(namespace),
            right=resource.right("watch", namespace),
            query={
                "watch": "1",
                "resourceVersion": self.kept.place,
                "allowWatchBookmarks": "true",
                "timeoutSeconds": str(round(self.api.limits.watch_seconds)),
            },
            packed=False,
        )


def _events(pieces: Iterator[bytes], *, most_bytes: int) -> Iterator[dict[str, Json]]:
    """The events of a watch: one JSON object a line."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > most_bytes:
            raise errors.FaultError("A watch told of an object that has no end.")
        for one in lines:
            if one.strip():
                yield _event(one)
    if rest.strip():
        yield _event(rest)


def _event(text: bytes) -> dict[str, Json]:
    try:
        event = orjson.loads(text)
    except orjson.JSONDecodeError:
        event = None
    if not isinstance(event, dict):
        raise errors.FaultError("A watch told of something that is no JSON object.")
    return event
