"""Programs that tests need beside Python, and where Debian puts them."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

# Debian keeps PostgreSQL's server programs out of the PATH, one folder for each version.
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)


def find(tool: str) -> Path | None:
    """The program's path; None when it is not installed."""
    if tool == "postgres":
        return next((folder / "postgres" for folder in _POSTGRES), None)
    if tool == "git-http-backend":
        backend = Path("/usr/lib/git-core/git-http-backend")
        return backend if backend.exists() else None
    if tool == "sshd":
        return Path("/usr/sbin/sshd") if Path("/usr/sbin/sshd").exists() else None
    if tool == "root":
        return Path("/") if os.geteuid() == 0 else None
    if tool == "mounts":
        return Path("/") if _may_mount() else None
    found = shutil.which(tool)
    return Path(found) if found else None


@functools.cache
def _may_mount() -> bool:
    """Whether this machine lets a process have mounts of its own; many a container does not."""
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return tried.returncode == 0
