"""The pages on a database that a test filled, with doubles for what acts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Connection

from console import server
from console.context import Answer, Context, Readiness, Trouble
from console.token import Token
from lockstep import errors, settings, work
from lockstep.store.database import Database
from lockstep.topology.model import Topology
from tests.support import bank
from tests.support import hooks as posting
from webhooks import receiver

TOKEN = "a token that is long enough"


class Stopped:
    """A clock that stands still at the bank's now; monotonic time is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        """The bank's now."""
        return bank.NOW

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

    def _refuse(self) -> None:
        if self.refusal:
            raise self.refusal


@dataclass
class Queued:
    """Remembers the jobs that were asked for, and has one that is in trouble."""

    jobs: list[work.Job] = field(default_factory=list)
    requeued: list[int] = field(default_factory=list)

    def enqueue(self, connection: Connection, *jobs: work.Job) -> object:
        """Remember jobs."""
        self.jobs.extend(jobs)
        return None

    def counts(self, connection: Connection) -> Mapping[tuple[str, str], int]:
        """Some numbers."""
        return {("git.fetch", "done"): 1214, ("git.fetch", "queued"): 2, ("drift.scan", "failed"): 1}

    def troubled(self, connection: Connection, *, limit: int) -> Sequence[Trouble]:
        """One job that failed."""
        return [
            Trouble(
                id=77,
                kind="drift.scan",
                payload={"application": "notice", "pair": ""},
                state="failed",
                message="UnreachableError: sejong did not answer within 10 s. Check the line.",
                failures=5,
                crashes=0,
                created_at=bank.ago(hours=3),
                ended_at=bank.ago(hours=2),
            )
        ]

    def requeue(self, connection: Connection, job: int) -> None:
        """Remember it; only the one exists."""
        if job != 77:
            raise errors.NotFoundError(f"There is no job {job}.", remedy="Look at the list.")
        self.requeued.append(job)


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
    queued: Queued
    clock: Stopped

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
    acted, queued, clock = Acted(), Queued(), Stopped()
    configured = bank.configuration()
    context = Context(
        database=database,
        topology=topology or (lambda: configured),
        problems=lambda: problems,
        readiness=lambda: readiness,
        actions=acted,
        queue=queued,
        token=Token.of(token),
        session_key="the key of the sessions of a test",
        receiver=receiver.create_blueprint(replace(posting.context(database), enqueue=queued.enqueue)),
        clock=clock,
        serving=serving or settings.Serving(),
    )
    app = server.create_app(context)
    app.jinja_env.bytecode_cache = _compiled
    return House(app=app, context=context, acted=acted, queued=queued, clock=clock)


def csrf(client: FlaskClient, page: str) -> str:
    """The CSRF token of the first form of a page."""
    text = client.get(page).get_data(as_text=True)
    return text.partition('name="csrf_token" value="')[2].partition('"')[0]


def bearer() -> dict[str, str]:
    """The headers of a program that knows the token."""
    return {"Authorization": f"Bearer {TOKEN}"}
