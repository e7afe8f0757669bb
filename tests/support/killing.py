"""Processes that are killed in the middle of what they do: at each step of it, or while they go on."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

# What the interpreter tells an audit hook before it does it: every change to the file system, and every lock.
_STEPS = frozenset({"open", "os.link", "os.rename", "os.remove", "os.mkdir", "fcntl.fcntl", "fcntl.flock", "test.step"})


def killed_at_each_step(work: Callable[[], None]) -> Iterator[int]:
    """Run the work again and again, each time in a process that is killed one step later.

    Yields the number of the step before which it was killed, after each death; ends when the work came to its
    end. Work that moves bytes can mark steps of its own by ``sys.audit("test.step")``.
    """
    step = 0
    while True:
        step += 1
        child = Forked(work, die_at=step)
        status = child.wait()
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            yield step
            continue
        assert status == 0, f"the work failed by itself, status {status}"
        return


class Forked:
    """A child process that runs some work and ends; killed, at the latest, when its context ends."""

    def __init__(self, work: Callable[[], None], *, die_at: int = 0) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            _run(work, die_at)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """The status that it ended with."""
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return status


def _run(work: Callable[[], None], die_at: int) -> None:
    code = 1
    try:
        if die_at:
            sys.addaudithook(_Killer(die_at))
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - a forked test process must never return into pytest
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


class _Killer:
    def __init__(self, die_at: int) -> None:
        self._left = die_at

    def __call__(self, event: str, _arguments: tuple[object, ...]) -> None:
        if event in _STEPS:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
