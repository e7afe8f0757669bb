"""Records of the log that nobody can forge: a message from outside neither begins a line nor steers a terminal."""

from __future__ import annotations

import logging

from console.cli import terminal


class OneRecord(logging.Formatter):
    """Writes each record so that only its first line begins at the margin."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text; its further lines, a traceback's too, are indented."""
        return terminal.safe(super().format(record)).replace("\n", "\n    ")
