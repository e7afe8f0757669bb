"""What every template may use: the reader's language and theme, words with their tones, moments and sizes."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Flask, Response, g, request
from jinja2 import StrictUndefined
from markupsafe import Markup

import lockstep
from console import foreseen, language, plans, progress, sayings, security, words, writing
from console.context import Context
from lockstep.store import approvals
from lockstep.values import Json

_LANGUAGE_COOKIE, _THEME_COOKIE = "lockstep-language", "lockstep-theme"
_THEMES = ("light", "dark")
_YEAR_SECONDS = 365 * 86400


def prepare(app: Flask, context: Context) -> None:
    """Give templates their language and their tools."""
    catalogues = language.load()
    _give_tools(app)
    app.before_request(lambda: _choose(context, catalogues))
    app.after_request(lambda response: _remember(response, https=context.serving.https))
    app.context_processor(lambda: _shown(context))


def _give_tools(app: Flask) -> None:
    templates = app.jinja_env
    templates.undefined = StrictUndefined
    templates.trim_blocks = templates.lstrip_blocks = True
    templates.add_extension("jinja2.ext.i18n")
    templates.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension's
    templates.filters.update(
        ago=_ago,
        breakable=_breakable,
        cause=writing.cause,
        foreseen=lambda told: foreseen.sentence(told, g.catalogue),
        lasting=lambda seconds: writing.length(seconds, g.catalogue.language),
        moment=lambda at: writing.moment(at, g.catalogue.locale),
        moved=writing.moved,
        number=lambda count: writing.number(count, g.catalogue.locale),
        pretty=pretty,
        said=lambda sentence: sayings.say(sentence, g.catalogue),
        short=writing.short,
        short_image=writing.short_image,
        size=writing.size,
        span=lambda length: writing.span(length, g.catalogue.language),
        spoke=lambda method: foreseen.method(method, g.catalogue),
        # For sentences that are not written in the template: they may hold a percent sign.
        tr=gettext,
        twice=lambda text: (text, text),
    )
    templates.globals.update(
        here=here,
        languages=language.LANGUAGES,
        length=_length,
        plans_of=plans.of_detail,
        progress=progress.of_run,
        row_progress=progress.of_row,
        version=lockstep.__version__,
        words=words,
    )


def _choose(context: Context, catalogues: Mapping[str, language.Catalogue]) -> None:
    """Language and theme: as the address asks for, else as was chosen before, else as the browser likes."""
    wished = request.args.get("lang")
    liked = request.accept_languages.best_match(list(language.LANGUAGES))
    g.catalogue = catalogues[language.choose(wished, request.cookies.get(_LANGUAGE_COOKIE), liked)]
    g.theme = _theme(request.args.get("theme")) or _theme(request.cookies.get(_THEME_COOKIE))
    g.now = context.clock.now()


def _remember(response: Response, *, https: bool) -> Response:
    """Keep what the address asks for."""
    for name, known, cookie in (
        ("lang", tuple(language.LANGUAGES), _LANGUAGE_COOKIE),
        ("theme", (*_THEMES, "system"), _THEME_COOKIE),
    ):
        if (wished := request.args.get(name)) in known:
            response.set_cookie(cookie, wished, max_age=_YEAR_SECONDS, httponly=True, samesite="Lax", secure=https)
    return response


def _shown(context: Context) -> dict[str, Any]:
    return {
        # Asked for in several places of one page, and read once.
        "chrome": functools.cache(lambda: _chrome(context)),
        "language": g.catalogue.language,
        "now": g.now,
        "signed_in": g.get("signed_in", False),
        "theme": g.theme,
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


def _breakable(path: str) -> Markup:
    """A path that a narrow column may break before its slashes and nowhere else, if it can."""
    return Markup("<wbr>/").join(path.split("/"))


def _length(start: datetime | None, end: datetime | None = None) -> str:
    """How long something took, or takes until now; empty when it never began."""
    return writing.length(((end or g.now) - start).total_seconds(), g.catalogue.language) if start else ""


def _chrome(context: Context) -> dict[str, Any]:
    """What stands around every page: questions that wait, and whether the configuration on disk is sound."""
    with context.database.read() as connection:
        waiting = approvals.count_pending(connection)
    return {"waiting": waiting, "problems": context.problems(), "name": security.name()}
