"""A database that is not the one that was opened, or not ours any more, is told from a sound one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from lockstep.store import migrate
from lockstep.store.database import Database, open_database
from lockstep.store.soundness import Soundness


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    """A database of the test's own, which it may spoil."""
    opened = open_database(empty_database_url)
    migrate.upgrade(opened)
    yield opened
    opened.close()


def test_a_database_with_our_tables_is_sound(database: Database) -> None:
    """On SQLite and on PostgreSQL; it may be asked again and again."""
    soundness = Soundness(database)
    assert [soundness.problem(), soundness.problem()] == ["", ""]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE lockstep_version SET version_num = 'later'", "another version (later)"),
        ("DELETE FROM lockstep_version", "another version (None)"),
        ("DROP TABLE lockstep_version", "not the tables of this program"),
    ],
)
def test_other_tables_are_a_problem(database: Database, statement: str, problem: str) -> None:
    """A newer program moved them on, or somebody took them away."""
    soundness = Soundness(database)
    with database.write() as connection:
        connection.execute(text(statement))
    assert problem in soundness.problem()


def test_a_file_that_was_deleted_or_replaced_is_a_problem(file_database: Database, tmp_path: Path) -> None:
    """SQLite itself goes on answering, and what is written now is lost."""
    soundness, file = Soundness(file_database), Path(file_database.address)
    kept = tmp_path / "kept.db"
    file.rename(kept)
    assert "deleted or replaced" in soundness.problem()
    file.touch()
    assert "deleted or replaced" in soundness.problem()
    kept.replace(file)
    assert soundness.problem() == ""
