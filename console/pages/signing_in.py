"""Signing in with the installation's token, and out."""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from console import reading, security
from console.attempts import Attempts
from console.context import Context

_LONGEST_NAME = 100


def create_blueprint(context: Context, attempts: Attempts) -> Blueprint:
    """The sign-in; ``attempts`` counts the tokens that were wrong."""
    blueprint = Blueprint("signing_in", __name__)

    @blueprint.get("/sign-in")
    def form() -> str | Response:
        if g.signed_in:
            return redirect(reading.local(reading.text("next")))
        return render_template("sign_in.html", next=reading.text("next"), name="", problem="", wait=0)

    @blueprint.post("/sign-in")
    def sign_in() -> Response | tuple[str, int, dict[str, str]]:
        address = request.remote_addr or ""
        name, next_page = reading.field("name")[:_LONGEST_NAME], reading.field("next")
        shown = {"next": next_page, "name": name}
        wait = attempts.wait_seconds(address)
        if wait:
            page = render_template("sign_in.html", **shown, problem="wait", wait=wait)
            return page, 429, {"Retry-After": str(wait)}
        if not context.token.matches(reading.field("token")):
            attempts.failed(address)
            return render_template("sign_in.html", **shown, problem="token", wait=0), 401, {}
        security.begin(context, name)
        return redirect(reading.local(next_page), 303)

    @blueprint.post("/sign-out")
    def sign_out() -> Response:
        session.clear()
        return redirect(url_for("signing_in.form"), 303)

    return blueprint
