"""Programs that tests need beside Python, and where Debian puts them."""

from __future__ import annotations

import os
import shutil
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
    found = shutil.which(tool)
    return Path(found) if found else None
