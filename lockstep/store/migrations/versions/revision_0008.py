"""What is on its way to sites now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "transfers",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "repository", "site", "stage")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("done", "total", "size")),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("began_at", "told_at")),
        sa.PrimaryKeyConstraint("kind", "repository", "site", name="pk_transfers"),
    )
