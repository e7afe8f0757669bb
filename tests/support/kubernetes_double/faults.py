"""What a test makes go wrong: slow answers, refusals, and connections that break."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.kubernetes_double import statuses
from tests.support.kubernetes_double.requests import Request
from tests.support.kubernetes_double.statuses import RefusedError

Meant = Callable[[Request], bool]


@dataclass(slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong with the requests that are meant."""

    meant: Meant = field(default=lambda _: True)
    left: int | None = None
    """How many times more; None for always."""
    share: float = 1.0
    """How many of the requests that are meant it hits, between 0 and 1."""
    delay: float = 0.0
    """Seconds until the answer begins."""
    longest: float = 0.0
    """Where it is more than the delay, the answer begins anywhere between the two, most often soon."""
    refusal: RefusedError | None = None
    broken: bool = False
    """Whether the connection ends without an answer."""
    reset: bool = False
    """Whether it ends as when the line is cut: by a reset."""


class BrokenError(Exception):
    """This connection is to end without an answer."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__(reset)
        self.reset = reset


class Faults:
    """The faults that are set, each looked at for every request, in order. Chances come from a seed."""

    def __init__(self, *, seed: int = 0) -> None:
        self._chances = random.Random(seed)  # noqa: S311 - chances of a test, not of a secret
        self._lock = threading.Lock()
        self._set: list[Fault] = []
        self._ended = threading.Event()

    def add(self, fault: Fault) -> Fault:
        """Set a fault."""
        with self._lock:
            self._set.append(fault)
        return fault

    def throttle(
        self, *, seconds: int = 1, times: int | None = None, share: float = 1.0, meant: Meant | None = None
    ) -> Fault:
        """Answer 429 with Retry-After."""
        return self.add(Fault(refusal=statuses.too_many(seconds), left=times, share=share, meant=meant or _any))

    def fail(self, *, times: int | None = None, share: float = 1.0, meant: Meant | None = None) -> Fault:
        """Answer 500, as when etcd is without a leader."""
        body = statuses.status(500, "InternalError", "Internal error occurred: etcdserver: leader changed", details={})
        return self.add(Fault(refusal=RefusedError(body), left=times, share=share, meant=meant or _any))

    def slow(self, seconds: float, *, longest: float = 0.0, meant: Meant | None = None) -> Fault:
        """Answer late: after so many seconds, or anywhere between them and the longest."""
        return self.add(Fault(delay=seconds, longest=longest, meant=meant or _any))

    def hang_up(self, *, times: int | None = None, reset: bool = False, meant: Meant | None = None) -> Fault:
        """End connections without an answer; ``reset`` as when somebody cut the line."""
        return self.add(Fault(broken=True, reset=reset, left=times, meant=meant or _any))

    def clear(self) -> None:
        """Let everything go well again."""
        with self._lock:
            self._set.clear()

    def end(self) -> None:
        """Let go of everybody who waits, now and from now on."""
        self._ended.set()

    def meet(self, request: Request) -> None:
        """Let a request meet what is set for it.

        Raises:
            RefusedError: It is answered with a failure.
            BrokenError: It is not answered.
        """
        for fault in self._hitting(request):
            if fault.delay:
                self._ended.wait(self._late(fault))
            if fault.broken:
                raise BrokenError(reset=fault.reset)
            if fault.refusal:
                raise fault.refusal

    def _late(self, fault: Fault) -> float:
        """How long, spread evenly over the orders of magnitude between the two ends."""
        if fault.longest <= fault.delay:
            return fault.delay
        with self._lock:
            drawn = self._chances.random()
        return float(fault.delay * (fault.longest / fault.delay) ** drawn)

    def _hitting(self, request: Request) -> list[Fault]:
        with self._lock:
            found = []
            for fault in self._set:
                if fault.left == 0 or not fault.meant(request) or self._chances.random() >= fault.share:
                    continue
                if fault.left:
                    fault.left -= 1
                found.append(fault)
            return found


def _any(_: Request) -> bool:
    return True
