"""How far a transfer of git's is, from what git writes while it runs. Pure.

Git tells it on stderr, for people who look: lines that end with a carriage return, each written over the last
(git-fetch(1), ``--progress``). Between them stands what the other side says, which git marks with ``remote: ``, and
over ssh also what it does not mark. So a line counts only when it is exactly one of git's own, its numbers are bounded,
and nothing of its text goes any further. Of the other side's lines those count that say what only it can know: how far
it is before anything is sent, and after everything was. At the worst a hostile server draws a wrong bar.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lockstep.sites.ends import Movement, Stage

Heard = Callable[[Movement], None]
"""Is told how far it is, in whatever thread reads."""

_STAGES = {
    b"Enumerating objects": Stage.COUNTING,
    b"Counting objects": Stage.COUNTING,
    b"Compressing objects": Stage.COMPRESSING,
    b"Receiving objects": Stage.RECEIVING,
    b"Unpacking objects": Stage.RECEIVING,
    b"Resolving deltas": Stage.RESOLVING,
    b"Writing objects": Stage.WRITING,
}
_UNITS = {b"bytes": 1, b"KiB": 2**10, b"MiB": 2**20, b"GiB": 2**30}
# What git's progress.c writes: "title: 12% (3/25), 3.40 MiB | 1.20 MiB/s, done." or "title: 25, done."
_FIGURES = (
    rb": +(?:\d{1,3}% \((\d{1,12})/(\d{1,12})\)|(\d{1,12}))"
    rb"(?:, (\d{1,15}(?:\.\d{1,2})?) (bytes|[KMG]iB)(?: \| [\d.]{1,18} (?:bytes|[KMG]iB)/s)?)?(?:, done\.)?"
)
_LINE = re.compile(rb"(remote: )?(" + b"|".join(_STAGES) + rb")" + _FIGURES + rb" *")
_THEIRS = frozenset({Stage.COUNTING, Stage.COMPRESSING, Stage.RESOLVING})
# What tells nothing that is wanted: other counts of git's, what it says of the whole, and both from the other side.
_CHATTER = re.compile(
    rb"(?:remote: )?(?:[A-Z][A-Za-z ]{2,60}" + _FIGURES + rb"|Total \d+ \(delta [ a-z0-9(),-]*|"
    rb"Delta compression using [a-z0-9 ]+) *"
)
# Longer than any of these lines is.
_LONGEST = 300


class Reader:
    """Takes what git writes to stderr, in pieces of any size, and sorts progress from what has to be kept.

    Args:
        heard: Is told of each step.
    """

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._line = bytearray()
        self._is_long = False

    def feed(self, chunk: bytes) -> bytes:
        """Take the next piece; hand back what of it is no progress, with its ends of lines."""
        kept = bytearray()
        for part in re.split(rb"([\r\n])", chunk):
            if part in (b"\r", b"\n"):
                kept += self._ended(part)
            else:
                self._line += part
                if self._is_long or len(self._line) > _LONGEST:  # its end is no line of its own
                    self._is_long = True
                    kept += self.rest()
        return bytes(kept)

    def rest(self) -> bytes:
        """What was begun and not ended, once git has ended."""
        left = bytes(self._line)
        self._line.clear()
        return left

    def _ended(self, end: bytes) -> bytes:
        line, is_long, self._is_long = self.rest(), self._is_long, False
        step = None if is_long else parse(line)
        if step is not None:
            self._heard(step)
            return b""
        return b"" if not is_long and _CHATTER.fullmatch(line) else line + end


def parse(line: bytes) -> Movement | None:
    """What one line tells; None when it is not exactly one that git writes about its progress."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    theirs, title, done, total, alone, amount, unit = found.groups()
    if theirs and _STAGES[title] not in _THEIRS:
        return None
    return Movement(
        stage=_STAGES[title],
        done=int(done or alone),
        total=int(total or 0),
        size=int(float(amount) * _UNITS[unit]) if amount else 0,
    )
