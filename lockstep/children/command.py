"""What to run, within which bounds, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The user and group ids that a command runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run, and within which bounds."""

    argv: Sequence[str]
    """The program and its arguments; never a shell's line."""
    env: Mapping[str, str]
    """Its whole environment."""
    cwd: Path | None = None
    """Its working directory."""
    stdin: bytes = b""
    """What it reads."""
    identity: Identity | None = None
    """The user to run as; needs root."""
    timeout_seconds: float | None = None
    """It is killed after this."""
    most_bytes: int = 256 * 2**20
    """It is killed once it has written this much to stdout or to stderr, when its output is collected."""
    most_file_bytes: int = 0
    """No file that it writes may grow beyond this; 0: no limit."""
    most_memory_bytes: int = 0
    """Its address space may not grow beyond this; 0: no limit."""
    fleeting: bool = False
    """It only reads on this machine, and ends by itself in a moment: it is started without a leash, in a third of
    the time, and ended with its scope. That of a killed worker goes on to its end. No secret may be in its
    environment, which others can see, and it has neither an identity of its own nor limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A command that ended: its exit code (128 + n when signal n killed it), and what it wrote."""

    code: int
    out: bytes
    err: bytes
    timed_out: bool = False
    cut: bool = False
    """It was killed because it wrote too much."""

    @property
    def said(self) -> str:
        """What it wrote to stderr, as text, trimmed."""
        return self.err.decode(errors="replace").strip()
