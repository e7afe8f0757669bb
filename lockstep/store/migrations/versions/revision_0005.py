"""What a comparison explained stands beside it, so that writing one change does not write all of that again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the new table; the next comparison fills it."""
    op.create_table(
        "explained",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("application", "pair", "rows")),
        sa.PrimaryKeyConstraint("application", "pair", name="pk_explained"),
    )
