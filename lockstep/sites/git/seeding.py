"""Fills a repository on disk that has no refs yet: all objects as one pack, all refs as one file.

A push writes each new ref as a file of its own, and each to the disk before the next; and it has every object packed
here and taken apart there. Of thousands of refs or gigabytes that takes longer than everything else that a first
mirroring does. A repository that is ours, empty, and without rules about what it receives needs none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from lockstep.sites.git import locks, packed, process
from lockstep.sites.git.progress import Heard
from lockstep.sites.git.remote import Remote

# What git-init(1) writes; any other section may be a rule about what is received.
_SECTION = re.compile(r"^\s*\[\s*([a-z]+)", re.MULTILINE)
_PLAIN = frozenset({"core", "extensions"})
_RULES = ("hookspath", "refstorage", "sharedrepository")


def is_blank(remote: Remote) -> bool:
    """Whether a repository is on disk, ours, without a ref, a hook or a rule of its own."""
    directory = remote.directory
    if directory is None or remote.is_foreign:
        return False
    try:
        config = (directory / "config").read_text(encoding="utf-8").lower()
        hooks = [path for path in (directory / "hooks").glob("*") if path.suffix != ".sample"]
        # A history that was cut off or mended by hand: what git says of it is not what everybody would see.
        bent = any((directory / name).exists() for name in ("shallow", "info/grafts"))
    except (OSError, UnicodeDecodeError):
        return False
    is_plain = set(_SECTION.findall(config)) <= _PLAIN and not any(rule in config for rule in _RULES)
    return is_plain and not bent and not hooks and _has_no_refs(directory)


def fetch(remote: Remote, view: Path, oids: Iterable[str], *, heard: Heard | None = None) -> None:
    """Have a blank repository fetch what some ids reach in a view of ours.

    Raises:
        LockstepError: The objects could not be brought.
    """
    options = (
        "--progress" if heard else "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-recurse-submodules",
        "--stdin",
    )
    with remote.environment() as env:
        finished = process.run(
            process.Call(
                # They were checked when they came to us; here each is only hashed again.
                arguments=["-c", "fetch.fsckObjects=false", "fetch", *options, "--", str(view)],
                directory=Path(remote.location),
                env=env,
                stdin="".join(f"{oid}\n" for oid in sorted(set(oids))).encode(),
                timeout_seconds=remote.patience.transfer_seconds,
            ),
            heard=heard,
        )
    if finished.code:
        raise remote.failure(finished)


def write(remote: Remote, refs: Mapping[str, str]) -> bool:
    """Write the refs of a blank repository, which has their objects; False when somebody else began to write to it."""
    directory = Path(remote.location)
    with locks.of_refs(directory) as ours:
        if not ours or not _has_no_refs(directory):
            return False
        packed.write(directory, refs)
    return True


def _has_no_refs(directory: Path) -> bool:
    loose = (path for path in (directory / "refs").rglob("*") if not path.is_dir())
    return not (directory / "packed-refs").exists() and next(loose, None) is None
