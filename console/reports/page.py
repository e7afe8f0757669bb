"""A report as one HTML page that needs nothing else: no script, no network, light and dark, fit to be printed."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import lockstep
from console import words, writing
from console.language import Catalogue
from console.reports.telling import Telling, by_object, visible, word_of
from drift.report import Report

_FOLDER = Path(__file__).parent


def write(report: Report, catalogue: Catalogue) -> str:
    """The report, as one HTML document."""
    telling = Telling(report, catalogue)
    return (
        _environment()
        .get_template("report.html")
        .render(
            _=telling.gettext,
            by_object=by_object,
            language=catalogue.language,
            made_at=writing.moment(report.made_at, catalogue.locale),
            never=words.NEVER,
            report=report,
            # Our own file; autoescaping would spell its quotes out.
            style=Markup((_FOLDER / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - never a value of anybody's
            tell=telling,
            version=lockstep.__version__,
            word=word_of,
        )
    )


def finalize(value: Any) -> Any:  # whatever an expression of the template gives
    """Whatever is put into the page, and is not markup already, holds nothing that acts."""
    return visible(value, keep="\n\t") if type(value) is str else value


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER.parent / "templates"),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
