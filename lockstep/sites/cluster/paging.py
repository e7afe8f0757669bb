"""The pages of a list, one after the other, the next one on its way while the present one is looked at.

The next page can be asked for as soon as the present one has come: where it goes on stands at the head of a list of
a built-in kind, and at the end of one of a custom resource. That is a guess about bytes; the page says the same once
it is parsed, or what the guess brought is thrown away.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import orjson

from lockstep import errors
from lockstep.sites.cluster import api as calling
from lockstep.sites.cluster.api import Api, Call
from lockstep.sites.cluster.discovery import Resource
from lockstep.sites.cluster.transport import Answer, TooLargeError
from lockstep.values import Json

_HEAD = re.compile(rb'\{"kind":"\w+","apiVersion":"[\w./-]+","metadata":(\{[^{}]*\})')
_END = re.compile(rb',"metadata":(\{[^{}]*\})\}\s*\Z')
# A continue token is some hundred bytes long, or as long as the longest name.
_END_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Which list to ask for; ``namespace`` is ``""`` for all, ``until`` as ``time.monotonic`` tells it."""

    api: Api
    resource: Resource
    namespace: str
    until: float
    query: Mapping[str, str]


@contextlib.contextmanager
def pages(asking: Asking) -> Iterator[Iterator[dict[str, Json]]]:
    """The pages of a list, whole, as the server wrote them.

    A page is there while it is looked at, and at most one more is on its way or waits. A page that is too large is
    asked for again with fewer objects.

    Raises:
        LockstepError: A page cannot be read (while they are walked).
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="page") as ahead:
        yield _Pages(asking=asking, ahead=ahead, limit=asking.api.limits.page).walk()


def asked(asking: Asking, *, limit: int, token: str = "") -> Answer:
    """One page: so many objects, from where a token leads.

    Raises:
        TooLargeError: They are larger than what is read at once.
        LockstepError: It cannot be read.
    """
    call = Call(
        method="GET",
        segments=asking.resource.all_of(asking.namespace),
        right=asking.resource.right("list", asking.namespace),
        query={**asking.query, "limit": str(limit), **({"continue": token} if token else {})},
    )
    return asking.api.send(call, until=asking.until)


def guessed(body: bytes) -> str:
    """Where a list seems to go on, from its bytes; ``""`` when that cannot be seen. Pure."""
    found = _HEAD.match(body) or _END.search(body, max(0, len(body) - _END_BYTES))
    if found is None:
        return ""
    try:
        return _token(orjson.loads(found[1]))
    except orjson.JSONDecodeError:
        return ""


def _token(metadata: Json) -> str:
    return str(metadata.get("continue") or "") if isinstance(metadata, dict) else ""


@dataclass(slots=True, kw_only=True)
class _Pages:
    """One walk through a list."""

    asking: Asking
    ahead: ThreadPoolExecutor
    limit: int

    def walk(self) -> Iterator[dict[str, Json]]:
        answer, token = self._asked(""), ""
        while True:
            guess = guessed(answer.body)
            coming = self.ahead.submit(self._asked, guess) if guess else None
            page = calling.parsed(answer, self.asking.api.server)
            del answer
            following = _token(page.get("metadata"))
            yield page
            if not following:
                return
            if following == token:
                raise errors.FaultError(
                    f"{self.asking.api.server} leads a list of {self.asking.resource.plural} in a circle.",
                    remedy="Look whether a proxy stands before it.",
                )
            token = following
            answer = self._came(coming, guess, token)

    def _came(self, coming: Future[Answer] | None, guess: str, token: str) -> Answer:
        """The page of a token: the one that was asked for ahead, when it was this one."""
        if coming is not None and guess == token:
            return coming.result()
        if coming is not None:
            coming.cancel()
        return self._asked(token)

    def _asked(self, token: str) -> Answer:
        while True:
            try:
                return asked(self.asking, limit=self.limit, token=token)
            except TooLargeError:
                if self.limit == 1:
                    raise
                self.limit = max(1, self.limit // 8)
