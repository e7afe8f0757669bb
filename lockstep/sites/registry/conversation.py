"""One question to a registry, from asking to an answer: who we are, patience, redirects."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from lockstep import clock, errors
from lockstep.sites.http.places import Guard, Target, origin_of
from lockstep.sites.http.wire import Answer, Call, Patience, Wire
from lockstep.sites.registry import credentials, refusals, retrying, tokens
from lockstep.sites.registry.tokens import Scopes

_log = logging.getLogger(__name__)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_FEW_PULLS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: ``place`` is a path at the registry, or a place that it named itself.

    A question whose body is an iterator is asked once: it cannot be rewound. One that ``stays`` is not asked elsewhere:
    where the registry sends us to another host, that is its answer.
    """

    method: str
    place: str | Target
    scopes: Scopes
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    size: int = 0
    commits: bool = False
    stays: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it can be asked again."""
        return isinstance(self.body, bytes)


class Conversation:
    """Everything that is said to one registry. Safe to share between threads.

    Args:
        wire: Its connections.
        guard: Judges where it sends us.
        source: Reads our credential.
        clock: Tells the time, for dates in ``Retry-After``.
        pause: Waits some seconds.
    """

    def __init__(
        self,
        wire: Wire,
        guard: Guard,
        *,
        source: credentials.Source = credentials.anonymous,
        clock: clock.Clock | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.guard = guard
        self._wire = wire
        self._clock = clock or _SYSTEM
        self._pause = pause
        self._keys = tokens.Keys(source, guard=guard, send=self._patient, now=self._clock.monotonic)
        self._lock = threading.Lock()
        self._written: Counter[str] = Counter()
        self._closed_until = 0.0
        self._told = False

    @property
    def patience(self) -> Patience:
        """The bounds of this conversation."""
        return self._wire.patience

    @contextlib.contextmanager
    def ask(self, question: Question) -> Iterator[Answer]:
        """Ask, and give the answer, whatever its status, to be read while the block lasts.

        Raises:
            UnreachableError: Nobody answers.
            ThrottledError: It asks us to wait for longer than this run can.
            UnauthorisedError: No token is given.
            RefusedError: It sends us where we do not go.
        """
        if self._written:
            question = replace(question, scopes=tokens.writing(question.scopes, self._written))
        header = self._keys.header(question.scopes)
        with self._following(question, header) as answer:
            # Who we are is for the registry to ask: what a storage wants to know is not told it.
            if answer.status != 401 or origin_of(answer.url) != self.guard.home:
                yield answer
                return
            again = self._keys.learn(answer, question.scopes, refused=header) and question.repeatable
            renewed = self._keys.header(question.scopes) if again else ""
            if not renewed:
                yield answer
                return
        with self._following(question, renewed) as answer:
            yield answer

    @contextlib.contextmanager
    def writing(self, repository: str) -> Iterator[None]:
        """While the block lasts, ask about a repository as one who writes to it.

        To whoever may only read, Quay and Docker Hub deny a repository that is not there yet; Quay makes it for whoever
        asks for a token to write.
        """
        with self._lock:
            self._written[repository] += 1
        try:
            yield
        finally:
            with self._lock:
                self._written -= Counter({repository: 1})

    def target(self, path: str) -> Target:
        """A path at the registry itself."""
        return Target(url=f"{self.guard.home}{path}", origin=self.guard.home)

    @contextlib.contextmanager
    def _following(self, question: Question, authorization: str) -> Iterator[Answer]:
        """Ask, and go where the answer sends us. The credential stays with the registry."""
        target = question.place if isinstance(question.place, Target) else self.target(question.place)
        first, seen = target, {target.url}
        while True:
            headers = dict(question.headers)
            if authorization and target.origin == self.guard.home:
                headers["Authorization"] = authorization
            if target.origin != first.origin:
                headers.pop("Cookie", None)
            call = Call(
                method=question.method,
                target=target,
                headers=headers,
                body=question.body,
                size=question.size,
                commits=question.commits,
            )
            with self._patient(call) if question.repeatable else self._once(call) as answer:
                if not question.repeatable and (wait := self._wait_of(answer, call)):
                    self._pause(wait)  # whoever goes on with what was begun comes when it was asked to
                location = answer.header("Location") if answer.status in _REDIRECTS and question.repeatable else ""
                if not location or (question.stays and not self.guard.is_home(location, at=target.url)):
                    yield answer
                    return
                target = self.guard.judge(location, at=target.url)
            if target.url in seen or len(seen) > _MOST_REDIRECTS:
                raise errors.RefusedError(
                    f"{self.guard.home} sends us round in circles.", remedy="Check its address and its proxies."
                )
            seen.add(target.url)

    @contextlib.contextmanager
    def _patient(self, call: Call) -> Iterator[Answer]:
        """Send, and send again when the other side says "not now" or says nothing."""
        pause = self.patience.pause_seconds
        for tries_left in reversed(range(self.patience.tries)):
            with contextlib.ExitStack() as held:
                try:
                    answer = held.enter_context(self._once(call))
                except errors.UnreachableError:
                    if not tries_left:
                        raise
                else:
                    if answer.status not in retrying.AGAIN or not tries_left:
                        yield answer
                        return
                    pause = self._wait_of(answer, call) or pause
            self._pause(pause)
            pause *= 2

    def _wait_of(self, answer: Answer, call: Call) -> float:
        """How long an answer asks us to wait; 0 when it does not say.

        Raises:
            ThrottledError: For longer than this run can.
        """
        if answer.status not in retrying.THROTTLED:
            return 0.0
        wait = retrying.wait_of(answer.header, self._clock.now())
        if wait is None:
            return 0.0
        if wait > self.patience.most_pause_seconds:
            if call.target.origin == self.guard.home:  # its storage, or a page that it sent us to, is not the registry
                with self._lock:
                    self._closed_until = self._clock.monotonic() + wait
            raise self._throttled(call, wait)
        return wait

    @contextlib.contextmanager
    def _once(self, call: Call) -> Iterator[Answer]:
        left = self._closed_until - self._clock.monotonic()
        if left > 0 and call.target.origin == self.guard.home:
            raise self._throttled(call, left)
        sent: AbstractContextManager[Answer] = self._wire.send(call)
        with sent as answer:
            self._note_quota(answer)
            yield answer

    def _note_quota(self, answer: Answer) -> None:
        left = retrying.remaining(answer.header)
        if left is not None and left <= _FEW_PULLS and not self._told:
            self._told = True
            _log.warning("%s lets us pull only %d times more for now.", self.guard.home, left)

    def _throttled(self, call: Call, wait: float) -> errors.ThrottledError:
        return errors.ThrottledError(
            f"{call.target.origin} asks us to wait {wait:.0f} seconds.",
            remedy="It is tried again then; with credentials its limits may be wider.",
            wait_seconds=wait,
        )


_SYSTEM = clock.SystemClock()


def require(answer: Answer, *statuses: int, what: str) -> None:
    """Raise what an answer means, unless it has one of these statuses."""
    if answer.status not in statuses:
        raise refusals.refusal(answer, what)
