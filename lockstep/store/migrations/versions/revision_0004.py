"""Since when an image is lacking at a site, and since when it is there: the lag."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the moments; of what is recorded already nobody knows them."""
    for name in ("pushed_at", "equal_at"):
        op.add_column("image_mirrors", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
