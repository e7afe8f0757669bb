"""What a person at a terminal is shown. A text from outside is shown as it is: it neither styles nor steers.

Results go to stdout, everything else to stderr. Both are plain and unbroken when nobody is looking: a pipe and a
log file have no width.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNBOUNDED = 1000
# What moves a cursor, changes colours or turns the direction of writing: controls but tab and line feed, and the
# marks of Unicode's bidirectional algorithm (UAX 9) that reorder what follows them.
_STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def safe(text: str) -> str:
    r"""A text with everything that would steer a terminal written out: ``\x1b``, ``\u202e``."""
    return _STEERS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def out() -> Console:
    """Where results go."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=_UNBOUNDED, soft_wrap=True)


def err() -> Console:
    """Where progress and remarks go."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        return console
    return Console(stderr=True, highlight=False, width=_UNBOUNDED, soft_wrap=True)


def say(text: str, *, lead: str = "", style: str = "yellow") -> None:
    """A remark on stderr; ``lead`` are its first words, in a style."""
    err().print(_led(text, lead, style))


def write(text: str, *, lead: str = "", style: str = "bold") -> None:
    """A line of a result on stdout; ``lead`` are its first words, in a style."""
    out().print(_led(text, lead, style))


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, empty: str) -> None:
    """A table on stdout, or the sentence ``empty`` when it has no row. Cells in a style are ``Text``."""
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(safe(cell)) for cell in row))
    out().print(table if table.row_count else empty)


def _led(text: str, lead: str, style: str) -> Text:
    line = Text(safe(lead), style=style)
    line.append(f" {safe(text)}" if lead else safe(text), style="default")
    return line
