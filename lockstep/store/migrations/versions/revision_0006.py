"""What an image consists of: its platforms' manifests and their configurations, by the digest that it is pinned by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the new table; the next look of each mirror fills it."""
    op.create_table(
        "image_parts",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("digest", "parts")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_image_parts"),
    )
