"""A process that tells people, on one database, with receivers of its own."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from console import language
from console.notices import sending, telling
from lockstep import settings, work
from lockstep.engine.queue import Queue
from lockstep.engine.worker import Worker
from lockstep.store import findings, notices, scans
from lockstep.store.database import Database
from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.values import ObjectKey, Verdict
from tests.support.times import Clock
from tests.support.topologies import topology

CATALOGUES = language.load()
WORKING = settings.Working(threads=1, poll_seconds=0.02, backoff_seconds=0.001)


def configured(*notifications: tuple[str, dict[str, Any]]) -> Topology:
    """Two applications over one pair, and who is told."""
    spec = {"source": {"repository": "bank/pay"}, "namespace": "pay", "protection": {"seoul-sejong": {"tier": "hot"}}}
    return topology(
        ("Pair", "seoul-sejong", {"primary": "seoul", "standby": "sejong"}),
        ("Application", "pay", spec),
        ("Application", "shop", spec),
        *(("Notification", name, one) for name, one in notifications),
    )


def webhook(name: str, **wishes: Any) -> dict[str, Any]:
    """A Standard Webhook whose URL and secret are in variables of this name."""
    return {"url": {"env": f"{name}_URL"}, "secrets": [{"env": f"{name}_SECRET"}], **wishes}


class House:
    """Finds out and sends; ``secrets`` are by the name of their variable."""

    def __init__(self, database: Database, made: Topology, secrets: dict[str, str]) -> None:
        self.database, self.topology, self.secrets = database, made, secrets
        self.clock = Clock()
        self.queue = Queue(database, working=WORKING, clock=self.clock)
        self.telling = telling.Telling(
            database=database,
            topology=lambda: self.topology,
            queue=self.queue,
            clock=self.clock,
            catalogues=CATALOGUES,
            url="https://lockstep.bank.example",
            stale=timedelta(minutes=15),
        )
        self.sending = sending.Sending(
            database=database, topology=lambda: self.topology, read=self._read, clock=self.clock
        )
        self.handlers: dict[work.Kind, work.Handler] = {
            work.Kind.TELL: partial(telling.handle_tell, self.telling),
            work.Kind.SWEEP_NOTICES: partial(telling.handle_sweep, self.telling),
            work.Kind.SEND: partial(sending.handle_send, self.sending),
        }

    def _read(self, ref: kinds.SecretRef) -> str:
        return self.secrets[str(ref.env)]

    def scan(self, *names: str, verdict: Verdict = Verdict.STANDBY_DRIFT, weight: float = 0.8, **wishes: Any) -> None:
        """A comparison of ``pay`` that finds these objects different, stored as a scan's job stores it."""
        now = self.clock.now()
        seen = [
            findings.Seen(
                key=ObjectKey(group="apps", kind="Deployment", namespace="pay", name=name),
                verdict=verdict,
                site="sejong",
                path="/spec/template",
                people_path="spec.template",
                values={"primary": "a value that nobody is told", "standby": "another"},
                severity=weight,
            )
            for name in names
        ]
        scan = scans.Scan(
            application="pay",
            pair="seoul-sejong",
            verdict=verdict if names else Verdict.IN_SYNC,
            stance="normal",
            counts={},
            problem="",
            objects=len(names),
            ended_at=now,
            **{"revision": "c" * 40, "coverage": {}, "started_at": now, **wishes},
        )
        with self.database.write() as connection:
            findings.record(connection, scan, seen, hidden=lambda _key, _site: False)
            self.queue.enqueue(connection, work.tell("pay"))

    def sweep(self) -> None:
        """The schedule passes by."""
        with self.database.write() as connection:
            self.queue.enqueue(connection, work.sweep(work.Kind.SWEEP_NOTICES))
        self.work()

    def work(self) -> None:
        """Run all jobs that may start now."""
        Worker(self.queue, self.handlers, working=WORKING).drain()

    def pass_(self, **length: float) -> None:
        """Let time pass, then work."""
        self.clock.pass_seconds(timedelta(**length).total_seconds())
        self.work()

    def messages(self) -> list[notices.Listed]:
        """All messages, the oldest first."""
        with self.database.read() as connection:
            return notices.newest(connection, most=1000)[::-1]

    def channels(self) -> dict[str, notices.Channel]:
        """The channels by name."""
        with self.database.read() as connection:
            return {one.channel: one for one in notices.all_channels(connection)}
