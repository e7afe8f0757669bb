"""Files that no disk sees: for what git and ssh take from a file and nobody else may read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def file(text: str) -> Iterator[str]:
    """The path of a file in memory with this text, while the block lasts: mode 0600, and no disk sees it."""
    descriptor = os.memfd_create("lockstep")
    with os.fdopen(descriptor, "wb") as opened:
        os.fchmod(descriptor, 0o600)  # ssh insists on it
        opened.write(text.encode())
        opened.flush()
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
