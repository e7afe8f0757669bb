"""Telling people: what they believe, messages and channels. Healing: what was done, and where it is stopped."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"

# As lockstep/store/tables/base.py has it: SQLite counts up INTEGER PRIMARY KEY only.
_BIG: TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _id() -> sa.Column[int]:
    return sa.Column("id", _BIG, autoincrement=True, nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _integers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _flags(*names: str) -> list[sa.Column[bool]]:
    return [sa.Column(name, sa.Boolean(), nullable=False) for name in names]


def upgrade() -> None:
    """Make the new tables."""
    _telling()
    _healing()


def _telling() -> None:
    op.create_table(
        "beliefs",
        *_texts("notification", "subject", "application", "facts"),
        *_flags("told", "seen", "flapping"),
        *_texts("changes"),
        sa.PrimaryKeyConstraint("notification", "subject", name="pk_beliefs"),
    )
    op.create_index("ix_beliefs_scope", "beliefs", ["notification", "application"])
    op.create_table(
        "messages",
        _id(),
        *_texts("message", "notification", "channel", "kind", "title", "body", "state"),
        *_integers("attempts"),
        *_texts("problem"),
        *_moments("made_at"),
        *_moments("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("message", "channel", name="uq_messages_message_channel"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_state", "messages", ["state", "id"])
    op.create_table(
        "channels",
        *_texts("notification", "channel"),
        *_integers("sent", "failed", "given_up"),
        *_texts("problem"),
        *_moments("failing_since", "next_at", "sent_at", nullable=True),
        sa.PrimaryKeyConstraint("notification", "channel", name="pk_channels"),
    )
    op.create_table(
        "digests",
        *_texts("notification"),
        *_moments("at"),
        sa.PrimaryKeyConstraint("notification", name="pk_digests"),
    )


def _healing() -> None:
    op.create_table(
        "healings",
        _id(),
        *_texts("application", "pair", "site", "revision", "run", "objects"),
        *_flags("automatic"),
        *_texts("by", "reason"),
        *_moments("at"),
        sa.PrimaryKeyConstraint("id", name="pk_healings"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_healings_scope", "healings", ["application", "pair", "id"])
    op.create_table(
        "healing_stops",
        _id(),
        *_texts("pair", "application", "by", "reason"),
        *_moments("at"),
        *_texts("ended_by"),
        *_moments("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_healing_stops"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_healing_stops_pair", "healing_stops", ["pair", "id"])
