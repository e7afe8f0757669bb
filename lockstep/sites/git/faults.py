"""Old faults of objects that harm nobody: what they are, and which of them git met. Pure.

Every object that comes to us goes through ``git fsck``. One that fails it keeps its whole repository out, for ever: its
id is in the ids of everything that came after it. So what is wrong only in the line that says who made a commit and
when, which nothing uses as a path or runs, is let through and named, and so are modes of files with a zero too many:
old tools and conversions wrote them into repositories that everybody uses. Forges do alike: GitLab's servers ignore the
three that it met in imports (badTimezone, missingSpaceBeforeDate, zeroPaddedFilemode); GitHub's serve repositories with
others (pallets/werkzeug#1143, highlightjs/highlight.js#1733, dropwizard/dropwizard#1996); and git itself checks nothing
that is pushed unless it is told to. Whatever is wrong with a name or the order in a tree, with ``.gitmodules`` and its
like, with links or with what an object consists of, is refused.
"""

from __future__ import annotations

import re
from collections import Counter

HARMLESS = (
    *("badDate", "badDateOverflow", "badEmail", "badName", "badTimezone", "missingEmail", "missingNameBeforeEmail"),
    *("missingSpaceBeforeDate", "missingSpaceBeforeEmail", "multipleAuthors", "zeroPaddedDate", "zeroPaddedFilemode"),
)
"""As git-fsck(1), "FSCK MESSAGES", names them."""

_LINE = re.compile(rb"warning: object ([0-9a-f]{40}|[0-9a-f]{64}): (" + "|".join(HARMLESS).encode() + rb"): .*\n")
# Longer than any of these lines is.
_LONGEST = 1000


class Faults:
    """Takes what git writes to stderr, in pieces of any size, and counts the faults that it lets through."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def feed(self, chunk: bytes) -> bytes:
        """Take the next piece; hand back what of it tells of no such fault."""
        kept = bytearray()
        for line in chunk.splitlines(keepends=True):
            self._line += line
            if self._line.endswith(b"\n") or len(self._line) > _LONGEST:
                kept += self._ended()
        return bytes(kept)

    def rest(self) -> bytes:
        """What was begun and not ended, once git has ended."""
        left = bytes(self._line)
        self._line.clear()
        return left

    def _ended(self) -> bytes:
        line = self.rest()
        found = _LINE.fullmatch(line)
        if not found:
            return line
        oid, name = (part.decode() for part in found.groups())
        self._counts[name] += 1
        self._examples.setdefault(name, oid)
        return b""

    def __str__(self) -> str:
        """What was met, for people, each with one object that has it; empty when there was nothing."""
        return ", ".join(
            f"{name} in {count} object{'s' if count > 1 else ''} ({self._examples[name][:12]})"
            for name, count in sorted(self._counts.items())
        )
