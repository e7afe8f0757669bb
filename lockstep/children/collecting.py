"""Reads what a process writes until it ends, or has to be ended."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import threading
from collections.abc import Callable
from typing import IO

from lockstep.children.command import Finished

_CHUNK = 65536
# What poll(2) takes: 24 days.
_MOST_MILLISECONDS = 2.0**31 - 1


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


class Collector:
    """Reads what a process writes, in one thread for each pipe, until it ends or has to be ended."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        kill: Callable[[], None],
        on_stdout: Callable[[bytes], None] | None,
        most_bytes: int,
        *,
        on_stderr: Callable[[bytes], bytes] | None,
    ) -> None:
        self._process = process
        self._kill = kill
        self._on_stdout = on_stdout
        self._most_bytes = most_bytes
        self._on_stderr = on_stderr
        self._collected: dict[str, bytearray] = {"out": bytearray(), "err": bytearray()}
        self._raised: list[BaseException] = []
        self._cut = False

    def finish(self, timeout_seconds: float | None) -> Finished:
        """Wait for the end, and say how it was.

        Raises:
            Exception: What ``on_stdout`` or ``on_stderr`` raised.
        """
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
        sieve = self._on_stderr if name == "err" else None

        def collect(chunk: bytes) -> None:
            collected.extend(sieve(chunk) if sieve else chunk)
            if len(collected) > self._most_bytes:
                self._cut = True
                self._kill()

        return collect
