"""What every template may use: the reader's language and theme, words with their tones, moments and sizes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Flask, Response, g, request
from jinja2 import StrictUndefined
from markupsafe import Markup

import lockstep
from console import language, plans, progress, sayings, security, words, writing
from console.context import Context
from lockstep.store.views import approvals
from lockstep.values import Json

_LANGUAGE_COOKIE, _THEME_COOKIE = "lockstep-language", "lockstep-theme"
_THEMES = ("light", "dark")
_YEAR_SECONDS = 365 * 86400


def prepare(app: Flask, context: Context) -> None:
    """Give templates their language and their tools."""
    catalogues = language.load()
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # what the extension adds
        gettext,
        ngettext,
        newstyle=True,
    )
    app.jinja_env.filters.update(
        ago=_ago,
        # For sentences that are not written in the template: they may hold a percent sign.
        tr=gettext,
        moment=lambda at: writing.moment(at, g.catalogue.locale),
        size=writing.size,
        number=lambda count: writing.number(count, g.catalogue.locale),
        short=writing.short,
        short_image=writing.short_image,
        pretty=pretty,
        cause=writing.cause,
        moved=writing.moved,
        said=lambda sentence: sayings.say(sentence, g.catalogue),
        twice=lambda text: (text, text),
    )
    app.jinja_env.globals.update(
        words=words,
        length=_length,
        progress=progress.of_run,
        row_progress=progress.of_row,
        plans_of=plans.of_detail,
        version=lockstep.__version__,
    )

    @app.before_request
    def choose() -> None:
        wished = request.args.get("lang")
        asked = request.accept_languages.best_match(list(language.LANGUAGES))
        g.catalogue = catalogues[language.choose(wished, request.cookies.get(_LANGUAGE_COOKIE), asked)]
        g.theme = _theme(request.args.get("theme")) or _theme(request.cookies.get(_THEME_COOKIE))
        g.now = context.clock.now()

    @app.after_request
    def remember(response: Response) -> Response:
        for name, known, cookie in (
            ("lang", tuple(language.LANGUAGES), _LANGUAGE_COOKIE),
            ("theme", (*_THEMES, "system"), _THEME_COOKIE),
        ):
            if (wished := request.args.get(name)) in known:
                response.set_cookie(
                    cookie, wished, max_age=_YEAR_SECONDS, httponly=True, samesite="Lax", secure=context.serving.https
                )
        return response

    @app.context_processor
    def shown() -> dict[str, Any]:
        return {
            "language": g.catalogue.language,
            "languages": language.LANGUAGES,
            "theme": g.theme,
            "now": g.now,
            "here": here,
            "signed_in": g.get("signed_in", False),
            "chrome": lambda: _chrome(context),
        }


def gettext(message: str) -> str:
    """A sentence in the reader's language."""
    text: str = g.catalogue.text(message)
    return text


def ngettext(one: str, many: str, count: int) -> str:
    """A sentence for a count, in the reader's language."""
    text: str = g.catalogue.counted(one, many, count)
    return text


def here(**changes: str) -> str:
    """The address of this page with some arguments of its query changed.

    It is put together from the path, never by ``url_for``: names in a query are anybody's, and some mean
    something there.
    """
    return (
        f"{quote(request.path)}?{urlencode({**request.args.to_dict(), **changes})}" if request.method == "GET" else "/"
    )


def pretty(value: Json) -> str:
    """A JSON value for reading."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS, default=str).decode()


def _theme(wish: str | None) -> str:
    return wish if wish in _THEMES else ""


def _ago(at: datetime | None) -> Markup | str:
    """A moment as its age, with the moment itself beside it for machines and for who points at it."""
    if at is None:
        return "–"
    shown = writing.age(at, g.now, g.catalogue.locale)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(), writing.moment(at, g.catalogue.locale), shown
    )


def _length(start: datetime | None, end: datetime | None = None) -> str:
    """How long something took, or takes until now; empty when it never began."""
    return writing.length(((end or g.now) - start).total_seconds(), g.catalogue.language) if start else ""


def _chrome(context: Context) -> dict[str, Any]:
    """What stands around every page: questions that wait, and whether the configuration on disk is sound."""
    with context.database.read() as connection:
        waiting = approvals.pending(connection)
    return {"waiting": waiting, "problems": context.problems(), "name": security.name()}
