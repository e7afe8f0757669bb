"""What a commit's tree may make of a folder. Pure.

A tree comes from strangers, and nobody may have looked at it. Whatever could write outside the folder, into
a ``.git`` of another tool, or past a bound is refused by name, before the first file is written.
"""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lockstep import errors

_FILES = {"100644": False, "100664": False, "100755": True}  # git's modes of files, and whether each can be run
_LINK = "120000"
_SUBMODULE = "160000"
_LONGEST_PART = 255  # bytes: limits.h, NAME_MAX
_LONGEST_PATH = 3000  # bytes; the folder's own path comes before it, and limits.h allows 4096 in all
_LONGEST_LINK = 4095
_MOST_HOPS = 40  # path_resolution(7)
# HFS+ ignores these in names, so that ".g\u200cit" is ".git" there (git's own is_hfs_dotgit).
_IGNORED = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How large a tree may be."""

    most_files: int = 100_000
    """Files, links and submodules."""
    most_bytes: int = 2 * 2**30
    """All files together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file, link or submodule. ``path`` keeps bytes that are not UTF-8 as surrogates, as ``os.fsdecode`` does."""

    mode: str
    oid: str
    size: int
    path: str

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return self.mode == _LINK

    @property
    def is_file(self) -> bool:
        """Whether it is a file."""
        return self.mode in _FILES

    @property
    def is_submodule(self) -> bool:
        """Whether it is a commit of another repository."""
        return self.mode == _SUBMODULE

    @property
    def permissions(self) -> int:
        """What a file's permissions are, before the umask."""
        return 0o777 if _FILES[self.mode] else 0o666


def parse(listing: bytes) -> list[Entry]:
    """Read what ``git ls-tree -r -z -l`` wrote: ``<mode> <type> <id> <size> TAB <path>``, each ended by a zero byte."""
    entries = []
    for row in listing.split(b"\0"):
        facts, tab, path = row.partition(b"\t")
        if tab:
            mode, _, oid, size = facts.decode().split()
            entries.append(Entry(mode=mode, oid=oid, size=0 if size == "-" else int(size), path=os.fsdecode(path)))
    return entries


def check(entries: Sequence[Entry], bounds: Bounds) -> None:
    """See that a tree can be written to a folder without harm.

    Raises:
        RefusedError: It cannot; naming the first file in the way.
    """
    total = 0
    folders = {folder for entry in entries for folder in _folders(entry.path)}
    seen: set[str] = set()
    for entry in entries:
        problem = _problem_of(entry) or ("is there twice" if entry.path in seen | (folders & {entry.path}) else "")
        if problem:
            raise _refusal(entry.path, problem)
        seen.add(entry.path)
        total += entry.size
    if total > bounds.most_bytes:
        raise errors.RefusedError(
            f"The tree holds {total} bytes; {bounds.most_bytes} may be checked out.",
            remedy="Keep large files outside the repository, or raise the bound.",
        )


def check_links(links: Mapping[str, str]) -> None:
    """See that no link leads out of the tree, also not by way of others.

    Args:
        links: The path of each link in the tree, and where it points.

    Raises:
        RefusedError: One does; naming it.
    """
    for path, target in links.items():
        if not target or len(os.fsencode(target)) > _LONGEST_LINK or "\0" in target:
            raise _refusal(path, "is a link to nowhere")
        if _leads_out(path, links):
            raise _refusal(path, f"is a link that leads out of the repository, to {ascii(target)[:200]}")


def alike(entries: Iterable[Entry]) -> tuple[tuple[str, ...], ...]:
    """Groups of paths that some file systems take for one: equal but for case or Unicode form."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for entry in entries:
        groups[unicodedata.normalize("NFC", entry.path).casefold()].append(entry.path)
    return tuple(tuple(sorted(group)) for _, group in sorted(groups.items()) if len(group) > 1)


def _folders(path: str) -> Iterable[str]:
    at = -1
    while (at := path.find("/", at + 1)) > 0:
        yield path[:at]


def _problem_of(entry: Entry) -> str:
    if not (entry.is_file or entry.is_link or entry.is_submodule):
        return f"has the mode {entry.mode}, which is none of git's"
    if entry.is_link and entry.size > _LONGEST_LINK:
        return "is a link to nowhere"
    if len(os.fsencode(entry.path)) > _LONGEST_PATH:
        return "has a path that is too long"
    return next((problem for part in entry.path.split("/") if (problem := _problem_of_part(part))), "")


def _problem_of_part(part: str) -> str:
    if part in ("", ".", ".."):
        return "has a path that leads elsewhere"
    if len(os.fsencode(part)) > _LONGEST_PART:
        return "has a name that is too long"
    if any(character < " " or character == "\x7f" for character in part):
        return "has a control character in its name"
    if _is_git(part):
        return "has a name that git keeps for itself"
    return ""


def _is_git(part: str) -> bool:
    """Whether some file system takes this name for ``.git`` (git's is_hfs_dotgit and is_ntfs_dotgit)."""
    plain = part.translate(_IGNORED).casefold().partition(":")[0].rstrip(" .")
    return plain in (".git", "git~1")


def _leads_out(path: str, links: Mapping[str, str]) -> bool:
    """Whether following this link leaves the tree, or never ends: the walk that the kernel would take."""
    at = path.split("/")[:-1]
    ahead = deque([path.rpartition("/")[2]])
    hops = 0
    while ahead:
        part = ahead.popleft()
        if part == ".." and not at:
            return True
        if part == "..":
            at.pop()
        elif part not in ("", "."):
            target = links.get("/".join([*at, part]))
            if target is None:
                at.append(part)
                continue
            hops += 1
            if target.startswith("/") or hops > _MOST_HOPS:
                return True
            ahead.extendleft(reversed(target.split("/")))
    return False


def _refusal(path: str, problem: str) -> errors.RefusedError:
    return errors.RefusedError(
        f"The file {ascii(path)[:300]} {problem}.", remedy="Take it out of the repository; nothing was written."
    )
