"""Secrets of the installation itself, made once and the same for all its processes: by name.

The database never holds one. It holds a random number for each name; the secret is an HMAC of that number
under a root key, which is in a file that only this user can read. So a stolen dump gives nothing away, and a
dump that is restored beside another key file is noticed, because a check of the key is stored with the number.
Processes on several machines need a copy of the same file.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from pathlib import Path

from sqlalchemy import Connection, select

from lockstep import errors
from lockstep.store import database, tables

# 256 bits, as hexadecimal digits.
_BYTES = 32
# Whoever else may change it or look into it. A group may read: that is how Kubernetes mounts a Secret.
_TOO_OPEN = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO


class Keys:
    """The secrets that belong to one root key.

    Args:
        file: Where the root key is, or is to be made.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def get_or_create(self, connection: Connection, name: str) -> str:
        """The secret of this name, 64 hexadecimal digits; the same for ever, whoever asks first.

        Raises:
            InputError: The key file is not the one that the database was used with, or can be read by others.
        """
        root = _root(self._file)
        row = select(tables.keys.c.value).where(tables.keys.c.name == name)
        stored = connection.execute(row).scalar_one_or_none()
        if stored is None:
            number = secrets.token_hex(_BYTES)
            values = {"name": name, "value": f"{number}:{_derive(root, 'check', name, number)}"}
            insert = database.insert(connection, tables.keys).values(**values, at=database.now(connection))
            connection.execute(insert.on_conflict_do_nothing())
            stored = connection.execute(row).scalar_one()
        number, _, check = stored.partition(":")
        if not hmac.compare_digest(check, _derive(root, "check", name, number)):
            raise errors.InputError(
                f"The key file {self._file} is not the one that this database was used with.",
                remedy=f"Bring that one back, or remove the row {name!r} of the table keys: what it protected is void.",
            )
        return _derive(root, "secret", name, number)


def _derive(root: bytes, purpose: str, name: str, number: str) -> str:
    return hmac.new(root, f"{purpose}\n{number}\n{name}".encode(), hashlib.sha256).hexdigest()


def _root(file: Path) -> bytes:
    if not file.exists():
        _make(file)
    mode = file.stat().st_mode
    if mode & _TOO_OPEN:
        raise errors.InputError(
            f"The key file {file} is open to others (mode {stat.S_IMODE(mode):04o}).", remedy=f"chmod 600 {file}"
        )
    text = file.read_text(encoding="ascii", errors="replace").strip()
    with contextlib.suppress(ValueError):
        if len(root := bytes.fromhex(text)) >= _BYTES:
            return root
    raise errors.InputError(
        f"The key file {file} does not hold {2 * _BYTES} hexadecimal digits.", remedy="Bring back the right file."
    )


def _make(file: Path) -> None:
    """Make the file whole or not at all, and never over one that another process made meanwhile."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # In a folder of our own first, on the same disk: a link appears whole, and only where nothing is.
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=".key-") as folder:
            made = Path(folder) / "key"
            _write_durably(made, secrets.token_hex(_BYTES) + "\n")
            with contextlib.suppress(FileExistsError):
                file.hardlink_to(made)
        _sync(file.parent)
    except OSError as error:
        raise errors.InputError(
            f"The key file {file} cannot be made: {error.strerror}.", remedy="Name a folder that this user may write."
        ) from error


def _write_durably(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())


def _sync(folder: Path) -> None:
    """A database must not remember a key whose file a power cut took away."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
