"""The thread that keeps one list true: a list, and a watch that goes on from it, or the list again and again.

Source: documentation of Kubernetes, "Efficient detection of changes". Bookmarks keep the place of a watch while nothing
changes; when the place is gone (410) everything is listed anew. Where a server lets us list and not watch, or has
no watch for a kind, it is listed on a schedule.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import orjson

from lockstep import errors
from lockstep.sites.cluster import listing, refusals
from lockstep.sites.cluster.api import Api, Call
from lockstep.sites.cluster.kept import Kept
from lockstep.values import Json

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 60.0
_SPARE_SECONDS = 15.0
# A watch that held for this long was a good one: the next pause is a short one again.
_STEADY_SECONDS = 10.0


class _UnwatchableError(Exception):
    """What was just listed cannot be watched."""


@dataclass(slots=True, kw_only=True)
class Follower:
    """The thread that keeps one list true."""

    api: Api
    kept: Kept
    _stop: threading.Event = field(default_factory=threading.Event)
    _cut: Callable[[], None] | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; once it has been ended, it ends at once."""
        name = f"watch-{self.kept.resource.plural}-{self.kept.namespace}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let the thread end, and wake it when it waits for the server."""
        self._stop.set()
        cut = self._cut
        if cut is not None:
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                cut()

    def join(self, seconds: float) -> None:
        """Wait so long for the thread; when a server does not answer, it ends by itself later."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            began = time.monotonic()
            seconds = pause
            try:
                self._turn()
            except refusals.ExpiredError:
                self.kept.place = ""
            except _UnwatchableError:
                self.kept.place = ""
                seconds = min(self.api.limits.relist_seconds, self.api.limits.stale_seconds / 2)
            except errors.LockstepError as error:
                self.kept.failed(error)
            if time.monotonic() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE
            # Nobody comes back at once, and nobody at the same moment as all the others.
            self._stop.wait(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - it spreads tries
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _turn(self) -> None:
        """List when there is no place to go on from, then watch until the server ends it.

        Raises:
            _UnwatchableError: It was listed, and cannot be watched.
            LockstepError: Anything else.
        """
        if not self.kept.place:
            until = time.monotonic() + self.api.limits.read_seconds
            listed = listing.walk(self.api, self.kept.resource, self.kept.namespace, until=until)
            self.kept.begin(listed, self.api.clock.now(), patience=self.api.limits.stale_seconds)
        if "watch" not in self.kept.resource.verbs:
            self.kept.is_listed = True
            raise _UnwatchableError
        try:
            self._watch()
        except (errors.ForbiddenError, errors.NotServedError) as error:
            # A right that is given later is found out: each list is followed by another try.
            self.kept.is_listed = True
            raise _UnwatchableError from error

    def _watch(self) -> None:
        now = self.api.clock.now
        longest = self.api.limits.watch_seconds + _SPARE_SECONDS
        until = time.monotonic() + longest
        with self.api.opened(self._call(), until=until, silence_seconds=longest) as opened:
            self._cut = opened.cut
            if self._stop.is_set():
                return
            self.kept.is_listed = False
            self.kept.heard(now())
            for event in _events(opened.pieces, most_bytes=self.api.limits.most_bytes):
                if self._stop.is_set():
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
