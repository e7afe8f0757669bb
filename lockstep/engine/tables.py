"""The engine's own tables, on the store's metadata. Nobody else reads or writes them.

While a job is queued, ``waits_for`` says what keeps it: nothing, its time, or one limit key that is full.
Whatever cannot start now stays out of the index that a claim walks, so that ten thousand blocked jobs cost a
claim nothing.

Predicates of partial indexes are literals, here and in every query that should use them: SQLite matches an
index by the text, and psycopg's prepared statements hide a bound value from PostgreSQL's planner.
"""

from __future__ import annotations

from enum import Enum

from sqlalchemy import Boolean, Column, ColumnElement, Float, Index, Integer, Table, and_, literal_column

from lockstep.store.columns import JsonText, Moment, Name, Prose
from lockstep.store.tables import BIG, identity, metadata


class State(Enum):
    """How a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # it used up its attempts, or was answered with a no
    ASIDE = "aside"  # each worker that ran it died or froze
    CANCELLED = "cancelled"
    JOINED = "joined"  # it had to run again, and another job for the same thing was queued already


# What a queued job waits for when it waits for no key. No limit key equals it: those have a colon.
NOTHING = ""
TIME = "time"

jobs = Table(
    "jobs",
    metadata,
    identity(),
    Column("kind", Name, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("coalesce_key", Name, nullable=False, default=""),
    Column("limits", JsonText, nullable=False, default=list),
    Column("priority", Integer, nullable=False, default=0),
    Column("state", Name, nullable=False),
    Column("waits_for", Name, nullable=False, default=NOTHING),
    Column("run_at", Moment, nullable=False),
    # The debounce never pushes run_at beyond this.
    Column("latest_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False, default=0),
    Column("crashes", Integer, nullable=False, default=0),
    Column("fence", Name, nullable=False, default=""),
    Column("lease_until", Moment),
    # Why it waits, or how it ended.
    Column("message", Prose, nullable=False, default=""),
    # The job that it joined, which does its work.
    Column("joined", BIG),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    sqlite_autoincrement=True,
)

# How many jobs run under each key now, and whether others wait for it. Only claims write ``waited``.
slots = Table(
    "slots",
    metadata,
    Column("key", Name, primary_key=True),
    Column("running", Integer, nullable=False, default=0),
    Column("waited", Boolean, nullable=False, default=False),
)

schedules = Table(
    "schedules",
    metadata,
    Column("name", Name, primary_key=True),
    Column("job", JsonText, nullable=False),
    Column("every_seconds", Float, nullable=False),
    Column("next_at", Moment, nullable=False),
)


def _text(value: str) -> ColumnElement[str]:
    return literal_column(f"'{value}'")


QUEUED = jobs.c.state == _text(State.QUEUED.value)
RUNNING = jobs.c.state == _text(State.RUNNING.value)
# What a person should look at.
TROUBLED = jobs.c.state.in_([_text(State.FAILED.value), _text(State.ASIDE.value)])
# What may start now; what waits for its time; what waits for a key; what a new request may join.
READY = and_(QUEUED, jobs.c.waits_for == _text(NOTHING))
TIMED = and_(QUEUED, jobs.c.waits_for == _text(TIME))
BLOCKED = and_(QUEUED, jobs.c.waits_for != _text(NOTHING), jobs.c.waits_for != _text(TIME))
JOINABLE = and_(QUEUED, jobs.c.coalesce_key != _text(""))


def _index(name: str, *columns: ColumnElement[object], where: ColumnElement[bool], unique: bool = False) -> None:
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


_index("uq_jobs_coalesce", jobs.c.coalesce_key, where=JOINABLE, unique=True)
_index("ix_jobs_ready", jobs.c.priority.desc(), jobs.c.id, where=READY)
_index("ix_jobs_timed", jobs.c.run_at, where=TIMED)
_index("ix_jobs_blocked", jobs.c.waits_for, jobs.c.priority.desc(), jobs.c.id, where=BLOCKED)
_index("ix_jobs_running", jobs.c.lease_until, where=RUNNING)
_index("ix_jobs_troubled", jobs.c.id, where=TROUBLED)
_index("ix_jobs_ended", jobs.c.ended_at, where=jobs.c.ended_at.is_not(None))
_index("ix_slots_waited", slots.c.key, where=slots.c.waited)
