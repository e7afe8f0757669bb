"""What an image would run by itself, for the few whose only content is an interpreter.

Without a container runtime nobody can look into an image; a step that relies on its entrypoint can run here only
when that is common knowledge. From the images' own Dockerfiles (docker.io/library).
"""

from __future__ import annotations

from collections.abc import Sequence

from lockstep import errors
from lockstep.values import ImageReference

_PROGRAMS = {
    "alpine": "/bin/sh",
    "bash": "bash",
    "busybox": "sh",
    "centos": "/bin/bash",
    "debian": "bash",
    "fedora": "/bin/bash",
    "node": "node",
    "perl": "perl",
    "python": "python3",
    "ruby": "irb",
    "ubuntu": "/bin/bash",
}
# Their docker-entrypoint.sh runs what it is given, and its own program when that begins with a dash.
_RUNS_ARGUMENTS = ("bash", "node")


def command(image: str, args: Sequence[str]) -> list[str] | None:
    """What the image runs when it is given only arguments; None when that is not known."""
    try:
        name = ImageReference.parse(image).repository.rpartition("/")[2]
    except errors.InputError:
        return None
    if name not in _PROGRAMS:
        return None
    if name in _RUNS_ARGUMENTS and args and not args[0].startswith("-"):
        return list(args)
    return [_PROGRAMS[name], *args]
