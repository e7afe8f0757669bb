"""Secrets of the installation: made once, and nowhere in the database."""

from __future__ import annotations

import concurrent.futures
import stat
from pathlib import Path

import pytest
from sqlalchemy import select

from lockstep import errors
from lockstep.store import tables
from lockstep.store.database import Database
from lockstep.store.keys import Keys


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the root key is to be; its folder is not there yet."""
    return tmp_path / "state" / "key"


def key(database: Database, file: Path, name: str = "sessions") -> str:
    """What a process gets that starts with this file."""
    with database.write() as connection:
        return Keys(file).get_or_create(connection, name)


def test_a_secret_is_the_same_for_every_process(database: Database, file: Path) -> None:
    """The first who asks makes it, all others get the same; another name is another secret."""
    first = key(database, file)
    assert key(database, file) == first
    assert key(database, file, "fingerprints") != first
    assert len(bytes.fromhex(first)) == 32


def test_the_database_holds_no_secret(database: Database, file: Path) -> None:
    """Neither the secret nor the root key is in any row."""
    secret = key(database, file)
    with database.read() as connection:
        stored = connection.execute(select(tables.keys.c.value)).scalar_one()
    assert secret not in stored
    assert file.read_text().strip() not in stored


def test_the_same_database_with_another_file_is_noticed(database: Database, file: Path) -> None:
    """Nobody gets another secret under the same name in silence: old fingerprints would all seem to differ."""
    key(database, file)
    file.unlink()
    with pytest.raises(errors.InputError, match="not the one that this database was used with"):
        key(database, file)


def test_a_copy_of_the_file_is_as_good(database: Database, file: Path, tmp_path: Path) -> None:
    """A second machine with a copy has the same secrets, also where a group may read the file."""
    secret = key(database, file)
    copy = tmp_path / "copy"
    copy.write_bytes(file.read_bytes())
    copy.chmod(0o440)
    assert key(database, copy) == secret


def test_the_file_is_for_its_owner_alone(database: Database, file: Path) -> None:
    """Made closed, in a closed folder."""
    key(database, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o606, 0o777])
def test_a_file_that_is_open_to_others_is_refused(database: Database, file: Path, mode: int) -> None:
    """What others could read or replace is no secret; the remedy can be pasted."""
    key(database, file)
    file.chmod(mode)
    with pytest.raises(errors.InputError, match=f"mode {mode:04o}.*chmod 600"):
        key(database, file)


@pytest.mark.parametrize("content", [b"", b"short", b"zz" * 32, b"ab" * 31, b"\xff" * 64])
def test_a_file_that_holds_no_key_is_refused(database: Database, file: Path, content: bytes) -> None:
    """A cut or foreign file never becomes a weak key."""
    key(database, file)
    file.write_bytes(content)
    with pytest.raises(errors.InputError, match="64 hexadecimal digits"):
        key(database, file)


def test_a_folder_that_cannot_be_written_is_named(database: Database) -> None:
    """The error says which file, before anything is stored."""
    with pytest.raises(errors.InputError, match="/proc/none/key"):
        key(database, Path("/proc/none/key"))


def test_processes_that_start_together_agree(database: Database, file: Path) -> None:
    """Many who ask at the same moment get one secret, though the file and the row are made in a race."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: key(database, file), range(16)))) == 1
