"""A preflight's report as people and programs read it, from its document alone: one that was stored reads the same.

It receives the document of ``drift.dossier`` and a language, and hands on text. It decides nothing.
"""

from console.reports.preflight import junit, markdown, page, table

__all__ = ["junit", "markdown", "page", "table"]
