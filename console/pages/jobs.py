"""Jobs: how many of which kind, those that a person should look at, and the channels that people are told over."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from console import presenting, reading, security
from console.context import Context
from console.language import mark
from lockstep.engine.tables import State
from lockstep.store import notices

_MOST_SHOWN = 200
_SHOWN = (State.QUEUED, State.RUNNING, State.FAILED, State.ASIDE)


def create_blueprint(context: Context) -> Blueprint:
    """The page, and letting a job run again."""
    blueprint = Blueprint("jobs", __name__)

    @blueprint.get("/jobs")
    def show() -> str:
        found = context.queue.counts()
        counts = {(one.kind, one.state): one.count for one in found}
        kinds = list(dict.fromkeys(one.kind for one in found))
        troubled = context.queue.listing(states=(State.FAILED, State.ASIDE), most=_MOST_SHOWN)
        with context.database.read() as connection:
            channels = notices.all_channels(connection)
        return render_template(
            "jobs.html", counts=counts, kinds=kinds, states=_SHOWN, troubled=troubled, channels=channels
        )

    @blueprint.post("/jobs/<int:number>/requeue")
    def requeue(number: int) -> Response:
        context.queue.requeue(reading.bounded(number))
        context.audit(security.who(), f"let the job {number} run again")
        flash(presenting.gettext(mark("It runs again.")))
        return redirect(url_for("jobs.show"), 303)

    return blueprint
