"""``lockstep serve``: receiver, workers, scheduler and pages in one process, and its graceful end.

The end is asked for by SIGTERM or SIGINT: no new request, running requests and jobs end, what does not end in
time goes back to the queue and is done by whoever comes next.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flask import Flask

from console import server, token, wiring
from console.actions import Actions
from console.context import Context, Readiness
from console.http import Http
from console.runtime import ALIVE, Runtime
from drift.watching import Watching
from lockstep import errors, work
from lockstep.engine.schedule import Schedule
from lockstep.engine.worker import Worker
from lockstep.sites import stances
from lockstep.store import instances
from webhooks import receiver
from webhooks.keyring import Keyring
from webhooks.tally import Tally

_log = logging.getLogger(__name__)
# How often the process says that it is alive, and looks whether its configuration changed. Seconds.
_HEARTBEAT = 3.0
# How long running jobs get to end. Seconds.
_GRACE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What a person at the terminal is told: the address, and the token when it was made just now."""

    url: str
    new_token: str


def serve(runtime: Runtime, *, host: str, port: int, ready: Callable[[Started], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        runtime: The process.
        host: Where to listen.
        port: Which port; 0 for a free one.
        ready: Called once requests are answered.

    Raises:
        LockstepError: The address is taken, or the token cannot be made.
    """
    opened, new_token = token.open_token(runtime.settings.places.token)
    stances.reconcile(runtime.database, runtime.doors, runtime.topology(), runtime.clock)
    schedule = Schedule(runtime.database, runtime.queue)
    with runtime.database.write() as connection:
        for kind, seconds in wiring.schedules_of(runtime).items():
            schedule.ensure(connection, kind.value, work.sweep(kind), seconds)
    watching = Watching(runtime.doors, topology=runtime.topology, tell=lambda name: _compare(runtime, name))
    handlers = wiring.handlers_of(runtime, watched=watching)
    worker = Worker(runtime.queue, handlers, working=runtime.settings.working, schedule=schedule)
    tally = Tally(runtime.database)
    http = Http(_app(runtime, opened, tally, worker), host=host, port=port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{http.port}"
    with _announced(runtime, worker, url=url), _asked_to_stop(http) as stopping, watching.running():
        worker.start()
        try:
            ready(Started(url=url, new_token=new_token))
            http.serve_until(stopping)
            _log.info("Stopping.")
        finally:
            http.close(_GRACE)
            tally.close()
            if not worker.stop(_GRACE):
                _log.warning("Some jobs did not end in time; they are done again by whoever comes next.")


def _compare(runtime: Runtime, application: str) -> None:
    """Compare an application because a watch told of a change."""
    with runtime.database.write() as connection:
        runtime.queue.enqueue(connection, work.scan(application, urgent=True, told=True))


def _app(runtime: Runtime, opened: token.Token, tally: Tally, worker: Worker) -> Flask:
    blueprint = receiver.create_blueprint(
        receiver.Context(
            database=runtime.database,
            topology=runtime.topology,
            keyring=Keyring(runtime.secrets.text, runtime.clock),
            enqueue=runtime.queue.enqueue,
            clock=runtime.clock,
            tally=tally,
        )
    )
    return server.create_app(
        Context(
            database=runtime.database,
            topology=runtime.topology,
            problems=lambda: runtime.current.problems,
            readiness=lambda: readiness(runtime, worker),
            actions=Actions(runtime),
            queue=runtime.queue,
            token=opened,
            session_key=runtime.key("sessions"),
            receiver=blueprint,
            clock=runtime.clock,
            serving=runtime.settings.serving,
        )
    )


@contextlib.contextmanager
def _asked_to_stop(http: Http) -> Iterator[threading.Event]:
    """The event that SIGTERM and SIGINT set; a second signal ends the process at once."""
    stopping = threading.Event()

    def asked(number: int, _frame: object) -> None:
        if stopping.is_set():
            raise SystemExit(128 + number)
        stopping.set()
        http.wake()

    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _announced(runtime: Runtime, worker: Worker, *, url: str) -> Iterator[None]:
    """Say that this process works, again and again as long as it does, and follow the configuration meanwhile."""
    name = uuid.uuid4().hex
    stopping = threading.Event()

    def beat() -> None:
        while not stopping.wait(_HEARTBEAT):
            try:
                _refresh(runtime)
                if worker.missing:
                    # Whoever waits for this process must see that it works no more.
                    _log.error("These threads have ended: %s. Start again.", ", ".join(worker.missing))
                    continue
                with runtime.database.write() as connection:
                    instances.announce(connection, name, url=url)
            except errors.LockstepError as error:
                _log.warning("%s", error)

    with runtime.database.write() as connection:
        instances.announce(connection, name, url=url)
    thread = threading.Thread(target=beat, name="lockstep-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
        with contextlib.suppress(errors.LockstepError), runtime.database.write() as connection:
            instances.withdraw(connection, name)


def _refresh(runtime: Runtime) -> None:
    before = runtime.current.problems
    if runtime.current.refresh():
        _log.info("The configuration changed; it is in force now.")
        stances.reconcile(runtime.database, runtime.doors, runtime.topology(), runtime.clock)
    elif runtime.current.problems and runtime.current.problems != before:
        _log.error("The configuration was changed and has problems; the last good one stays in force.")
        for problem in runtime.current.problems:
            _log.error("%s", problem)


def readiness(runtime: Runtime, worker: Worker) -> Sequence[Readiness]:
    """What must hold beside the database: this process works, and can say so to the others.

    The configuration was good when the process started; a bad edit since leaves the last good one in force.
    """
    return (Readiness(name="workers", problem=_idleness(runtime, worker)), Readiness(name="configuration", problem=""))


def _idleness(runtime: Runtime, worker: Worker) -> str:
    if worker.missing:
        return f"these threads do not run: {', '.join(worker.missing)}"
    try:
        with runtime.database.read() as connection:
            alive = bool(instances.alive(connection, ALIVE))
    except errors.LockstepError as error:
        return error.message
    return "" if alive else "no process has said for a while that it works"
