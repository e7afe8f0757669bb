"""Brings a database to the tables of this program, once, whoever starts first.

Every process does this at its start. They take turns by a lock, and the whole of it is one transaction: a
process that dies in the middle leaves nothing half made.
"""

from __future__ import annotations

import functools
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from lockstep import errors
from lockstep.store import database, tables

_SCRIPTS = Path(__file__).with_name("migrations")
VERSION_TABLE = "lockstep_version"
"""Where the revision of the tables stands."""


def upgrade(opened: database.Database) -> None:
    """Make or change the tables until they are those of this program.

    Raises:
        InputError: The database was used by a newer program, or belongs to another one.
        UnreachableError: It does not answer.
    """
    with opened.write() as connection:
        database.lock(connection, database.Lock.MIGRATE)
        config = _config()
        config.attributes["connection"] = connection
        config.attributes["version_table"] = VERSION_TABLE
        if not _is_current(connection, config, opened.address):
            command.upgrade(config, "head")


@functools.cache
def newest_revision() -> str | None:
    """The revision of the tables that this program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    # Alembic's own file would take a percent sign in a path for a variable.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def _is_current(connection: Connection, config: Config, address: str) -> bool:
    """Whether nothing is to be done.

    Raises:
        InputError: The tables are not ours, or not ours any longer.
    """
    revision = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    scripts = ScriptDirectory.from_config(config)
    if revision is None:
        foreign = sorted(tables.metadata.tables.keys() & set(inspect(connection).get_table_names()))
        if foreign:
            raise errors.InputError(
                f"The database {address} has tables of another program: {', '.join(foreign)}.",
                remedy="Give Lockstep a database of its own.",
            )
    elif revision not in {script.revision for script in scripts.walk_revisions()}:
        raise errors.InputError(
            f"The database {address} was used by a newer Lockstep (its tables are of revision {revision}).",
            remedy="Start that version or a later one, or restore the backup from before its first start.",
        )
    return revision == scripts.get_current_head()
