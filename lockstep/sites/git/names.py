"""Names of refs, and what git says of refs on its output. Pure.

Names come from strangers: only what git-check-ref-format(1) allows is taken, so that none is an option, a
path that climbs, or a second line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from lockstep import values
from lockstep.sites import ends

# git-check-ref-format(1), rules 1 and 3 to 10; rule 2 (a slash) is the prefix "refs/".
_UNSOUND = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)|[./]\Z")
_LONGEST = 1000  # bytes; a file system takes 255 a part, and a list of refs has to fit somewhere
# Names that are said of each namespace; a hostile server has as many as it likes. None hides those of another.
_MOST_UNSOUND = 20
_NAMESPACES = ("refs/heads/", "refs/tags/", "refs/notes/", "")


def is_ref(name: str) -> bool:
    """Whether this is a full name of a ref that git allows and that is text (git-check-ref-format(1))."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return False
    return name.startswith("refs/") and size <= _LONGEST and _UNSOUND.search(name) is None


def parents(ref: str) -> Iterator[str]:
    """The names that cannot exist while this ref does: ``refs/heads/a`` for ``refs/heads/a/b``."""
    at = ref.find("/", ref.find("/") + 1)
    while (at := ref.find("/", at + 1)) > 0:
        yield ref[:at]


def in_the_way(existing: Iterable[str], wanted: Iterable[str]) -> dict[str, str]:
    """Of existing refs, those that some wanted ref cannot stand beside, with that ref.

    Git keeps refs like files: ``refs/heads/a`` and ``refs/heads/a/b`` exclude each other.
    """
    wanted = set(wanted)
    above = {parent: ref for ref in wanted for parent in parents(ref)}
    blocked: dict[str, str] = {}
    for ref in existing:
        below = next((parent for parent in parents(ref) if parent in wanted), None)
        if ref in above or below:
            blocked[ref] = above.get(ref) or str(below)
    return blocked


def stages(updates: Sequence[ends.RefUpdate]) -> list[list[ends.RefUpdate]]:
    """The order in which refs are pushed: deletes that stand in a new ref's way, writes, then other deletes."""
    writes = [update for update in updates if update.new]
    deletes = [update for update in updates if not update.new]
    blocked = in_the_way((update.ref for update in deletes), (update.ref for update in writes))
    first = [update for update in deletes if update.ref in blocked]
    last = [update for update in deletes if update.ref not in blocked]
    return [stage for stage in (first, writes, last) if stage]


def parse_advertised(output: bytes) -> ends.Advertised:
    """Read what ``git ls-remote --symref`` wrote: ``<id> TAB <ref>`` and ``ref: <ref> TAB HEAD``.

    A line that is neither, or names a ref that git would not allow, is kept as text in ``unsound``.
    """
    head = ""
    aliases: dict[str, str] = {}
    refs: dict[str, str] = {}
    unsound: list[str] = []
    room = dict.fromkeys(_NAMESPACES, _MOST_UNSOUND)
    for line in output.decode(errors="surrogateescape").split("\n"):
        left, _, name = line.partition("\t")
        if not line or name.endswith("^{}"):  # the object that a tag names: derived, not a ref
            continue
        if name == "HEAD":
            head = left.removeprefix("ref: ") if left.startswith("ref: ") else head
        elif left.startswith("ref: refs/") and is_ref(name):
            aliases[name] = left.removeprefix("ref: ")  # a line of its own says which id that is now
        elif is_ref(name) and values.is_oid(left):
            refs[name] = left
        elif room[namespace := next(known for known in _NAMESPACES if name.startswith(known))]:
            room[namespace] -= 1
            unsound.append(ascii(name or line)[1:-1][:200])
    return ends.Advertised(head=head if head in refs else "", refs=refs, unsound=tuple(unsound), aliases=aliases)


def parse_pushed(output: bytes) -> dict[str, tuple[str, str]]:
    """Read what ``git push --porcelain`` wrote: for each ref the flag and the summary.

    git-push(1), "OUTPUT": ``<flag> TAB <from>:<to> TAB <summary> (<reason>)``.
    """
    results: dict[str, tuple[str, str]] = {}
    for line in output.decode(errors="surrogateescape").split("\n"):
        flag, _, rest = line.partition("\t")
        refs, tab, summary = rest.partition("\t")
        if tab and len(flag) == 1:
            results[refs.rpartition(":")[2]] = (flag, summary)
    return results
