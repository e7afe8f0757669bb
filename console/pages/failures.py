"""What is shown when something cannot be shown: never a trace, always what to do."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from console.language import mark
from lockstep import errors

_log = logging.getLogger(__name__)
_TITLES = {
    400: mark("This was not understood"),
    401: mark("Please sign in"),
    403: mark("This is not allowed"),
    404: mark("There is nothing here"),
    405: mark("This address does not take that"),
    409: mark("This cannot be done any more"),
    413: mark("This is too large"),
    429: mark("Too many attempts"),
    500: mark("This is a mistake in Lockstep"),
    503: mark("Not now"),
}
# The nearest class decides; the tree is in lockstep/errors.py.
_STATUS: tuple[tuple[type[errors.LockstepError], int], ...] = (
    (errors.InputError, 400),
    (errors.ConflictError, 409),
    (errors.TemporaryError, 503),
    (errors.RefusedError, 403),
    (errors.NotFoundError, 404),
    (errors.HeldError, 409),
    (errors.UnsupportedError, 409),
)


def handle(app: Flask) -> None:
    """Answer every error in the house's own style: a page for people, JSON for programs."""
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(errors.LockstepError, _ours)
    app.register_error_handler(Exception, _mistake)


def status_of(error: errors.LockstepError) -> int:
    """The status of HTTP that an error of ours becomes; 500 for one that has no business here."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def _forged(error: CSRFError) -> Response:
    _log.warning("A form was refused: %s", error.description)
    return answer(400, mark("The form is too old, or it was not made by this page. Go back, reload and try again."))


def _http(error: HTTPException) -> Response:
    response = answer(error.code or 500, "")
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _ours(error: errors.LockstepError) -> Response:
    status = status_of(error)
    if status >= 500:
        _log.error("%s %s could not be answered: %s", request.method, request.path, error)
    response = answer(status, error.message, error.remedy)
    if status == 503:
        response.headers["Retry-After"] = "10"
    return response


def _mistake(error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return answer(500, mark("It was written to the log of the service. Please report it with those lines."))


def answer(status: int, message: str, remedy: str = "") -> Response:
    """An answer in the house's style: a page for people, JSON for programs and hooks."""
    title = _TITLES.get(status, "")
    if request.path.startswith(("/api/", "/hooks/")):
        response = jsonify(error=message or title or str(status), remedy=remedy)
    else:
        response = Response(
            render_template("failure.html", status=status, title=title, message=message, remedy=remedy),
            mimetype="text/html",
        )
    response.status_code = status
    return response
