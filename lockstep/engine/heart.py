"""Keeps the leases of the claims that this process works on, and with each lease the children of its work.

The children's own end is a little before the lease's, and is held by a program beside them: so even a process
that is frozen, or cannot reach its database, has lost its children by the time that another may take over.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from lockstep import children, errors, settings, work
from lockstep.engine.queue import Queue

_log = logging.getLogger(__name__)

# The part of a lease by which children end before it: room for the kill, and for clocks that tick unevenly.
_MARGIN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A claim of this process, and the children of its work."""

    claim: work.Claim
    scope: children.Scope


class Heart:
    """The claims of this process. Safe to share between threads.

    Args:
        queue: Where the leases are.
        working: How long they are, and how often they are extended.
    """

    def __init__(self, queue: Queue, working: settings.Working) -> None:
        self._queue = queue
        self._working = working
        self._lock = threading.Lock()
        self._kept: dict[int, Kept] = {}

    @property
    def ids(self) -> set[int]:
        """The jobs that this process works on."""
        with self._lock:
            return set(self._kept)

    def keep(self, claims: Iterable[work.Claim], *, since: float) -> list[Kept]:
        """Extend the leases of these claims from now on.

        Args:
            claims: New ones.
            since: A moment (``time.monotonic``) before they were claimed.
        """
        kept = [Kept(claim=claim, scope=children.Scope(until=self._end(since))) for claim in claims]
        with self._lock:
            self._kept.update((one.claim.id, one) for one in kept)
        return kept

    def let_go(self, kept: Kept) -> None:
        """The work on this claim is over."""
        with self._lock:
            self._kept.pop(kept.claim.id, None)

    def beat(self) -> bool:
        """Extend all leases once; whether the queue could be asked.

        Children whose lease could not be extended end by themselves in time. Those of a claim that is lost end
        at once: another process is at work.
        """
        with self._lock:
            kept = list(self._kept.values())
        since = time.monotonic()
        try:
            ours = self._queue.heartbeat([one.claim for one in kept])
        except errors.LockstepError as error:
            _log.warning("the leases of %d jobs could not be extended: %s", len(kept), error)
            return False
        for one in kept:
            if one.claim.id in ours:
                one.scope.renew(self._end(since))
            elif not one.scope.lost:  # else its work is over, and it was ended here just now
                _log.warning("job %d (%s) was taken over by another process", one.claim.id, one.claim.kind.value)
                one.scope.kill()
        return True

    def beat_until(self, stop: threading.Event) -> None:
        """Extend all leases again and again; sooner after a failure, because less of them is left."""
        pause = self._working.heartbeat_seconds
        while not stop.wait(pause):
            pause = self._working.heartbeat_seconds if self.beat() else self._working.heartbeat_seconds / 4

    def kill(self) -> None:
        """End the children of all work."""
        with self._lock:
            for one in self._kept.values():
                one.scope.kill()

    def _end(self, since: float) -> float:
        return since + (1.0 - _MARGIN) * self._working.lease_seconds
