"""What Alembic runs to change the tables, on the connection that ``migrate`` hands over."""

from __future__ import annotations

from alembic import context

_attributes = context.config.attributes

context.configure(connection=_attributes["connection"], version_table=_attributes["version_table"])
context.run_migrations()
