"""Runs git: through GitPython, on a leash. The one module that imports it."""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lockstep import children, errors
from lockstep.sites.git import progress
from lockstep.sites.git.access import base_environment

if TYPE_CHECKING:
    from git.cmd import Git

NOWHERE = Path("/dev/null")
"""No repository: git would read the configuration of whichever one we were started in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One git command."""

    arguments: Sequence[str]
    """After ``git``; never a secret."""
    directory: Path = NOWHERE
    """The bare repository that it works in."""
    env: Mapping[str, str] | None = None
    """Its whole environment; one that lets it talk to nobody by default."""
    stdin: bytes = b""
    """What it reads."""
    timeout_seconds: float = 600.0
    """It is killed after this, with everything that it started."""
    most_bytes: int = 256 * 2**20
    """It is killed once it has written this much."""
    most_file_bytes: int = 0
    """No file that it writes may grow beyond this; 0: no limit."""
    most_memory_bytes: int = 0
    """Its address space may not grow beyond this; 0: no limit."""
    fleeting: bool = False
    """It only reads a repository on this machine, in a moment, and nothing secret is in its environment."""


class Sieve(Protocol):
    """Takes out of stderr what it understands."""

    def feed(self, chunk: bytes) -> bytes:
        """Take the next piece; hand back what is to be kept of it."""
        ...

    def rest(self) -> bytes:
        """What was begun and not ended, once git has ended."""
        ...


def run(
    call: Call,
    *,
    on_stdout: Callable[[bytes], None] | None = None,
    heard: progress.Heard | None = None,
    sieve: Sieve | None = None,
) -> children.Finished:
    """Run one git command to its end; it is for the caller to see how it ended.

    Args:
        call: What to run, and within which bounds.
        on_stdout: Receives what it writes as it comes; what it raises ends the command.
        heard: Is told how far it is, where it was asked to tell (``--progress``).
        sieve: Takes something else out of what it writes to stderr.

    Raises:
        MissingToolError: Git is not installed.
    """
    command = children.Command(
        argv=["git", f"--git-dir={call.directory}", *call.arguments],
        env=call.env if call.env is not None else base_environment(),
        stdin=call.stdin,
        timeout_seconds=call.timeout_seconds,
        most_bytes=call.most_bytes,
        most_file_bytes=call.most_file_bytes,
        most_memory_bytes=call.most_memory_bytes,
        fleeting=call.fleeting,
    )
    sieves = [one for one in (progress.Reader(heard) if heard else None, sieve) if one is not None]
    if not sieves:
        return children.run(command, on_stdout=on_stdout, spawn=_through_gitpython)

    def kept(chunk: bytes) -> bytes:
        return functools.reduce(lambda left, one: one.feed(left), sieves, chunk)

    finished = children.run(command, on_stdout=on_stdout, on_stderr=kept, spawn=_through_gitpython)
    rest = functools.reduce(lambda left, one: one.feed(left) + one.rest(), sieves, b"")
    return replace(finished, err=finished.err + rest)


def _through_gitpython(
    argv: Sequence[str], *, cwd: Path | None, stdin: int, pass_fds: tuple[int, ...]
) -> subprocess.Popen[bytes]:
    client = _client()(cwd)
    running = client.execute(argv, istream=stdin, as_process=True, pass_fds=pass_fds, start_new_session=True)
    process = running.proc
    assert process is not None  # noqa: S101 - as_process hands over what it has just started
    # Ours from here: GitPython would terminate the leash alone as soon as this wrapper is forgotten.
    running.proc = None
    return process


@functools.cache
def _client() -> type[Git]:
    # Imported at the first use: it looks for git while it is imported, and takes a tenth of a second.
    try:
        from git.cmd import Git
    except ImportError as error:
        raise errors.MissingToolError("git cannot be started.", remedy="Install git 2.31 or later.") from error
    return Git
