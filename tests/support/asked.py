"""A stand-in for the engine's queue: it remembers, in the same transaction, which jobs were asked for."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, select

from lockstep.store.columns import JsonText
from lockstep.store.database import Database
from lockstep.values import Json
from lockstep.work import Job

_metadata = MetaData()
_asked = Table(
    "asked_jobs",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload", JsonText, nullable=False),
)


def prepare(database: Database) -> None:
    """Make the table."""
    _metadata.create_all(database.engine)


def enqueue(connection: Connection, job: Job) -> None:
    """Remember a job."""
    connection.execute(_asked.insert().values(kind=job.kind.value, payload=dict(job.payload)))


def jobs(database: Database) -> list[tuple[str, Json]]:
    """Kind and payload of the jobs that were asked for, in order."""
    with database.read() as connection:
        rows = connection.execute(select(_asked.c.kind, _asked.c.payload).order_by(_asked.c.id))
        return [(row.kind, row.payload) for row in rows]
