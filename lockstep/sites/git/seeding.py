"""Fills a repository on disk that has no refs yet: all objects as one pack, all refs as one file.

A push writes each new ref as a file of its own, and each to the disk before the next: thousands of them take longer
than everything else that a first mirroring does. A repository that is ours, empty, and without rules about what it
receives needs none of that.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from lockstep.sites.git import packed, process
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
    except (OSError, UnicodeDecodeError):
        return False
    is_plain = set(_SECTION.findall(config)) <= _PLAIN and not any(rule in config for rule in _RULES)
    return is_plain and not hooks and _has_no_refs(directory)


def seed(remote: Remote, view: Path, refs: Mapping[str, str]) -> bool:
    """Bring what a view has into a blank repository; False when somebody else began to write to it.

    Args:
        remote: The repository; ``is_blank``.
        view: A repository that has exactly these refs.
        refs: What to write.

    Raises:
        LockstepError: The objects could not be brought; no ref was written.
    """
    directory = Path(remote.location)
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--stdin")
    with remote.environment() as env:
        finished = process.run(
            process.Call(
                # They were checked when they came to us; here each is only hashed again.
                arguments=["-c", "fetch.fsckObjects=false", "fetch", *options, "--", str(view)],
                directory=directory,
                env=env,
                stdin="".join(f"{oid}\n" for oid in sorted(set(refs.values()))).encode(),
                timeout_seconds=remote.patience.transfer_seconds,
            )
        )
    if finished.code:
        raise remote.failure(finished)
    with _locked(directory) as ours:
        if not ours or not _has_no_refs(directory):
            return False
        packed.write(directory, refs)
    return True


def _has_no_refs(directory: Path) -> bool:
    loose = (path for path in (directory / "refs").rglob("*") if not path.is_dir())
    return not (directory / "packed-refs").exists() and next(loose, None) is None


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[bool]:
    """Hold git's own lock of the file of refs while the block lasts; whether it is ours."""
    lock = directory / "packed-refs.lock"
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
    except FileExistsError:
        yield False
        return
    try:
        yield True
    finally:
        lock.unlink(missing_ok=True)
