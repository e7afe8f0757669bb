"""Finds the pointers of git LFS in what some commits reach, each object looked at once however often it is named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lockstep import errors
from lockstep.sites.ends import LargeFile
from lockstep.sites.git import failures, process
from lockstep.sites.git.lfs import pointers

# A listing of ten million small files; what is larger is said, never cut.
_MOST_BYTES = 2**29
_SECONDS = 3600.0


def scan(repository: Path, tips: Iterable[str], *, without: Iterable[str] = ()) -> set[LargeFile]:
    """The files that pointers stand for in what the tips reach, and what ``without`` does not reach.

    Raises:
        IntegrityError: Our copy is damaged.
        RefusedError: There are more small files than can be looked at.
    """
    # What is new since the last time is looked through in a moment, a whole history is not.
    is_short = bool(without := list(without))
    small = _small_blobs(repository, tips, without)
    if not small:
        return set()
    found = _Pointers()
    call = process.Call(
        arguments=["cat-file", "--batch", "--buffer"],
        directory=repository,
        stdin=small,
        timeout_seconds=_SECONDS,
        fleeting=is_short,
    )
    finished = process.run(call, on_stdout=found.feed)
    if finished.code or not found.whole:
        raise errors.IntegrityError(
            f"Our copy in {repository} is damaged: {failures.clean(finished.said) or 'a blob is not there'}.",
            remedy="Delete the copy under the state folder; it is fetched anew.",
        )
    return found.files


def _small_blobs(repository: Path, tips: Iterable[str], without: Sequence[str]) -> bytes:
    """The ids of all blobs that are small enough to be pointers, one a line."""
    options = ["--objects", "--no-object-names", "--filter-provided-objects"]
    filters = ["--filter=object:type=blob", f"--filter=blob:limit={pointers.SMALLER_THAN}"]
    asked = [*sorted(set(tips)), *(f"^{oid}" for oid in sorted(set(without)))]
    call = process.Call(
        arguments=["rev-list", *options, *filters, "--stdin"],
        directory=repository,
        stdin="".join(f"{line}\n" for line in asked).encode(),
        timeout_seconds=_SECONDS,
        most_bytes=_MOST_BYTES,
        fleeting=bool(without),
    )
    finished = process.run(call)
    if finished.code or finished.cut:
        raise failures.failure(finished, address=str(repository))
    return finished.out


class _Pointers:
    """Takes apart what ``git cat-file --batch`` writes: ``<id> blob <size> LF``, the content, ``LF``; and again."""

    def __init__(self) -> None:
        self.files: set[LargeFile] = set()
        self._left = b""

    @property
    def whole(self) -> bool:
        return not self._left

    def feed(self, chunk: bytes) -> None:
        data, at = self._left + chunk, 0
        while (end := data.find(b"\n", at)) >= 0:
            header = data[at:end].split(b" ")
            if len(header) != 3 or header[1] != b"blob":
                break  # "missing": what is left is not whole
            size = int(header[2])
            if len(data) < end + size + 2:
                break
            found = pointers.parse(data[end + 1 : end + 1 + size])
            if found:
                self.files.add(found)
            at = end + size + 2
        self._left = data[at:]
