"""Jobs: how many of which kind, and those that a person should look at."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from console import presenting, reading, security
from console.context import Context
from console.language import mark

_MOST_SHOWN = 200


def create_blueprint(context: Context) -> Blueprint:
    """The page, and letting a job run again."""
    blueprint = Blueprint("jobs", __name__)

    @blueprint.get("/jobs")
    def show() -> str:
        with context.database.read() as connection:
            counts = context.queue.counts(connection)
            troubled = context.queue.troubled(connection, limit=_MOST_SHOWN)
        kinds = sorted({kind for kind, _ in counts})
        states = ("queued", "running", "failed", "aside")
        return render_template("jobs.html", counts=counts, kinds=kinds, states=states, troubled=troubled)

    @blueprint.post("/jobs/<int:number>/requeue")
    def requeue(number: int) -> Response:
        with context.database.write() as connection:
            context.queue.requeue(connection, reading.bounded(number))
        context.audit(security.name(), f"let the job {number} run again")
        flash(presenting.gettext(mark("It runs again.")))
        return redirect(url_for("jobs.show"), 303)

    return blueprint
