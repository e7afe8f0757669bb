"""Shells that images have and this machine has not: bash stands in for them.

Most images that steps name are built on busybox, whose ``sh`` and ``ash`` know ``[[`` and ``==``; on Debian ``sh`` is
dash, which does not. Bash called by either name knows all that they know. A step whose image is built on Debian
gets the machine's own ``sh``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from lockstep import errors
from lockstep.values import ImageReference
from pipelines.local.machine import PATH

# docker.io/library: images whose variants without "alpine" in their tag are built on Debian or Ubuntu.
_DEBIAN = frozenset(
    {
        "buildpack-deps",
        "debian",
        "eclipse-temurin",
        "gcc",
        "golang",
        "gradle",
        "httpd",
        "maven",
        "mysql",
        "nginx",
        "node",
        "openjdk",
        "perl",
        "php",
        "postgres",
        "python",
        "redis",
        "ruby",
        "rust",
        "ubuntu",
    }
)
_FOUND = shutil.which("bash", path=PATH)
BASH = Path(_FOUND).resolve() if _FOUND else None
"""Bash on this machine; None where there is none."""


def stand_ins() -> list[str]:
    """The names by which bash is put in front of the PATH: shells that this machine has not."""
    return [] if BASH is None or shutil.which("ash", path=PATH) else ["ash"]


def mounts(image: str) -> list[tuple[Path, str]]:
    """What to put over ``/bin/sh`` in the step's own file system: bash, where the image's would be another."""
    shell = Path("/bin/sh").resolve()
    if BASH is None or shell == BASH or not shell.is_file() or _is_debian(image):
        return []
    return [(BASH, str(shell))]


def _is_debian(image: str) -> bool:
    try:
        reference = ImageReference.parse(image)
    except errors.InputError:
        return False
    return reference.repository.rpartition("/")[2] in _DEBIAN and "alpine" not in reference.tag
