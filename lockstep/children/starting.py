"""Starts a command: on a leash, or without one when it only reads and ends by itself."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, TypeAlias

from lockstep import errors, leash
from lockstep.children.command import Command
from lockstep.children.scope import Scope


class Spawn(Protocol):
    """Starts a process with pipes for stdout and stderr: a client that insists on starting its own brings one."""

    def __call__(
        self, argv: Sequence[str], *, cwd: Path | None, stdin: int, pass_fds: tuple[int, ...]
    ) -> subprocess.Popen[bytes]:
        """The process, in a session of its own.

        Raises:
            OSError: There is no such program or directory.
        """
        ...


Begun: TypeAlias = tuple[subprocess.Popen[bytes], Callable[[], None]]
"""A process, and how it is ended with everything that it started."""


@contextlib.contextmanager
def leashed(command: Command, owner: Scope, spawn: Spawn) -> Iterator[Begun]:
    """A command behind a leash that its owner renews, while the block lasts.

    Raises:
        MissingToolError: There is no such program or directory.
        InputError: The environment cannot be.
    """
    control, ours = os.pipe()
    os.set_blocking(ours, False)
    try:
        process = _start(command, control=control, until=owner.until, spawn=spawn)
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(control)
    owner.add(ours)
    yield process, lambda: owner.remove(ours)


@contextlib.contextmanager
def fleeting(command: Command, owner: Scope, spawn: Spawn) -> Iterator[Begun]:
    """A command that only reads and ends by itself, without a leash, while the block lasts.

    Raises:
        MissingToolError: There is no such program or directory.
        InputError: The environment cannot be.
        ValueError: It asks for what only a leash can give.
    """
    if command.identity or command.most_file_bytes or command.most_memory_bytes:
        raise ValueError("a command with an identity or limits of its own needs a leash")
    entries = _block(command.env).split(b"\0")[:-1]
    bare = ["env", "-i", *(os.fsdecode(entry) for entry in entries), *command.argv]
    with in_memory(command.stdin) as stdin, _typed(command):
        process = spawn(bare, cwd=command.cwd, stdin=stdin.fileno(), pass_fds=())

    def end() -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    with owner.charge(end):
        yield process, end


@dataclass(frozen=True, slots=True, kw_only=True)
class Popen:
    """How the leash is started when nobody insists on another way."""

    merged: bool

    def __call__(
        self, argv: Sequence[str], *, cwd: Path | None, stdin: int, pass_fds: tuple[int, ...]
    ) -> subprocess.Popen[bytes]:
        """Start it, as ``Spawn`` says."""
        return subprocess.Popen(
            argv,
            env={},  # the leash needs none; the command's own goes through a file descriptor
            cwd=cwd,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if self.merged else subprocess.PIPE,
            pass_fds=pass_fds,
            start_new_session=True,
        )


def _start(command: Command, *, control: int, until: float, spawn: Spawn) -> subprocess.Popen[bytes]:
    uid, gid = (command.identity.uid, command.identity.gid) if command.identity else (-1, -1)
    with in_memory(_block(command.env)) as env, in_memory(command.stdin) as stdin:
        limits = (command.most_file_bytes, command.most_memory_bytes)
        numbers = (control, env.fileno(), until, uid, gid, *limits)
        leashed = [sys.executable, "-I", "-S", leash.__file__, *(str(number) for number in numbers), "--"]
        with _typed(command):
            return spawn(
                [*leashed, *command.argv], cwd=command.cwd, stdin=stdin.fileno(), pass_fds=(control, env.fileno())
            )


@contextlib.contextmanager
def _typed(command: Command) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise errors.MissingToolError(
            f"{command.argv[0]} cannot be started in {command.cwd or '.'}: {error.strerror}.",
            remedy="Check that the program and the directory are there.",
        ) from error


def _block(env: Mapping[str, str]) -> bytes:
    """An environment as the kernel keeps it: ``NAME=value`` entries, each ended by a zero byte."""
    for name, value in env.items():
        if not name or "=" in name or "\0" in name + value:
            raise errors.InputError(
                f"The environment variable {name!r} cannot be set.",
                remedy="Names have no '=' and are not empty; neither names nor values have a zero byte.",
            )
    return b"".join(os.fsencode(f"{name}={value}\0") for name, value in env.items())


def in_memory(data: bytes) -> IO[bytes]:
    """A file that no disk ever sees, at its beginning."""
    file = os.fdopen(os.memfd_create("lockstep"), "w+b")
    file.write(data)
    file.seek(0)
    return file
