"""A preflight's report as one HTML page that needs nothing else, fit for A4: no script, no network.

The report itself stands in the page as JSON, so that the page alone can be verified.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from console import words
from console.language import Catalogue
from console.reports import page
from console.reports.preflight.telling import Told
from lockstep.values import Json

_FOLDER = Path(__file__).parent
_OPEN = '<script type="application/json" id="report">'
_CLOSE = "</script>"
_INSIDE = re.compile(re.escape(_OPEN.encode()) + rb"(.*?)" + re.escape(_CLOSE.encode()), re.DOTALL)


def write(report: Json, catalogue: Catalogue) -> str:
    """The report, as one HTML document."""
    told = Told(report=report, catalogue=catalogue)
    return (
        _environment()
        .get_template("preflight.html")
        .render(
            _=told.text,
            data=Markup(f"{_OPEN}{_embedded(report)}{_CLOSE}"),  # noqa: S704 - JSON without a single < in it
            language=catalogue.language,
            report=report,
            style=Markup(_style()),  # noqa: S704 - our own files, never a value of anybody's
            tell=told,
            words=words,
        )
    )


def inside(document: bytes) -> bytes | None:
    """The report that stands in a page, as JSON; None when none does."""
    found = _INSIDE.search(document)
    return found[1] if found else None


def _embedded(report: Json) -> str:
    """JSON in which nothing can end the element that it stands in (HTML standard, "Restrictions for script")."""
    return orjson.dumps(report).decode().replace("<", "\\u003c")


def _style() -> str:
    shared = (_FOLDER.parent / "page.css").read_text(encoding="utf-8")
    return shared + (_FOLDER / "page.css").read_text(encoding="utf-8")


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER.parent.parent / "templates"),
        autoescape=True,
        finalize=page.finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
