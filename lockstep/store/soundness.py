"""Whether a database is still the one that was opened, with the tables of this program: for probes.

A SQLite file that was deleted or replaced goes on answering those who have it open, and forgets everything when
they end. So the file is looked at beside the question.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import column, select, table
from sqlalchemy.exc import DatabaseError

from lockstep import errors
from lockstep.store import migrate
from lockstep.store.database import Database


class Soundness:
    """Knows the file that was opened, and can look again. It opens nothing before it is asked.

    Args:
        opened: The database.
    """

    def __init__(self, opened: Database) -> None:
        self._database = opened
        self._file = Path(str(opened.engine.url.database)) if opened.dialect == "sqlite" else None
        self._identity = self._look()

    def problem(self) -> str:
        """What is wrong with it now, for people; empty when nothing is."""
        if self._file and self._look() != self._identity:
            return f"the file {self._file} is not the one that was opened: it was deleted or replaced"
        known = table(migrate.VERSION_TABLE, column("version_num"))
        try:
            with self._database.read() as connection:
                revision = connection.execute(select(known.c.version_num)).scalar_one_or_none()
        except errors.LockstepError as error:
            return error.message
        except DatabaseError:
            return f"{self._database.address} has not the tables of this program"
        if revision != migrate.newest_revision():
            return f"{self._database.address} has the tables of another version ({revision})"
        return ""

    def _look(self) -> tuple[int, int] | None:
        """Which file has the name now; None when there is none, or nobody can say."""
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
