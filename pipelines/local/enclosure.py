"""A small program that runs one step where Tekton's paths are real: its own view of the file system.

``python -I -S enclosure.py`` reads what to do from stdin, a JSON object::

    {"mounts": [[source, path, read_only], ...], "files": [[source, path], ...], "hidden": [path, ...],
     "root": path of an empty folder, "cwd": path, "uid": number or -1, "gid": number, "argv": [...], "env": {...},
     "processes": how many the user of the step may have}

It makes a mount namespace of its own (and one of processes, where the kernel lets it mount their ``/proc``), in
which the machine's own folders are read-only, ``hidden`` ones are empty and ``mounts`` stand at their paths; then
it becomes the user of the step, gives up the way back to root, and runs the command. ``--probe`` tells what this
machine allows: ``processes``, ``mounts`` or ``nothing``. It is one file and imports nothing of the project: it
runs as root beside a stranger's files, with no environment, and must start fast.
"""

import contextlib
import ctypes
import errno
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

# linux/sched.h, linux/mount.h, linux/prctl.h, asm/unistd.h
_NEWNS, _NEWIPC, _NEWUSER, _NEWPID = 0x20000, 0x8000000, 0x10000000, 0x20000000
_RDONLY, _NOSUID, _NODEV, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
_DETACH = 2
_NO_NEW_PRIVS = 38
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "ppc64le": 203, "s390x": 217, "riscv64": 41}
# What is made anew for a step, or comes with its mounts; the rest of the machine is shown as it is.
_OWN = ("proc", "tmp", "run", "workspace", "tekton")
# The one thing below /run that ordinary programs need: where systemd's resolver keeps resolv.conf.
_RESOLVER = "/run/systemd/resolve"

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    function = getattr(_libc, name)
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _mount(source: str, path: str, kind: str | None = None, flags: int = 0, options: bytes | None = None) -> None:
    _call("mount", *(text.encode() if text is not None else None for text in (source, path, kind)), flags, options)


def _unshare(*, processes: bool) -> None:
    """A file system, and processes, of our own; without root in a user namespace of our own."""
    flags = _NEWNS | _NEWIPC | (_NEWPID if processes else 0)
    uid, gid = os.getuid(), os.getgid()
    _call("unshare", flags | (0 if uid == 0 else _NEWUSER))
    if uid != 0:
        for file, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{file}", "w") as opened:
                opened.write(text)
    _mount("none", "/", flags=_REC | _PRIVATE)


def _bind(source: str, path: str, *, read_only: bool = False) -> None:
    _mount(source, path, flags=_BIND | _REC)
    if read_only:
        # Flags that the mount has already must be given again, or the kernel refuses in a user namespace.
        kept = os.statvfs(path).f_flag & (_RDONLY | _NOSUID | _NODEV | 8)
        with contextlib.suppress(OSError):
            _mount("none", path, flags=_BIND | _REMOUNT | _RDONLY | kept | (_NOSUID if os.getuid() == 0 else 0))


def _show_machine(root: str) -> None:
    """The machine's own folders and links, but for those that are made anew."""
    for entry in os.scandir("/"):
        path = f"{root}/{entry.name}"
        if entry.name in _OWN:
            continue
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), path)
        elif entry.is_dir():
            os.mkdir(path)
            _bind(entry.path, path, read_only=entry.name != "dev")
        else:
            os.close(os.open(path, os.O_CREAT))
            _bind(entry.path, path, read_only=True)
    for name in _OWN:
        os.mkdir(f"{root}/{name}")
    if os.path.isdir(_RESOLVER):
        os.makedirs(root + _RESOLVER)
        _bind(_RESOLVER, root + _RESOLVER, read_only=True)


def _absolute(path: str) -> str:
    """From the top, and never above it: one slash in front, no ``..`` left."""
    return os.path.normpath("/" + path.lstrip("/"))


def _make(path: str) -> None:
    """Make a folder where there is none, also below a folder of the machine: there over a copy that is thrown away."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        top = path.split("/")[1]
        over = f"/.over/{top}"
        os.makedirs(f"{over}/upper")
        os.makedirs(f"{over}/work")
        options = f"lowerdir=/{top},upperdir={over}/upper,workdir={over}/work"
        if os.getuid() != 0:
            options += ",userxattr"
        _mount("overlay", f"/{top}", "overlay", options=options.encode())
        os.makedirs(path, exist_ok=True)


def _enter(root: str) -> str:
    """Make the new file system ours; where the old one stands in it, until it is taken away.

    Nobody can guess the place: a link that an earlier step left in a folder of its own leads nowhere.
    """
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(errno.ENOSYS, f"pivot_root: its number is not known for {os.uname().machine}")
    old = f"/.{os.urandom(16).hex()}"
    os.mkdir(root + old)
    os.chdir(root)
    _call("syscall", number, root.encode(), (root + old).encode())
    os.chdir("/")
    return old


def _show(order: dict[str, Any], old: str) -> None:
    """Put the step's own folders where it expects them, and empty ones over what it must not see."""
    mounts = sorted((_absolute(path), old + source, read_only) for source, path, read_only in order["mounts"])
    for path, source, read_only in mounts:
        _make(path)
        _bind(source, path, read_only=read_only)
    for source, path in order["files"]:
        _bind(old + source, path, read_only=True)
    for hidden in order["hidden"]:
        _hide(hidden, [mount for mount in mounts if mount[0].startswith(f"{hidden}/")])
    cwd = _absolute(order["cwd"])
    if not os.path.isdir(cwd):
        _make(cwd)
        if order["uid"] >= 0:
            os.chown(cwd, order["uid"], order["gid"])
    _call("umount2", old.encode(), _DETACH)
    os.rmdir(old)


def _hide(hidden: str, inside: list[tuple[str, str, bool]]) -> None:
    """Put nothing over a folder or file; what the step mounts inside of it is all that it sees there.

    It is done last: a folder that was made below one of the machine's brings a copy of that to light.
    """
    if not os.path.isdir(hidden):
        if os.path.exists(hidden):
            _bind("/dev/null", hidden)
        return
    _mount("none", hidden, "tmpfs", 0, b"mode=711,size=64k" if inside else b"mode=000,size=4k")
    for path, source, read_only in inside:
        os.makedirs(path, exist_ok=True)
        _bind(source, path, read_only=read_only)
    _mount("none", hidden, flags=_BIND | _REMOUNT | _RDONLY)


def _become(order: dict[str, Any]) -> None:
    """The user of the step, with no way back: no capability, no program that would give one."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if order["uid"] >= 0:
        # Counted for each user: it is of use only where that user is nobody else.
        resource.setrlimit(resource.RLIMIT_NPROC, (order["processes"], order["processes"]))
        os.setgroups([])
        os.setgid(order["gid"])
        os.setuid(order["uid"])
    _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.umask(0o022)
    os.chdir(order["cwd"])


def _run(order: dict[str, Any]) -> int:
    """The command, in place of this process; the exit code of what cannot be run, as a shell has it."""
    code = 127
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    try:
        _become(order)
        os.execvpe(order["argv"][0], order["argv"], order["env"])
    except ValueError as error:  # a NUL in an argument, or in a variable
        sys.stderr.write(f"the command cannot be run: {error}\n")
    except OSError as error:
        sys.stderr.write(f"{order['argv'][0]}: {error.strerror}\n")
        code = 126 if error.errno in (errno.EACCES, errno.ENOEXEC) else 127
    sys.stderr.flush()
    return code


def _fork(body: Callable[[], int]) -> int:
    """Run a function in a child; its exit code as a shell would tell it."""
    child = os.fork()
    if child == 0:
        code = 125
        try:
            code = body()
        except OSError as error:
            sys.stderr.write(f"the step's own file system cannot be made: {error}\n")
        finally:
            sys.stderr.flush()
            os._exit(code)
    while True:
        done, status = os.wait()
        if done == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _enclose(order: dict[str, Any], *, processes: bool) -> int:
    _unshare(processes=processes)

    def inside() -> int:
        root = order["root"]
        _mount("none", root, "tmpfs", 0, b"mode=755,size=64m")
        _show_machine(root)
        if processes:
            _mount("proc", f"{root}/proc", "proc")
        else:
            _bind("/proc", f"{root}/proc")
        _show(order, _enter(root))
        # The first process of a namespace adopts orphans and ignores signals: the command is its child.
        return _fork(lambda: _run(order))

    return _fork(inside)


def _probe(*, processes: bool) -> bool:
    try:
        _unshare(processes=processes)
        root = sys.argv[2]

        def inside() -> int:
            _mount("none", root, "tmpfs", 0, b"mode=755,size=64m")
            if processes:
                os.mkdir(f"{root}/proc")
                _mount("proc", f"{root}/proc", "proc")
            return 0

        return _fork(inside) == 0
    except OSError:
        return False


def _allowed() -> str:
    """The most that this machine lets us do; each try in a process of its own, which it leaves changed."""
    if _fork(lambda: not _probe(processes=True)) == 0:
        return "processes"
    return "mounts" if _fork(lambda: not _probe(processes=False)) == 0 else "nothing"


def main() -> int:
    """Run one step, or tell what could be done for one."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if sys.argv[1] == "--probe":
        os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
        sys.stdout.write(_allowed())
        return 0
    order = json.loads(sys.stdin.buffer.read())
    if sys.argv[1] == "nothing":
        return _run(order)
    return _enclose(order, processes=sys.argv[1] == "processes")


if __name__ == "__main__":
    sys.exit(main())
