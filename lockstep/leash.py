"""A small program that stands between a worker and a command, and lets nothing outlive the worker's lease.

``python -I -S leash.py CONTROL LEASE UID GID -- COMMAND...``

It runs the command in a process group of its own, as another user when it may, and watches the pipe
``CONTROL``: every byte renews the lease. When the pipe closes (the worker died, by SIGKILL too) or stays
silent for ``LEASE`` seconds (the worker was frozen; 0: no limit), the command and everything that it started
is killed: by then another worker may have taken the work over. It imports nothing of the project and keeps
no state, because it must start fast and run as root beside a stranger's code.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def _adopt_orphans() -> None:
    """Become the parent of what daemonises away, where the kernel can (Linux), so that it can be found."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _start(command: list[str], uid: int, gid: int, control: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.setpgid(0, 0)
        os.close(control)
        if uid >= 0:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    os._exit(127 if not isinstance(sys.exc_info()[1], PermissionError) else 126)


def _kill_all(child: int) -> None:
    """Kill the group, then whatever left it and became ours."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    for _ in range(1000):
        for pid in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def _watch(child: int, control: int, lease: float, wake: int) -> int:
    """Wait for the command or for the end of the lease; the exit code as a shell would tell it."""
    while True:
        ready, _, _ = select.select([control, wake], [], [], lease or None)
        if wake in ready:
            os.read(wake, 4096)
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
        if not ready or (control in ready and not os.read(control, 4096)):
            return 128 + signal.SIGKILL


def main(arguments: list[str]) -> int:
    """Run one command on a leash; its exit code."""
    control, lease, uid, gid = int(arguments[0]), float(arguments[1]), int(arguments[2]), int(arguments[3])
    command = arguments[5:]
    wake, wake_end = os.pipe()
    os.set_blocking(wake_end, False)
    signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _adopt_orphans()
    child = _start(command, uid, gid, control)
    try:
        return _watch(child, control, lease, wake)
    finally:
        _kill_all(child)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
