"""What the log of the service looks like, whatever strangers put into it."""

from __future__ import annotations

import logging
import sys

from console.cli import records


def _written(message: str, *, error: bool = False) -> str:
    record = logging.LogRecord("console", logging.ERROR, __file__, 1, "%s", (message,), None)
    if error:
        try:
            raise ValueError(message)
        except ValueError:
            record.exc_info = sys.exc_info()
    return records.OneRecord("%(levelname)s %(message)s").format(record)


def test_a_message_cannot_begin_a_record() -> None:
    """A line break in a name or a path leads to an indented line, never to one that looks like ours."""
    assert _written("a run\nINFO kim: approved") == "ERROR a run\n    INFO kim: approved"
    lines = _written("x\nINFO kim: approved", error=True).splitlines()
    assert [line for line in lines if not line.startswith("    ")] == ["ERROR x"]


def test_a_message_does_not_steer_a_terminal() -> None:
    """Escapes, carriage returns and marks that turn the writing are written out."""
    assert _written("\x1b[2J\rINFO \u202eko") == "ERROR \\x1b[2J\\rINFO \\u202eko"
