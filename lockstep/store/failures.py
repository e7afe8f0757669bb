"""What a database says when it fails, in the words of the project's error tree.

It decides by codes (SQLite's result codes, PostgreSQL's SQLSTATE), never by the text of a message. What it
does not know is a mistake of ours and stays as it is: nothing here turns it into a reason to try again.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from lockstep import errors


@contextlib.contextmanager
def translated(address: str) -> Iterator[None]:
    """Raise what the database says inside as an error of the tree.

    Args:
        address: The database, as people may see it: without a password.
    """
    try:
        yield
    except DBAPIError as error:
        failure = explain(error.orig, address)
        if failure is None:
            raise
        raise failure from error
    except PoolTimeoutError as error:
        raise errors.UnreachableError(
            f"All connections to the database {address} are in use.", remedy="Run fewer threads in one process."
        ) from error


def explain(error: BaseException | None, address: str) -> errors.LockstepError | None:
    """The error of the tree for what a driver raised; None when it is a mistake in the program."""
    made = None
    if isinstance(error, sqlite3.Error):
        # The driver gives no code for what it refuses by itself.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        made = _SQLITE.get(code) or _SQLITE.get(code & 0xFF)
    elif isinstance(error, psycopg.Error):
        state = error.sqlstate or _state_without_server(error)
        made = _POSTGRESQL.get(state) or _POSTGRESQL.get(state[:2])
    return made(f"The database {address}", error) if made and error else None


def _state_without_server(error: psycopg.Error) -> str:
    """The class of what the driver found out by itself: no connection, or a value that it cannot send."""
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return "08"
    return "22" if isinstance(error, psycopg.DataError) else ""


def _silent(database: str, error: BaseException) -> errors.LockstepError:
    said = str(error).partition("\n")[0]
    return errors.UnreachableError(
        f"{database} cannot be reached: {said}.", remedy="Check that it runs, its disk, and the URL with its user."
    )


def _locked(database: str, _error: BaseException) -> errors.LockstepError:
    return errors.UnreachableError(
        f"{database} stays locked by another process.", remedy="Look for one that is stopped, or end it."
    )


def _stood_still(database: str, _error: BaseException) -> errors.LockstepError:
    return errors.UnreachableError(
        f"{database} ended a transaction that stood still.", remedy="Nothing of it was written: try again."
    )


def _full(database: str, _error: BaseException) -> errors.LockstepError:
    return errors.TemporaryError(f"{database} is full.", remedy="Make room on its disk: what was accepted is kept.")


def _read_only(database: str, _error: BaseException) -> errors.LockstepError:
    return errors.ForbiddenError(f"{database} may not be written.", remedy="Give this user the right to write it.")


def _damaged(database: str, _error: BaseException) -> errors.LockstepError:
    return errors.IntegrityError(
        f"{database} is damaged, or is no database.", remedy="Restore its last backup, or name another one."
    )


def _conflict(database: str, _error: BaseException) -> errors.LockstepError:
    return errors.ConflictError(f"{database} was changed by somebody else at the same moment.", remedy="Try again.")


def _unstorable(database: str, _error: BaseException) -> errors.LockstepError:
    return errors.InputError(f"{database} cannot keep a value of this size or form.", remedy="Hand over less.")


# https://www.sqlite.org/rescode.html: extended codes, or primary ones, which are their lowest byte.
_SQLITE = {
    sqlite3.SQLITE_BUSY: _locked,
    sqlite3.SQLITE_LOCKED: _locked,
    sqlite3.SQLITE_FULL: _full,
    sqlite3.SQLITE_IOERR: _silent,
    sqlite3.SQLITE_CANTOPEN: _silent,
    sqlite3.SQLITE_PROTOCOL: _silent,
    sqlite3.SQLITE_READONLY: _read_only,
    sqlite3.SQLITE_PERM: _read_only,
    sqlite3.SQLITE_CORRUPT: _damaged,
    sqlite3.SQLITE_NOTADB: _damaged,
    sqlite3.SQLITE_TOOBIG: _unstorable,
    # Another row is in the way, or gone. Other constraints that fail are mistakes of ours.
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: _conflict,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: _conflict,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: _conflict,
}

# https://www.postgresql.org/docs/current/errcodes-appendix.html: codes, or classes, their first two characters.
_POSTGRESQL = {
    "08": _silent,  # connection exception
    "22": _unstorable,  # data exception
    "23503": _conflict,  # foreign key violation
    "23505": _conflict,  # unique violation
    "25006": _read_only,  # read-only transaction
    "25P03": _stood_still,  # idle in transaction session timeout
    "40": _conflict,  # transaction rollback: serialization failure, deadlock
    "42501": _read_only,  # insufficient privilege
    "53": _silent,  # insufficient resources: memory, connections
    "53100": _full,  # disk full
    "54": _unstorable,  # program limit exceeded
    "55P03": _locked,  # lock not available
    "57": _silent,  # operator intervention: shut down, cannot connect now, query canceled
    "58": _silent,  # system error
    "XX001": _damaged,  # data corrupted
    "XX002": _damaged,  # index corrupted
}
