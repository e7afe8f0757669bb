"""Uploads that were begun, so that a process that follows one that died can go on with them.

One small file for each upload of a large blob, mode 0600: an upload's address lets anybody who knows it write
into that upload.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from lockstep.sites.ends import Descriptor

WORTH_BYTES = 8 * 2**20
"""A smaller blob is sooner sent again than asked about."""
# Registries purge what lies about for a week (distribution, "uploadpurging"), clouds after a day or less.
_LIFE_SECONDS = 86_400.0
_MOST_BYTES = 64 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The uploads that were begun at one registry, in one directory; ``now`` is the wall time in seconds."""

    directory: Path
    registry: str
    now: Callable[[], float] = field(default=time.time)

    def keep(self, repository: str, blob: Descriptor, location: str) -> None:
        """Remember an upload. A disk that is full or read-only only costs that memory."""
        if blob.size < WORTH_BYTES:
            return
        file = self._file(repository, blob)
        with contextlib.suppress(OSError):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = file.with_suffix(f".{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as written:
                written.write(orjson.dumps({"location": location, "at": self.now()}))
            draft.replace(file)

    def take(self, repository: str, blob: Descriptor) -> str:
        """The address of an upload that was begun, for the one who asks first; empty when there is none."""
        if blob.size < WORTH_BYTES:
            return ""
        file = self._file(repository, blob)
        claimed = file.with_suffix(f".{os.getpid()}.claimed")
        try:
            file.replace(claimed)  # of two that ask at once, one gets it
            raw = claimed.read_bytes()[:_MOST_BYTES]
            claimed.unlink()
            said = orjson.loads(raw)
        except (OSError, orjson.JSONDecodeError):
            return ""
        fresh = isinstance(said, dict) and isinstance(said.get("at"), float) and self.now() - said["at"] < _LIFE_SECONDS
        location = said.get("location") if fresh else None
        return location if isinstance(location, str) else ""

    def forget(self, repository: str, blob: Descriptor) -> None:
        """It has ended."""
        if blob.size >= WORTH_BYTES:
            with contextlib.suppress(OSError):
                self._file(repository, blob).unlink(missing_ok=True)

    def _file(self, repository: str, blob: Descriptor) -> Path:
        key = hashlib.sha256(f"{self.registry}\n{repository}\n{blob.digest}".encode()).hexdigest()
        return self.directory / f"{key}.json"
