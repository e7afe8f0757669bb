"""What the readers of Notifications believe, and the messages to them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, UniqueConstraint

from lockstep.store.columns import JsonText, Moment, Name, Prose
from lockstep.store.tables.base import identity, metadata

# What the readers of a Notification believe: one row for each thing that they were told of.
beliefs = Table(
    "beliefs",
    metadata,
    Column("notification", Name, primary_key=True),
    Column("subject", Name, primary_key=True),
    Column("application", Name, nullable=False, default=""),
    # The subject as it was last seen: enough to say that it is over when nothing else knows it any more.
    Column("facts", JsonText, nullable=False),
    # Whether they believe that it is so, whether it was when somebody last looked, and whether it comes and goes.
    Column("told", Boolean, nullable=False),
    Column("seen", Boolean, nullable=False),
    Column("flapping", Boolean, nullable=False, default=False),
    Column("changes", JsonText, nullable=False, default=list),
    # When they are to be told that it still comes and goes; None when they were, or need not be.
    Column("remind_at", Moment),
)
Index("ix_beliefs_scope", beliefs.c.notification, beliefs.c.application)

# Messages on their way, one row for each channel; ``message`` is the same for all channels, and in every attempt.
messages = Table(
    "messages",
    metadata,
    identity(),
    Column("message", Name, nullable=False),
    Column("notification", Name, nullable=False),
    Column("channel", Name, nullable=False),
    Column("kind", Name, nullable=False),
    Column("title", Prose, nullable=False),
    Column("body", Prose, nullable=False),
    Column("state", Name, nullable=False),  # waiting, sent, given_up
    Column("attempts", Integer, nullable=False, default=0),
    Column("problem", Prose, nullable=False, default=""),
    Column("made_at", Moment, nullable=False),
    Column("ended_at", Moment),
    UniqueConstraint("message", "channel"),
    sqlite_autoincrement=True,
)
Index("ix_messages_state", messages.c.state, messages.c.id)

# How each channel of a Notification does. ``channel`` names the reference to its URL, never the URL.
channels = Table(
    "channels",
    metadata,
    Column("notification", Name, primary_key=True),
    Column("channel", Name, primary_key=True),
    Column("sent", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("given_up", Integer, nullable=False, default=0),
    Column("problem", Prose, nullable=False, default=""),
    Column("failing_since", Moment),
    # Nothing is tried before this.
    Column("next_at", Moment),
    Column("sent_at", Moment),
)

# When people were last reminded of what is still so.
digests = Table(
    "digests",
    metadata,
    Column("notification", Name, primary_key=True),
    Column("at", Moment, nullable=False),
)
