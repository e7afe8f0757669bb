"""What was posted to the hooks, and which pushes started something."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, UniqueConstraint

from lockstep.store.columns import Bytes, JsonText, Moment, Name, Prose
from lockstep.store.tables.base import identity, metadata

# What a forge or a registry posted, as it was posted.
deliveries = Table(
    "deliveries",
    metadata,
    identity(),
    Column("hook", Name, nullable=False),
    Column("provider", Name, nullable=False),
    # The sender's own id where it has one, else a digest of the body and a time window: the key of "once".
    Column("delivery", Name, nullable=False),
    Column("event", Name, nullable=False),
    Column("headers", JsonText, nullable=False),
    Column("body", Bytes, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("state", Name, nullable=False),  # received, done, ignored, failed
    Column("reason", Prose, nullable=False, default=""),
    Column("events", JsonText, nullable=False, default=list),
    Column("duplicates", Integer, nullable=False, default=0),
    Column("done_at", Moment),
    UniqueConstraint("hook", "delivery"),
    sqlite_autoincrement=True,
)
Index("ix_deliveries_received_at", deliveries.c.received_at)
# Counting and listing by state must not read the bodies.
Index("ix_deliveries_state", deliveries.c.state, deliveries.c.id)

# Health of a hook, also of posts that were refused: their bodies are not kept.
hooks = Table(
    "hooks",
    metadata,
    Column("hook", Name, primary_key=True),
    Column("accepted", Integer, nullable=False, default=0),
    Column("refused", Integer, nullable=False, default=0),
    Column("last_accepted_at", Moment),
    Column("last_refused_at", Moment),
    Column("last_refusal", Prose, nullable=False, default=""),
)

# The newest commit of an application that was seen and that started (or did not start) a run.
triggered = Table(
    "triggered",
    metadata,
    Column("application", Name, primary_key=True),
    Column("ref", Name, primary_key=True),
    Column("oid", Name, nullable=False),
    # What is seen for the first time and was not pushed now is remembered only.
    Column("started", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
)

# Refs that somebody said were pushed, until a trigger has looked at them.
pushed = Table(
    "pushed",
    metadata,
    Column("repository", Name, primary_key=True),
    Column("ref", Name, primary_key=True),
    Column("at", Moment, nullable=False),
)
