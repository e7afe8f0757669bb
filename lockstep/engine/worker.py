"""The threads of one process that work on the queue.

One thread claims for all that are idle, some run handlers, one keeps the leases. They are daemons: a handler
that never returns keeps no process from ending, and its job goes to another one when its lease ends.
"""

from __future__ import annotations

import contextlib
import logging
import queue as queues
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from lockstep import errors, settings, work
from lockstep.engine.execution import Execution
from lockstep.engine.heart import Heart, Kept
from lockstep.engine.queue import Queue
from lockstep.engine.retrying import describe
from lockstep.engine.schedule import Schedule

_log = logging.getLogger(__name__)

# How often the schedule is looked at, and how long to wait at most for a database that is away. Seconds.
_TICK = 1.0
_LONGEST_PAUSE = 5.0
# How long an idle thread waits for others to claim with. Seconds: less than a commit on a slow disk.
_LINGER = 0.01
# After the children of what did not end in time were killed, their handlers get this long to notice. Seconds.
_GRACE = 2.0


class Worker:
    """Works on the queue, as long as it is told to.

    Args:
        queue: Where the work is.
        handlers: What to run for each kind; other kinds are left to others.
        working: Threads, leases, pauses.
        schedule: What to queue again and again, if this process minds the clock.
    """

    def __init__(
        self,
        queue: Queue,
        handlers: Mapping[work.Kind, work.Handler],
        *,
        working: settings.Working,
        schedule: Schedule | None = None,
    ) -> None:
        self._queue = queue
        self._kinds = tuple(handlers)
        self._working = working
        self._schedule = schedule
        self._heart = Heart(queue, working)
        self._interrupted = threading.Event()
        self._execution = Execution(queue, handlers, interrupted=self._interrupted)
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._stopped_beating = threading.Event()
        self._inbox: queues.SimpleQueue[Kept | None] = queues.SimpleQueue()
        self._changed = threading.Condition()
        self._busy = 0
        self._settled = 0
        self._next_tick = 0.0
        self._threads: list[threading.Thread] = []
        queue.listen(self._wake.set)

    def start(self) -> None:
        """Start the threads."""
        for name, target in self._roles():
            thread = threading.Thread(target=target, name=f"lockstep-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of its threads that do not run although they should: before the start all, once it stops none."""
        if self._stopping.is_set():
            return ()
        running = {thread.name for thread in self._threads if thread.is_alive()}
        return tuple(name for name, _ in self._roles() if f"lockstep-{name}" not in running)

    def stop(self, timeout_seconds: float = 30.0) -> bool:
        """Claim nothing more, let what runs end, give back what did not start.

        What still runs after the timeout loses its children and goes back to the queue, if its handler notices;
        else its lease runs out.

        Returns:
            Whether everything ended by itself.
        """
        self._stopping.set()
        self._wake.set()
        for claiming in self._threads[:1]:
            claiming.join(timeout_seconds)
        self._empty_inbox()
        ended = self._wait_idle(timeout_seconds)
        if not ended:
            self._interrupted.set()
            self._heart.kill()
            self._wait_idle(_GRACE)
        self._stopped_beating.set()
        for _ in range(self._working.threads):
            self._inbox.put(None)
        for thread in self._threads if ended else ():
            thread.join()
        return ended

    def run_until(self, predicate: Callable[[], bool], *, timeout_seconds: float = float("inf")) -> bool:
        """Start, work until this is true or the time is over, stop; whether it came true.

        The predicate is asked after each job and as often as an idle worker looks for work.
        """
        deadline = time.monotonic() + timeout_seconds
        self.start()
        try:
            settled = self._settled
            while not (true := predicate()) and (left := deadline - time.monotonic()) > 0:
                settled = self._wait_settled(settled, min(left, self._working.poll_seconds))
        finally:
            self.stop()
        return true

    def drain(self) -> int:
        """Run all that may start, and what follows from it, one job after another in this thread; how many.

        Nothing is waited for: what is delayed stays in the queue.
        """
        count = 0
        with self._beating():
            while handed_out := self._claim(1):
                for kept in handed_out:
                    self._execution.run(kept)
                    self._heart.let_go(kept)
                    count += 1
        return count

    def _roles(self) -> Iterator[tuple[str, Callable[[], None]]]:
        yield "claims", self._claim_for_all
        yield "leases", lambda: self._heart.beat_until(self._stopped_beating)
        for number in range(self._working.threads):
            yield f"work-{number}", self._work

    @contextlib.contextmanager
    def _beating(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self._heart.beat_until, args=(stop,), name="lockstep-leases", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _claim(self, most: int) -> list[Kept]:
        since = time.monotonic()
        claims = self._queue.claim(self._kinds, most, besides=self._heart.ids)
        return self._heart.keep(claims, since=since)

    def _claim_for_all(self) -> None:
        """Claim for the idle threads, whenever there may be something for them."""
        pause = self._working.poll_seconds
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._hand_out()
                self._tick()
                pause = self._working.poll_seconds
            except Exception as error:  # noqa: BLE001 - the job loop goes on, whatever the database says
                _log.warning("no work could be claimed: %s", describe(error))
                pause = min(2 * pause, _LONGEST_PAUSE)
            self._wake.wait(pause)

    def _hand_out(self) -> None:
        idle = self._idle()
        if not idle:
            return
        handed_out = self._claim(idle)
        with self._changed:
            self._busy += len(handed_out)
        for kept in handed_out:
            self._inbox.put(kept)

    def _idle(self) -> int:
        """How many threads have nothing to do.

        A claim for several costs little more than one for a single thread: when most are busy, wait a moment
        for those that end just now.
        """
        with self._changed:
            if self._busy < self._working.threads:
                self._changed.wait_for(lambda: 2 * self._busy <= self._working.threads, _LINGER)
            return self._working.threads - self._busy

    def _tick(self) -> None:
        if self._schedule and time.monotonic() >= self._next_tick:
            self._next_tick = time.monotonic() + _TICK
            self._schedule.tick()

    def _work(self) -> None:
        while (kept := self._inbox.get()) is not None:
            try:
                self._execution.run(kept)
            finally:
                self._settle(kept)

    def _settle(self, kept: Kept) -> None:
        """A thread is idle again, and what waited for the job's keys may start."""
        self._heart.let_go(kept)
        with self._changed:
            self._busy -= 1
            self._settled += 1
            self._changed.notify_all()
        self._wake.set()

    def _wait_settled(self, before: int, timeout_seconds: float) -> int:
        """Wait until more jobs than before have ended here, also if that was a moment ago; how many now."""
        with self._changed:
            self._changed.wait_for(lambda: self._settled != before, timeout_seconds)
            return self._settled

    def _empty_inbox(self) -> None:
        with contextlib.suppress(queues.Empty):
            while (kept := self._inbox.get_nowait()) is not None:
                try:
                    self._queue.give_back(kept.claim)
                except errors.LockstepError as error:
                    _log.warning("job %d could not be given back: %s", kept.claim.id, error)
                self._settle(kept)

    def _wait_idle(self, timeout_seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, timeout_seconds)
