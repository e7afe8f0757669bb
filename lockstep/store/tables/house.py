"""The stances of pairs, the processes that serve, and the secrets of this installation."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, UniqueConstraint

from lockstep.store.columns import Moment, Name, Prose
from lockstep.store.tables.base import identity, metadata

# Which way a pair faces. One row a change: the newest is in force, the others are its history.
stances = Table(
    "stances",
    metadata,
    identity(),
    Column("pair", Name, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("stance", Name, nullable=False),
    Column("reason", Prose, nullable=False),
    Column("by", Prose, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("pair", "generation"),
    sqlite_autoincrement=True,
)

# The processes that serve, and when each last said so.
instances = Table(
    "instances",
    metadata,
    Column("id", Name, primary_key=True),
    Column("url", Name, nullable=False, default=""),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)

# Secrets of this installation itself (the key of fingerprints and sessions), sealed by the file beside it.
keys = Table(
    "keys",
    metadata,
    Column("name", Name, primary_key=True),
    Column("value", Name, nullable=False),
    Column("at", Moment, nullable=False),
)
