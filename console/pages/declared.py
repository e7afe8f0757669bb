"""What overlays in git declare: a list of its own, in which each difference is accepted by itself."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console import comparing, presenting, reading, security
from console.context import Context
from console.language import mark
from lockstep import errors
from lockstep.store import answers, lives
from lockstep.store.views import drift

_MOST = 500
_LONGEST_NOTE = 2000


def create_blueprint(context: Context) -> Blueprint:
    """The list, and accepting one of it."""
    blueprint = Blueprint("declared", __name__)

    @blueprint.get("/declared")
    def listing() -> str:
        application, pair = reading.text("application"), reading.text("pair")
        with context.database.read() as connection:
            found = drift.declared(connection, application=application, pair=pair, limit=_MOST)
        found.sort(key=lambda one: one.state == lives.ACCEPTED)
        topology = context.topology()
        return render_template(
            "declared.html",
            objects=comparing.by_object(found),
            findings=found,
            application=application,
            pair=pair,
            applications=list(topology.applications),
            pairs=list(topology.pairs),
        )

    @blueprint.post("/declared/<int:number>/accept")
    def accept(number: int) -> Response:
        note = request.form.get("note", "").strip()[:_LONGEST_NOTE]
        if not note:
            raise errors.InputError(mark("Nobody said why it is meant."), remedy=mark("Write the reason."))
        with context.database.write() as connection:
            answers.accept(connection, reading.bounded(number), by=security.who(), note=note, at=context.clock.now())
        context.audit(security.who(), f"accepted the declared difference {number}")
        flash(presenting.gettext(mark("It is accepted as it is now.")))
        return redirect(url_for("declared.listing"), 303)

    return blueprint
