"""When a finding came and went, what of it was accepted, and since when it is so this time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns; what is recorded already neither flaps nor was accepted."""
    for name in ("opened_at", "away_at", "answered_at"):
        op.add_column("findings", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("findings", sa.Column("changes", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("findings", sa.Column("flapping", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in ("declared", "accepted"):
        op.add_column("findings", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("beliefs", sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True))
