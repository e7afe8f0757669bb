"""Reports as people and programs read them: a table, Markdown, JUnit, one page; JSON and YAML are the report's own.

It receives a ``drift.report.Report`` and a language, and hands on text. It reads no store and no site, and it
decides nothing: what is Unknown arrives as Unknown.
"""

from console.reports import junit, markdown, page, table

__all__ = ["junit", "markdown", "page", "table"]
