"""The token of this installation: made at the first start, kept in a file that only we can read.

Whoever can read the file may sign in. What a request brings is compared by hash, in constant time. Sessions
carry the token's mark, so that a new token ends every one.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from lockstep import errors

_log = logging.getLogger(__name__)
_BYTES = 32
# A token that somebody put there must at least not be guessable.
_SHORTEST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of the token while the service runs: its digest."""

    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> Token:
        """The token of this text."""
        return cls(digest=_digest(text))

    def matches(self, text: str) -> bool:
        """Whether somebody brought the token."""
        return hmac.compare_digest(_digest(text), self.digest)

    @property
    def mark(self) -> str:
        """Eight letters by which installations, and tokens of one installation, are told apart; it proves nothing."""
        return hashlib.sha256(self.digest).hexdigest()[:8]


def open_token(file: Path) -> tuple[Token, str]:
    """The installation's token, made when there is none.

    Returns:
        The token; and its text when it was made just now, to be printed once, else an empty text.

    Raises:
        InputError: The file holds no token, or cannot be read or written.
    """
    made = secrets.token_urlsafe(_BYTES)
    try:
        created = _create(file, made)
        text = file.read_text(encoding="utf-8").strip()
        mode = stat.S_IMODE(file.stat().st_mode)
    except (OSError, UnicodeDecodeError) as error:
        raise errors.InputError(
            f"The token file {file} cannot be used: {error}", remedy="Make its directory writable for Lockstep."
        ) from error
    if len(text) < _SHORTEST:
        raise errors.InputError(
            f"The token file {file} holds no token of {_SHORTEST} letters or more.",
            remedy="Delete it, and Lockstep makes a new one at its next start.",
        )
    if mode & 0o077:
        _log.warning("Others on this machine may read the token file %s (mode %o); make its mode 0600.", file, mode)
    return Token.of(text), text if created else ""


def _create(file: Path, text: str) -> bool:
    """Put the file there whole, or not at all; whether it was us (several processes may start at once)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists():
        return False
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as draft_file:
        draft_file.write(f"{text}\n")
        draft_file.flush()
        os.fsync(draft_file.fileno())
    try:
        # Unlike a rename, a link never replaces what another process put there a moment ago.
        os.link(draft, file)
    except FileExistsError:
        return False
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
    return True


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
