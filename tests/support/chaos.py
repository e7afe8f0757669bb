"""Processes that push and work while a test kills and freezes them, and a database that watches them.

The database keeps the record itself, by triggers: each change of a job's state, and at each start how many
jobs run under each of its keys. So nothing depends on what a process that is about to die can still say.
"""

from __future__ import annotations

import itertools
import random
import threading
from functools import partial

from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, insert, select, text, update

from lockstep import errors, settings, work
from lockstep.engine.queue import Queue
from lockstep.engine.worker import Worker
from lockstep.store import tables
from lockstep.store.database import Database, now, open_database

WORKING = settings.Working(
    threads=4,
    lease_seconds=1.0,
    heartbeat_seconds=0.2,
    poll_seconds=0.05,
    backoff_seconds=0.05,
    longest_backoff_seconds=0.2,
    most_crashes=10_000,
    limits={"one": 1, "two": 2},
)
THINGS = [f"thing-{number}" for number in range(12)]

_metadata = MetaData()
# What is mirrored, say: ``pushed`` counts the requests, ``seen`` is the newest that a finished job had looked at.
things = Table(
    "chaos_things",
    _metadata,
    Column("name", Text, primary_key=True),
    Column("pushed", Integer, nullable=False, default=0),
    Column("seen", Integer, nullable=False, default=0),
)
effects = Table("chaos_effects", _metadata, Column("id", Integer, primary_key=True), Column("job", Integer))
changes = Table(
    "chaos_changes", _metadata, Column("id", Integer, primary_key=True), Column("job", Integer), Column("state", Text)
)
starts = Table(
    "chaos_starts", _metadata, Column("id", Integer, primary_key=True), Column("key", Text), Column("running", Integer)
)

_SQLITE = [
    """CREATE TRIGGER chaos AFTER UPDATE OF state ON jobs WHEN new.state <> old.state BEGIN
      INSERT INTO chaos_changes (job, state) VALUES (new.id, new.state);
      INSERT INTO chaos_starts (key, running)
        SELECT k.value, (SELECT count(*) FROM jobs, json_each(jobs.limits) AS l
                         WHERE jobs.state = 'running' AND l.value = k.value)
        FROM json_each(new.limits) AS k WHERE new.state = 'running';
    END"""
]
_POSTGRESQL = [
    """CREATE FUNCTION chaos() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO chaos_changes (job, state) VALUES (new.id, new.state);
      INSERT INTO chaos_starts (key, running)
        SELECT k, (SELECT count(*) FROM jobs, json_array_elements_text(jobs.limits::json) AS l
                   WHERE jobs.state = 'running' AND l = k)
        FROM json_array_elements_text(new.limits::json) AS k WHERE new.state = 'running';
      RETURN NULL;
    END $$""",
    """CREATE TRIGGER chaos AFTER UPDATE OF state ON jobs FOR EACH ROW
      WHEN (new.state IS DISTINCT FROM old.state) EXECUTE FUNCTION chaos()""",
]


def prepare(database: Database) -> None:
    """Make the tables and the triggers that watch."""
    with database.write() as connection:
        _metadata.create_all(connection)
        connection.execute(insert(things), [{"name": name} for name in THINGS])
        for statement in _SQLITE if database.dialect == "sqlite" else _POSTGRESQL:
            connection.execute(text(statement))


def push(url: str, name: str) -> None:
    """Push for ever: a change of a thing with its job, and a delivery with its job, each in one transaction."""
    draw = random.Random(name)  # noqa: S311 - chaos that can be repeated
    database = open_database(url)
    queue = Queue(database, working=WORKING)
    for number in itertools.count():
        thing = draw.choice(THINGS)
        try:
            with database.write() as connection:
                _change(connection, queue, thing)
            with database.write() as connection:
                _deliver(connection, queue, f"{name}-{number}")
        except errors.TemporaryError:
            continue
        threading.Event().wait(0.02)


def work_on(url: str, name: str) -> None:
    """Work for ever."""
    database = open_database(url)
    queue = Queue(database, working=WORKING)
    draw = random.Random(name)  # noqa: S311 - as above
    handlers: dict[work.Kind, work.Handler] = {
        work.Kind.GIT_FETCH: partial(_fetch, database, draw),
        work.Kind.DELIVERY: partial(_understand, draw),
    }
    Worker(queue, handlers, working=WORKING).start()
    threading.Event().wait()


def fetch(thing: str) -> work.Job:
    """Look at a thing. Each is looked at by one job at a time, and each third of them by two."""
    keys = (f"one:{thing}", f"two:group-{THINGS.index(thing) % 3}")
    kind = work.Kind.GIT_FETCH
    return work.Job(kind=kind, payload={"thing": thing}, coalesce=thing, limits=keys, attempts=10_000)


def _change(connection: Connection, queue: Queue, thing: str) -> None:
    connection.execute(update(things).where(things.c.name == thing).values(pushed=things.c.pushed + 1))
    queue.enqueue(connection, fetch(thing))


def _deliver(connection: Connection, queue: Queue, delivery: str) -> None:
    values = {"hook": "h", "provider": "p", "delivery": delivery, "event": "push", "headers": {}, "body": b"{}"}
    statement = insert(tables.deliveries).values(**values, received_at=now(connection), state="received")
    id_ = connection.execute(statement.returning(tables.deliveries.c.id)).scalar_one()
    kind = work.Kind.DELIVERY
    queue.enqueue(connection, work.Job(kind=kind, payload={"delivery": id_}))


def _fetch(database: Database, draw: random.Random, claim: work.Claim) -> work.Outcome:
    """Look at a thing, for a while, and remember how much of it was seen; sometimes fail, sometimes wait."""
    thing = claim.payload["thing"]
    with database.read() as connection:
        seen = connection.execute(select(things.c.pushed).where(things.c.name == thing)).scalar_one()
    threading.Event().wait(draw.random() * 0.2)
    if draw.random() < 0.05:
        raise errors.UnreachableError("as it happens")
    if draw.random() < 0.05:
        return work.Later(seconds=0.05, reason="as it happens")
    return work.Done(effects=(partial(_count, claim), partial(_see, thing, seen)))


def _understand(draw: random.Random, claim: work.Claim) -> work.Outcome:
    threading.Event().wait(draw.random() * 0.1)
    return work.Done(effects=(partial(_count, claim), partial(_mark, claim.payload["delivery"])))


def _count(claim: work.Claim, connection: Connection) -> None:
    connection.execute(insert(effects).values(job=claim.id))


def _see(thing: str, seen: int, connection: Connection) -> None:
    mine = update(things).where(things.c.name == thing, things.c.seen < seen)
    connection.execute(mine.values(seen=seen))


def _mark(delivery: int, connection: Connection) -> None:
    mine = update(tables.deliveries).where(tables.deliveries.c.id == delivery)
    connection.execute(mine.values(state="done", duplicates=tables.deliveries.c.duplicates + 1))
