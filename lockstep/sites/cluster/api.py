"""Calls to one API server: who we are, how many at once, how often, how long."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

import orjson

from lockstep import clock, errors
from lockstep.sites.cluster import moments, pacing, parsing, refusals
from lockstep.sites.cluster.access import Access, Source
from lockstep.sites.cluster.limits import Limits
from lockstep.sites.cluster.transport import Answer, CutError, Opened, Request, Transport
from lockstep.sites.http import dates
from lockstep.values import Json

_FIRST_WAIT = 0.1
_LONGEST_WAIT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One thing to ask. ``segments`` make the path; ``right`` is what the server has to allow for it."""

    method: str
    segments: tuple[str, ...]
    right: errors.Right
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    packed: bool = True
    """Whether the answer may come packed, which a slow line thanks."""

    @property
    def request(self) -> Request:
        """The call as it goes over the line. Raises InputError."""
        path = "/".join(_segment(one) for one in self.segments)
        query = f"?{urlencode(self.query)}" if self.query else ""
        encoding = "gzip" if self.packed else "identity"
        headers = [("Accept", self.accept), ("Accept-Encoding", encoding), ("User-Agent", "lockstep")]
        if self.body is not None:
            headers.append(("Content-Type", self.content_type))
        return Request(method=self.method, target=f"/{path}{query}", body=self.body, headers=tuple(headers))


def _segment(text: str) -> str:
    """A part of a path, which cannot become another one (API machinery, ``IsValidPathSegmentName``).

    Raises:
        InputError: It cannot be a name.
    """
    if text in ("", ".", "..") or "/" in text or "%" in text:
        raise errors.InputError(f"{text!a} cannot be a name in Kubernetes.", remedy="Names have no '/' and no '%'.")
    return quote(text, safe="")


class Api:
    """One API server. Safe to share between threads.

    Args:
        source: Says where it is and who we are, again whenever that ends.
        limits: How long and how much.
        clock: Tells the time.
        wait: Waits some seconds before a request or its next try.
    """

    def __init__(
        self,
        source: Source,
        limits: Limits,
        *,
        clock: clock.Clock,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.limits = limits
        self.clock = clock
        self._source = source
        self._wait = wait
        self._turn = threading.BoundedSemaphore(limits.at_once)
        self._pace = pacing.Pace(limits.requests_per_second)
        self._opening = threading.Lock()
        self._newest: defaultdict[tuple[str, ...], moments.Newest] = defaultdict(moments.Newest)
        self._skew: float | None = None
        self._access: Access | None = None
        self._transport: Transport | None = None

    @property
    def server(self) -> str:
        """The server's URL, as far as it is known without asking anybody. Raises LockstepError."""
        return self._line()[0].server

    @property
    def skew_seconds(self) -> float | None:
        """How far the server's clock was ahead of ours when it answered last; None when it has not said."""
        return self._skew

    def newest(self, *about: str) -> moments.Newest:
        """The newest moment that answers about something were of."""
        with self._opening:
            return self._newest[about]

    def json(self, call: Call, *, until: float | None = None) -> dict[str, Json]:
        """The JSON object that a call is answered with. Raises what ``send`` does."""
        return parsed(self.send(call, until=until), self.server)

    def send(self, call: Call, *, until: float | None = None) -> Answer:
        """Make a call, as often as it takes within its limits.

        What is asked can be asked twice: what is not there can be deleted, and what is applied applied.

        Args:
            call: What to ask.
            until: When it must be over, as ``time.monotonic`` tells it; the limits of a call by default.

        Raises:
            UnreachableError, UnauthorisedError, ForbiddenError, NotServedError, NotFoundError, ConflictError,
            OwnedError, InputError, ThrottledError, FaultError: As ``refusals`` says.
        """
        end = min(time.monotonic() + self.limits.call_seconds, until or float("inf"))
        request = call.request
        renewed = False
        tried = 0
        while True:
            tried += 1
            access, transport = self._line()
            try:
                return self._once(transport, access, request, call.right, end)
            except errors.UnauthorisedError:
                # The credentials may have been renewed since they were read: look once, not again and again.
                if renewed:
                    raise
                renewed = True
                self._forget(access)
            except (CutError, errors.ThrottledError, errors.FaultError) as error:
                seconds = _pause(error, tried)
                if tried >= self.limits.tries or time.monotonic() + seconds >= end:
                    raise
                self._wait(seconds)

    @contextlib.contextmanager
    def opened(self, call: Call, *, until: float, silence_seconds: float) -> Iterator[Opened]:
        """A call whose answer comes bit by bit; it takes no turn, and is tried once.

        Raises what ``send`` does, while the pieces are read too.
        """
        access, transport = self._line()
        asked = refusals.Asked(server=access.server, right=call.right)
        request = _signed(call.request, access)
        self._keep_pace(access, until)
        with transport.opened(request, until=until, silence_seconds=silence_seconds) as opened:
            if opened.answer.status != 200:
                if opened.answer.status == 401:
                    self._forget(access)
                whole = replace(opened.answer, body=next(opened.pieces, b""))
                raise refusals.error_of(whole, asked, now=self.clock.now())
            yield opened

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._opening:
            self._access = None
            if self._transport is not None:
                self._transport.close()
                self._transport = None

    def _once(self, transport: Transport, access: Access, request: Request, right: errors.Right, end: float) -> Answer:
        self._keep_pace(access, end)
        if not self._turn.acquire(timeout=max(0.0, end - time.monotonic())):
            raise errors.UnreachableError(
                f"{access.server} is so slow that no turn came.", remedy="Look whether the site and the line are up."
            )
        try:
            answer = transport.send(_signed(request, access), until=end)
        finally:
            self._turn.release()
        now = self.clock.now()
        told = dates.moment(answer.headers.get("date", ""))
        if told is not None:
            self._skew = (told - now).total_seconds()
        refusals.check(answer, refusals.Asked(server=access.server, right=right), now=told or now)
        return answer

    def _keep_pace(self, access: Access, end: float) -> None:
        seconds = self._pace.turn(time.monotonic(), until=end)
        if seconds is None:
            raise errors.UnreachableError(
                f"So many requests to {access.server} wait that no turn came.",
                remedy="Raise limits.requestsPerSecond of the site's cluster, or its timeout.",
            )
        if seconds:
            self._wait(seconds)

    def _line(self) -> tuple[Access, Transport]:
        """Who we are now, and the connections; both are kept as long as they are true."""
        with self._opening:
            access, transport = self._access, self._transport
            if access is None or (access.until is not None and access.until <= self.clock.now()):
                access = self._source.open()
            if transport is None or not transport.leads_to(access):
                transport = Transport(access, self.limits)
            self._access, self._transport = access, transport
            return access, transport

    def _forget(self, access: Access) -> None:
        with self._opening:
            if self._access is access:
                self._access = None


def _signed(request: Request, access: Access) -> Request:
    return replace(request, headers=(*request.headers, *access.headers))


def _pause(error: errors.LockstepError, tried: int) -> float:
    """Seconds before the next try: what the server asks for, or longer each time; never the same for all."""
    if isinstance(error, CutError) and tried == 1:
        return 0.0  # most often a connection that the server had closed while nobody used it
    told = error.wait_seconds if isinstance(error, errors.ThrottledError) else 0.0
    longest: float = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**tried)
    return told + longest * random.uniform(0.5, 1.0)  # noqa: S311 - it spreads tries, and guards nothing


def parsed(answer: Answer, server: str) -> dict[str, Json]:
    """The JSON object of an answer.

    Raises:
        UnreachableError: It is none: something else than a Kubernetes API answers there.
    """
    try:
        content = parsing.loads(answer.body)
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        told = refusals.line(answer.headers.get("content-type", "without a content type"))
        raise errors.UnreachableError(
            f"What answers at {server} is no Kubernetes API ({told}).",
            remedy="Look whether a proxy or a login page stands before it.",
        )
    return content
