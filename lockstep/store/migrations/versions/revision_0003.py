"""Reports of preflights, whole, so that each can be shown and verified again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the new table."""
    op.create_table(
        "preflights",
        # As lockstep/store/tables/base.py has it: SQLite counts up INTEGER PRIMARY KEY only.
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("name", "pair", "application", "verdict", "statement", "by", "report")
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_preflights"),
        sa.UniqueConstraint("name", name="uq_preflights_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_preflights_pair", "preflights", ["pair", "application", "id"])
