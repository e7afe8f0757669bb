"""What this machine can do for a step: a file system of its own, processes of its own, a user of its own."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

import orjson

from lockstep import children, errors

_ENCLOSURE = Path(__file__).with_name("enclosure.py")
# systemd, docs/UIDS-GIDS.md: ids for users that nobody has, DynamicUser=.
_FIRST_ID, _IDS = 61184, 4336
# systemd allows a service about as many tasks (TasksMax=15%); more are a fork bomb.
_PROCESSES = 4096
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class View(Enum):
    """How a step sees this machine."""

    PROCESSES = "processes"
    """Its own file system, with Tekton's paths where they belong, and only its own processes."""
    MOUNTS = "mounts"
    """Its own file system; the processes of the machine are shown, and guarded by their users alone."""
    NOTHING = "nothing"
    """The machine as it is; Tekton's folders stand elsewhere, and only variables name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """This machine, as steps are run on it.

    ``hidden`` are folders and files that no step may see; ``processes`` is how many the steps of a run may have at
    once where they have a user of their own.
    """

    view: View
    hidden: tuple[Path, ...] = ()
    processes: int = _PROCESSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to run for a step: paths as the step sees them, folders and where they stand."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    mounts: Sequence[tuple[Path, str, bool]] = ()
    """Real folder, the path at which the step sees it, and whether it may only read it."""
    files: Sequence[tuple[Path, str]] = ()
    """A file of the machine, and the path of the one that it stands in for."""
    root: Path = field(default=Path("/nonexistent"))
    """An empty folder."""
    identity: children.Identity | None = None
    timeout_seconds: float | None = None


def look(*, hidden: Sequence[Path] = ()) -> Machine:
    """See what this machine allows; tried, not guessed."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            probed = subprocess.run(
                [sys.executable, "-I", "-S", str(_ENCLOSURE), "--probe", folder],
                capture_output=True,
                env={},
                timeout=30,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return Machine(view=View.NOTHING)
    said = probed.stdout.decode()
    view = View(said) if said in {one.value for one in View} else View.NOTHING
    return Machine(view=view, hidden=tuple(path.resolve() for path in hidden))


def hiding(machine: Machine, paths: Iterable[Path]) -> Machine:
    """The machine with more folders and files that no step may see."""
    return replace(machine, hidden=(*machine.hidden, *(path.resolve() for path in paths)))


def identity(run: int, user: str) -> children.Identity | None:
    """The user of the steps of a run: the one that is named, or a private id; our own when we are not root.

    Raises:
        InputError: There is no such user, or it is root.
    """
    if os.geteuid() != 0:
        return None
    if not user:
        number = _FIRST_ID + run % _IDS
        return children.Identity(uid=number, gid=number)
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        raise errors.InputError(f"There is no user {user!r} for steps.", remedy="Create it, or name another.") from None
    if found.pw_uid == 0:
        raise errors.InputError("Steps never run as root.", remedy="Name an unprivileged user for them.")
    return children.Identity(uid=found.pw_uid, gid=found.pw_gid)


def command(machine: Machine, program: Program) -> children.Command:
    """The command that runs a program in the view that the machine has for it.

    The program's environment goes through stdin: what a step chooses to have loaded must not be loaded into the
    part that still runs as root.
    """
    order = {
        "argv": list(program.argv),
        "env": dict(program.env),
        "cwd": program.cwd,
        "mounts": [[str(source), path, read_only] for source, path, read_only in program.mounts],
        "files": [[str(source), path] for source, path in program.files],
        "hidden": [str(path) for path in machine.hidden],
        "root": str(program.root),
        "processes": machine.processes,
        "uid": program.identity.uid if program.identity else -1,
        "gid": program.identity.gid if program.identity else -1,
    }
    return children.Command(
        argv=[sys.executable, "-I", "-S", str(_ENCLOSURE), machine.view.value],
        env={},
        stdin=orjson.dumps(order),
        timeout_seconds=program.timeout_seconds,
    )
