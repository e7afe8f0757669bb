"""What all tables share: their metadata, and the primary key that counts up."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives ids by itself to INTEGER PRIMARY KEY only; PostgreSQL deserves eight bytes.
BIG: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")


def identity() -> Column[int]:
    """The primary key that the database counts up.

    A table that has it says ``sqlite_autoincrement=True``: else SQLite gives the ids of removed rows again, and
    what still names an old row would find a new one.
    """
    return Column("id", BIG, primary_key=True, autoincrement=True)
