"""Processes that must not outlive the work that started them.

Each job runs in a ``Scope``; whatever it starts here is on a leash that the job's heartbeat renews. A worker
that dies or freezes loses its children before the lease of its job ends, so that two workers never do the
same thing at once. Commands are argument lists, never a shell's line, and get a clean environment.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, TypeAlias

from lockstep import errors, leash

_CHUNK = 65536
# What poll(2) takes: 24 days.
_MOST_MILLISECONDS = 2.0**31 - 1


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


class Scope:
    """The children of one piece of work, and until when they may live. Safe to share between threads.

    Args:
        until: The moment at which the lease of the work ends, as ``time.monotonic`` tells it; 0: it has none.
            It is a moment and not a duration, so that no pause between setting and reading it makes it later.
    """

    def __init__(self, *, until: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._until = until
        self._controls: set[int] = set()
        self._fleeting: set[Callable[[], None]] = set()
        self._closed = False

    @property
    def until(self) -> float:
        """The end of the lease; 0: there is none."""
        return self._until

    @property
    def lost(self) -> bool:
        """Whether the lease ended, or somebody killed the children."""
        return self._closed or 0 < self._until <= time.monotonic()

    def renew(self, until: float) -> None:
        """The lease was extended: let the children live on until this moment."""
        with self._lock:
            self._until = until
            for control in self._controls:
                with contextlib.suppress(BrokenPipeError, BlockingIOError):
                    os.write(control, leash.renewal(until))

    def kill(self) -> None:
        """Kill every child, and any that is started from now on."""
        with self._lock:
            self._closed = True
            for control in self._controls:
                os.close(control)
            self._controls.clear()
            for end in self._fleeting:
                end()

    @contextlib.contextmanager
    def charge(self, end: Callable[[], None]) -> Iterator[None]:
        """Take charge of a child without a leash while the block lasts: ``end`` kills it."""
        with self._lock:
            self._fleeting.add(end)
            if self._closed:
                end()
        try:
            yield
        finally:
            with self._lock:
                self._fleeting.discard(end)
            end()

    def add(self, control: int) -> None:
        """Take charge of a child by the writing end of its leash."""
        with self._lock:
            if self._closed:
                os.close(control)
            else:
                self._controls.add(control)

    def remove(self, control: int) -> None:
        """Let go of a child: it ends if it has not."""
        with self._lock:
            if control in self._controls:
                self._controls.discard(control)
                os.close(control)


_current: ContextVar[Scope | None] = ContextVar("lockstep_children", default=None)


@contextlib.contextmanager
def scope(of: Scope) -> Iterator[Scope]:
    """Everything started inside belongs to this scope; at the end nothing of it is left."""
    token = _current.set(of)
    try:
        yield of
    finally:
        _current.reset(token)
        of.kill()


class Stop:
    """Ends, from another thread, the one command that was given it; a command that begins later ends at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kill: Callable[[], None] | None = None
        self._asked = False

    @property
    def asked(self) -> bool:
        """Whether somebody wanted the command to end."""
        return self._asked

    def __call__(self) -> None:
        """End the command, with everything that it started."""
        with self._lock:
            self._asked = True
            if self._kill is not None:
                self._kill()

    def arm(self, kill: Callable[[], None] | None) -> None:
        """Say how the command is ended; None once it has ended by itself."""
        with self._lock:
            self._kill = kill
            if kill is not None and self._asked:
                kill()


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


def run(
    command: Command,
    *,
    on_output: Callable[[bytes], None] | None = None,
    on_stdout: Callable[[bytes], None] | None = None,
    spawn: Spawn | None = None,
    stop: Stop | None = None,
) -> Finished:
    """Run a command to its end.

    Args:
        command: What to run, and within which bounds.
        on_output: Receives stdout and stderr together as they come, instead of collecting them.
        on_stdout: Receives stdout alone as it comes; stderr is collected. What either of the two raises ends
            the command and is raised here.
        spawn: Starts the leash, with the command behind it.
        stop: Ends the command from another thread.

    Raises:
        MissingToolError: There is no such program or directory.
        InputError: The environment cannot be.
        LostWorkError: It was killed because the lease ended or its worker stops; how it ended says nothing.
    """
    owner = _current.get() or Scope()
    begin = _fleeting if command.fleeting else _leashed
    with begin(command, owner, spawn or _Popen(merged=on_output is not None)) as (process, end):
        stop = stop or Stop()
        stop.arm(end)
        try:
            collector = _Collector(process, end, on_output or on_stdout, command.most_bytes)
            finished = collector.finish(command.timeout_seconds)
        finally:
            stop.arm(None)
            end()
            process.wait()
    if owner.lost:
        raise errors.LostWorkError(f"{command.argv[0]} was ended: its work is not ours any longer.")
    return finished


_Begun: TypeAlias = tuple[subprocess.Popen[bytes], Callable[[], None]]
"""A process, and how it is ended with everything that it started."""


@contextlib.contextmanager
def _leashed(command: Command, owner: Scope, spawn: Spawn) -> Iterator[_Begun]:
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
def _fleeting(command: Command, owner: Scope, spawn: Spawn) -> Iterator[_Begun]:
    if command.identity or command.most_file_bytes or command.most_memory_bytes:
        raise ValueError("a command with an identity or limits of its own needs a leash")
    entries = _block(command.env).split(b"\0")[:-1]
    bare = ["env", "-i", *(os.fsdecode(entry) for entry in entries), *command.argv]
    with _in_memory(command.stdin) as stdin, _typed(command):
        process = spawn(bare, cwd=command.cwd, stdin=stdin.fileno(), pass_fds=())

    def end() -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    with owner.charge(end):
        yield process, end


@dataclass(frozen=True, slots=True, kw_only=True)
class _Popen:
    """How the leash is started when nobody insists on another way."""

    merged: bool

    def __call__(
        self, argv: Sequence[str], *, cwd: Path | None, stdin: int, pass_fds: tuple[int, ...]
    ) -> subprocess.Popen[bytes]:
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
    with _in_memory(_block(command.env)) as env, _in_memory(command.stdin) as stdin:
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


def _in_memory(data: bytes) -> IO[bytes]:
    """A file that no disk ever sees, at its beginning."""
    file = os.fdopen(os.memfd_create("lockstep"), "w+b")
    file.write(data)
    file.seek(0)
    return file


def _ends(process: subprocess.Popen[bytes], seconds: float | None) -> bool:
    """Wait for the end of a process; whether it came in time.

    The kernel tells at once (pidfd_open(2)), where ``Popen.wait`` looks again every 50 ms: for a command of a few
    milliseconds that is most of the time that it seems to take.
    """
    if seconds is None:
        return True
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or older than 5.3
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.returncode is not None
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(min(seconds * 1000, _MOST_MILLISECONDS)))
    finally:
        os.close(descriptor)


class _Collector:
    """Reads what a process writes, in one thread for each pipe, until it ends or has to be ended."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        kill: Callable[[], None],
        on_stdout: Callable[[bytes], None] | None,
        most_bytes: int,
    ) -> None:
        self._process = process
        self._kill = kill
        self._on_stdout = on_stdout
        self._most_bytes = most_bytes
        self._collected: dict[str, bytearray] = {"out": bytearray(), "err": bytearray()}
        self._raised: list[BaseException] = []
        self._cut = False

    def finish(self, timeout_seconds: float | None) -> Finished:
        readers = [
            threading.Thread(target=self._read, args=(name, pipe), daemon=True)
            for name, pipe in (("out", self._process.stdout), ("err", self._process.stderr))
            if pipe is not None
        ]
        for reader in readers:
            reader.start()
        timed_out = not _ends(self._process, timeout_seconds)
        if timed_out:
            self._kill()
        status = self._process.wait()
        code = status if status >= 0 else 128 - status
        for reader in readers:
            reader.join()
        if self._raised:
            raise self._raised[0]
        out, err = (bytes(self._collected[name]) for name in ("out", "err"))
        return Finished(code=code, out=out, err=err, timed_out=timed_out, cut=self._cut)

    def _read(self, name: str, pipe: IO[bytes]) -> None:
        take = self._on_stdout if name == "out" and self._on_stdout else self._collect(name)
        with pipe:
            while chunk := os.read(pipe.fileno(), _CHUNK):
                try:
                    take(chunk)
                except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
                    self._raised.append(error)
                    self._kill()
                    return

    def _collect(self, name: str) -> Callable[[bytes], None]:
        collected = self._collected[name]

        def collect(chunk: bytes) -> None:
            collected.extend(chunk)
            if len(collected) > self._most_bytes:
                self._cut = True
                self._kill()

        return collect
