"""One claim from its handler to its end in the database, whatever the handler does."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial

from lockstep import children, errors, work
from lockstep.engine.heart import Kept
from lockstep.engine.queue import Queue
from lockstep.engine.retrying import describe

_log = logging.getLogger(__name__)

# How long to wait, again and again, for a database that does not take the end of a job. Seconds.
_WAITS = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 3.0)


class Execution:
    """Runs claims. Safe to share between threads.

    Args:
        queue: Where claims end.
        handlers: What to run for each kind.
        interrupted: Set when the process must end now: what did not finish goes back to the queue.
    """

    def __init__(
        self, queue: Queue, handlers: Mapping[work.Kind, work.Handler], *, interrupted: threading.Event
    ) -> None:
        self._queue = queue
        self._handlers = handlers
        self._interrupted = interrupted

    def run(self, kept: Kept) -> None:
        """Run one claim to its end. Nothing is raised: what cannot be written down is left to the lease."""
        claim = kept.claim
        try:
            self._run(kept)
        except errors.LostWorkError as error:
            _log.warning("job %d (%s) was lost: %s", claim.id, claim.kind.value, error)
        except Exception as error:  # noqa: BLE001 - the last resort of the job loop: the thread must go on
            _log.error("job %d (%s) is left to its lease: %s", claim.id, claim.kind.value, describe(error))

    def _run(self, kept: Kept) -> None:
        claim = kept.claim
        try:
            with children.scope(kept.scope):
                outcome = self._handlers[claim.kind](claim)
            self._write(kept, partial(self._queue.finish, claim, outcome))
        except (Exception, SystemExit) as error:
            if self._interrupted.is_set():
                self._write(kept, partial(self._queue.give_back, claim))
            elif isinstance(error, errors.LostWorkError):
                raise
            else:
                _report(claim, error)
                self._write(kept, partial(self._queue.fail, claim, error))

    def _write(self, kept: Kept, end: Callable[[], None]) -> None:
        """End a claim, with patience for a database that is away for a moment.

        If an answer got lost after its commit, the next try finds the work gone: nothing is written twice.
        """
        for wait in _WAITS:
            try:
                return end()
            except errors.TemporaryError as error:
                if time.monotonic() >= kept.scope.until:
                    raise
                _log.warning("job %d could not be ended yet: %s", kept.claim.id, error)
            self._interrupted.wait(wait)
        return end()


def _report(claim: work.Claim, error: BaseException) -> None:
    """One line for what was foreseen; for what was not also the way that it took, without any value."""
    way = "" if isinstance(error, errors.LockstepError) else "\n" + "".join(traceback.format_tb(error.__traceback__))
    _log.warning("job %d (%s) failed: %s%s", claim.id, claim.kind.value, describe(error), way)
