"""A small program that stands between a worker and a command, and lets nothing outlive the worker's lease.

``python -I -S leash.py CONTROL ENVIRONMENT UNTIL UID GID FILE_BYTES MEMORY_BYTES -- COMMAND...``

It runs the command in a process group of its own, as another user when it may, and watches the pipe
``CONTROL``. When the pipe closes (the worker died, by SIGKILL too), or the lease ends (the worker was frozen), the
command and everything that it started is killed: from then on another worker may take the work over. The lease
ends at the moment ``UNTIL`` (``time.monotonic``, which the kernel counts for all processes; 0: no lease); each
renewal through the pipe names a later one. The command's environment comes through the
file descriptor ``ENVIRONMENT``, not through ours: a step must not choose what the loader loads into a leash
that runs as root, and no secret stands in the environment of a process that lives longer than its command.
No file that the command writes may grow beyond ``FILE_BYTES``, nor its address space beyond ``MEMORY_BYTES``
(0: no limit). It imports nothing of the project, and little of Python (each module is a millisecond for every
command), and keeps no state.
"""

# The C part of signal: its Python part makes enums of the numbers, and each command would wait 7 ms for them.
import _signal as signal  # type: ignore[import-not-found] # CPython's own; typeshed leaves it out
import ctypes
import os
import resource
import select
import sys
import time
import warnings  # noqa: F401 - os.execvpe imports it, as a user who may not be able to read our Python (pyenv in /root)

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


_KILLED: int = 128 + signal.SIGKILL  # as a shell would tell it
_RENEWAL = 24  # bytes of one renewal; many of them may be read at once, and only the last counts


def renewal(until: float) -> bytes:
    """What a worker writes to the pipe when the lease now ends at this moment."""
    return f"{until:{_RENEWAL}.6f}".encode()


def _adopt_orphans() -> None:
    """Become the parent of what daemonises away, where the kernel can (Linux), so that it can be found."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (OSError, AttributeError):
        return


def _environment(descriptor: int) -> dict[bytes, bytes]:
    """``NAME=value`` entries, each ended by a zero byte, as the kernel itself keeps them."""
    with os.fdopen(descriptor, "rb") as file:
        entries = file.read().split(b"\0")
    return {name: value for name, _, value in (entry.partition(b"=") for entry in entries if entry)}


def _start(command: list[str], arguments: list[str]) -> int:
    control, environment, _, uid, gid, file_bytes, memory_bytes = (int(float(argument)) for argument in arguments)
    env = _environment(environment)
    child = os.fork()
    if child:
        return child
    code = 127
    try:
        os.setpgid(0, 0)
        os.close(control)
        # Python ignores these two; a command expects them as every shell gives them.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        _limit(resource.RLIMIT_FSIZE, file_bytes)
        _limit(resource.RLIMIT_AS, memory_bytes)
        if uid >= 0:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
        os.execvpe(command[0], command, env)
    except PermissionError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        code = 126
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
    sys.stderr.flush()
    os._exit(code)


def _limit(what: int, most: int) -> None:
    """Bound what we may use, for good; a tighter bound that is there already stays."""
    _, hard = resource.getrlimit(what)
    if most and (hard == resource.RLIM_INFINITY or most < hard):
        resource.setrlimit(what, (most, most))


def _kill_all(child: int) -> None:
    """Kill the group, then whatever left it and became ours."""
    _kill(-child)
    for _ in range(1000):
        for pid in _children():
            _kill(pid)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:  # noqa: PTH123 - pathlib costs 10 ms a command
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


def _watch(child: int, control: int, until: float, wake: int) -> int:
    """Wait for the command or for the end of the lease; the exit code as a shell would tell it."""
    while True:
        ready, _, _ = select.select([control, wake], [], [], max(0.0, until - time.monotonic()) if until else None)
        if wake in ready:
            os.read(wake, 4096)
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
        if control in ready:
            renewals = os.read(control, 100 * _RENEWAL)
            if not renewals:
                return _KILLED
            until = float(renewals[-_RENEWAL:])
        elif until and time.monotonic() >= until:
            return _KILLED


def main(arguments: list[str]) -> int:
    """Run one command on a leash; its exit code."""
    control, until = int(arguments[0]), float(arguments[2])
    wake, wake_end = os.pipe()
    os.set_blocking(wake_end, False)
    signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _adopt_orphans()
    child = _start(arguments[8:], arguments[:7])
    try:
        return _watch(child, control, until, wake)
    finally:
        _kill_all(child)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
