"""Reads commits in a bare repository of ours."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from lockstep import children, errors, values
from lockstep.sites.ends import Commit
from lockstep.sites.git import failures, process

# Each commit is six fields, each field ends with a zero byte, which git lets into none of them.
_FIELDS = ("%H", "%an", "%ae", "%at", "%ct", "%s")
_FORMAT = "--format=format:" + "%x00".join(_FIELDS)
# Fewer digits than git's own shortest abbreviation could mean anything.
_BEGUN = re.compile(r"[0-9a-f]{7,64}")


def resolve(repository: Path, revision: str, *, staged: Mapping[str, str]) -> str | None:
    """The commit that an id (whole or begun), a full ref, a branch or a tag means; None when it is not here."""
    named = next(
        (staged[ref] for ref in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}") if ref in staged), ""
    )
    if not named and not _BEGUN.fullmatch(revision):
        return None
    finished = _git(repository, "rev-parse", "--quiet", "--verify", f"{named or revision}^{{commit}}")
    return finished.out.decode().strip() or None if finished.code == 0 else None


def log(repository: Path, oid: str, *, most: int, path: str = ".") -> list[Commit]:
    """The last commits that changed a path, the newest first.

    Raises:
        NotFoundError: There is no such commit.
    """
    # A path leaves out commits that change nothing below it: an empty commit, a merge. "." is no path.
    only = [] if path == "." else ["--", path]
    limit = ["log", "-z", _FORMAT, "--encoding=UTF-8", f"--max-count={most}"]
    finished = _must(repository, oid, [*limit, _whole(oid), *only])
    fields = finished.out.decode(errors="replace").split("\0")
    size = len(_FIELDS)
    return [_commit(fields[at : at + size]) for at in range(0, len(fields) - size + 1, size)]


def changed_paths(repository: Path, old: str, new: str) -> list[str]:
    """Paths that differ between two commits, sorted; all of ``new`` when ``old`` is empty.

    Bytes that are not UTF-8 are kept as surrogates, as Python's own file functions do.

    Raises:
        NotFoundError: There is no such commit.
    """
    if old:
        compare = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", _whole(old), _whole(new)]
    else:
        compare = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", _whole(new)]
    finished = _must(repository, f"{old}..{new}", compare)
    return sorted(os.fsdecode(path) for path in finished.out.split(b"\0") if path)


def _whole(oid: str) -> str:
    if not values.is_oid(oid):
        raise errors.InputError(f"{oid!r} is not the id of a commit.", remedy="Give all 40 or 64 digits of it.")
    return oid


def _git(repository: Path, *arguments: str) -> children.Finished:
    return process.run(process.Call(arguments=arguments, directory=repository))


def _must(repository: Path, what: str, arguments: Sequence[str]) -> children.Finished:
    finished = _git(repository, *arguments)
    if finished.code == 0 and not finished.cut:
        return finished
    if finished.code == 128 and re.search(r"bad object|not a tree object|unable to read|bad revision", finished.said):
        raise errors.NotFoundError(f"There is no commit {what} here.", remedy="Mirror the repository again.")
    raise failures.failure(finished, address=str(repository))


def _commit(fields: Sequence[str]) -> Commit:
    oid, author, email, authored, committed, subject = fields
    return Commit(
        oid=oid,
        author=failures.clean(author),
        email=failures.clean(email),
        authored_at=_moment(authored),
        committed_at=_moment(committed),
        subject=failures.clean(subject),
    )


def _moment(seconds: str) -> datetime:
    """A time that a stranger wrote into a commit; the epoch when it is beyond what a calendar has."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
