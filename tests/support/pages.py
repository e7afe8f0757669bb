"""The pages on a database that a test filled, with doubles for what acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache

from console import server
from console.context import Answer, Context, Readiness
from console.token import Token
from lockstep import errors, settings, work
from lockstep.engine.queue import Queue
from lockstep.store.database import Database
from lockstep.topology.model import Topology
from tests.support import bank, jobs
from tests.support import hooks as posting
from webhooks import receiver

TOKEN = "a token that is long enough"


class Stopped:
    """A clock that stands still at the bank's now until it is moved by hand."""

    def __init__(self) -> None:
        self.at = bank.NOW
        self.seconds = 0.0

    def now(self) -> datetime:
        """The bank's now, or what a test set."""
        return self.at

    def monotonic(self) -> float:
        """What a test set."""
        return self.seconds


@dataclass
class Acted:
    """Remembers what was asked for; ``refusal`` is raised instead when it is set."""

    answers: list[Answer] = field(default_factory=list)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    refusal: errors.LockstepError | None = None

    def decide(self, answer: Answer) -> None:
        """Remember an answer."""
        self._refuse()
        self.answers.append(answer)

    def cancel(self, run: str, *, by: str) -> None:
        """Remember a stop."""
        self._refuse()
        self.calls.append(("cancel", run, by))

    def rerun(self, run: str, *, by: str) -> str:
        """Remember another start; the run of that name is its own successor."""
        self._refuse()
        self.calls.append(("rerun", run, by))
        return run

    def redeploy(self, application: str, site: str, *, by: str) -> str:
        """Remember a deploy."""
        self._refuse()
        self.calls.append(("redeploy", application, site, by))
        return ""

    def heal(self, finding: int, *, by: str) -> str:
        """Remember a healing; its run is called so."""
        self._refuse()
        self.calls.append(("heal", str(finding), by))
        return "heal-pay-1"

    def _refuse(self) -> None:
        if self.refusal:
            raise self.refusal


class Compiled(BytecodeCache):
    """Templates that were compiled once, for all applications of a test session."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """What was compiled before."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_compiled = Compiled()


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The application, with what it stands on."""

    app: Flask
    context: Context
    acted: Acted
    clock: Stopped

    def asked(self) -> list[work.Job]:
        """The jobs that were queued since the bank's morning."""
        found = [row for number, row in jobs.rows(self.context.database).items() if number > 4]
        return [
            work.Job(
                kind=work.Kind(row["kind"]),
                payload=row["payload"],
                coalesce=row["coalesce_key"],
                limits=tuple(row["limits"]),
                priority=row["priority"],
            )
            for row in found
        ]

    def client(self) -> FlaskClient:
        """A browser that nobody signed in with."""
        return self.app.test_client()

    def signed_in(self) -> FlaskClient:
        """A browser that kim signed in with."""
        client = self.client()
        form = {"token": TOKEN, "name": "kim", "csrf_token": csrf(client, "/sign-in")}
        assert client.post("/sign-in", data=form).status_code == 303
        return client


def house(
    database: Database,
    *,
    topology: Callable[[], Topology] | None = None,
    problems: Sequence[errors.Problem] = (),
    readiness: Sequence[Readiness] = (),
    serving: settings.Serving | None = None,
    token: str = TOKEN,
) -> House:
    """Pages on a database."""
    acted, clock = Acted(), Stopped()
    configured = bank.configuration()
    queue = Queue(database, working=settings.Working())
    context = Context(
        database=database,
        topology=topology or (lambda: configured),
        problems=lambda: problems,
        readiness=lambda: readiness,
        actions=acted,
        queue=queue,
        token=Token.of(token),
        session_key="the key of the sessions of a test",
        receiver=receiver.create_blueprint(posting.context(database)),
        clock=clock,
        serving=serving or settings.Serving(),
    )
    app = server.create_app(context)
    app.jinja_env.bytecode_cache = _compiled
    return House(app=app, context=context, acted=acted, clock=clock)


def csrf(client: FlaskClient, page: str) -> str:
    """The CSRF token of the first form of a page."""
    text = client.get(page).get_data(as_text=True)
    return text.partition('name="csrf_token" value="')[2].partition('"')[0]


def bearer() -> dict[str, str]:
    """The headers of a program that knows the token."""
    return {"Authorization": f"Bearer {TOKEN}"}
