"""The pages on a bank's busy morning."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep.store.database import Database, open_database
from tests.support import bank, pages
from tests.support.pages import House


@pytest.fixture(scope="session")
def busy_morning(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with everything that the pages can show, closed and at rest."""
    file = tmp_path_factory.mktemp("bank") / "bank.db"
    shutil.copy(sqlite_template, file)
    database = open_database(f"sqlite:///{file}")
    bank.fill(database)
    database.close()
    return file


@pytest.fixture
def house(busy_morning: Path, tmp_path: Path) -> Iterator[House]:
    """The pages, with everything that they can show."""
    shutil.copy(busy_morning, tmp_path / "bank.db")
    database = open_database(f"sqlite:///{tmp_path / 'bank.db'}")
    yield pages.house(database)
    database.close()


@pytest.fixture
def empty_house(file_database: Database) -> House:
    """The pages of an installation that was started a moment ago."""
    return pages.house(file_database)
