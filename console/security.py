"""Who may see a page: a session that began with the token, or the token itself as a bearer.

Pages need a session and every form its CSRF token; ``/api`` needs the bearer and takes no cookie, so that no
other site can make a browser use it. Hooks, probes and the sign-in need neither.
"""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import NoReturn

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from flask_wtf.csrf import CSRFProtect
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import TooManyRequests, Unauthorized
from werkzeug.wrappers import Response as BaseResponse

from console import hosts
from console.attempts import Attempts
from console.context import Context
from console.language import mark
from console.pages import failures

# Everything comes from here, nothing is written into a page, nobody frames it.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # For what is too old to know frame-ancestors.
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_OPEN = frozenset({"signing_in.form", "signing_in.sign_in", "static", "probes.healthz", "probes.readyz"})
_METRICS = "probes.metrics_page"


def protect(app: Flask, context: Context, attempts: Attempts) -> None:
    """Guard every page of an application; ``attempts`` counts the tokens that were wrong."""
    # Before all else, the check of forms included: a request under a stranger's name is not looked at.
    app.before_request(lambda: _named(context))
    app.config.update(
        SECRET_KEY=context.session_key,
        # Cookies know no port: the mark keeps two installations on one machine apart.
        SESSION_COOKIE_NAME=f"lockstep-{context.token.mark}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=context.serving.https,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=context.serving.session_hours),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        # Forms and API calls are small; the receiver sets a limit of its own for each hook.
        MAX_CONTENT_LENGTH=256 * 1024,
    )
    csrf = CSRFProtect(app)
    csrf.exempt(app.blueprints["webhooks"])
    csrf.exempt(app.blueprints["api"])
    app.before_request(lambda: _guard(context, attempts))
    app.after_request(_headers)


def begin(context: Context, name: str) -> None:
    """Begin a session for a person of this name, who has brought the token."""
    session.clear()
    session.permanent = True
    session["token"] = context.token.mark
    session["name"] = name
    session["since"] = int(context.clock.now().timestamp())


def signed_in(context: Context) -> bool:
    """Whether this request belongs to a session that began with today's token, and not too long ago.

    How long ago is counted from the sign-in: a page that refreshes itself must not keep a session for ever.
    """
    age = context.clock.now().timestamp() - float(session.get("since", 0))
    if not 0 <= age < context.serving.session_hours * 3600:
        return False
    return hmac.compare_digest(str(session.get("token", "")).encode(), context.token.mark.encode())


def name() -> str:
    """The name of the person of this session, as it was given at the sign-in."""
    return str(session.get("name", ""))


def who() -> str:
    """The same, for what is written down: somebody, when no name was given."""
    return name() or "somebody"


def bearer(context: Context) -> bool:
    """Whether this request brings the token itself."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and context.token.matches(credential.strip())


def _named(context: Context) -> Response | None:
    if hosts.is_ours(request.headers.get("Host", ""), context.serving.names):
        return None
    return failures.answer(
        400,
        mark("This service does not go by that name."),
        mark("Use its address, or have it started with --name and the name that you used."),
    )


def _guard(context: Context, attempts: Attempts) -> BaseResponse | None:
    endpoint = request.endpoint or ""
    g.signed_in = signed_in(context)
    if endpoint in _OPEN or request.blueprint == "webhooks":
        return None
    if endpoint == _METRICS and not context.serving.metrics_token:
        return None
    if request.blueprint == "api" or endpoint == _METRICS:
        return None if bearer(context) else _refuse(attempts)
    if g.signed_in:
        return None
    if request.method == "GET" and "X-Lockstep-Live" not in request.headers:
        return redirect(url_for("signing_in.form", next=request.full_path.rstrip("?")))
    return abort(401)


def _refuse(attempts: Attempts) -> NoReturn:
    """Answer a program without the token. Who guesses is made to wait; who brings the token is always let in."""
    address = request.remote_addr or ""
    if "Authorization" in request.headers:
        if wait := attempts.wait_seconds(address):
            raise TooManyRequests(retry_after=wait)
        attempts.failed(address)
    raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))


def _headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
