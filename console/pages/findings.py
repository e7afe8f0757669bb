"""Findings: every difference with its life, narrowed by filters, and what was healed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from console import presenting, reading, security, words
from console.context import Context
from console.language import mark
from lockstep.store import healings
from lockstep.store.views import drift
from lockstep.store.views.drift import Filter
from lockstep.values import Verdict
from pipelines.healing import choosing

_MOST_HEALED = 20


def create_blueprint(context: Context) -> Blueprint:
    """The list, and having a finding healed."""
    blueprint = Blueprint("findings", __name__)

    @blueprint.get("/findings")
    def listing() -> str:
        size = context.serving.rows
        wanted = Filter(
            application=reading.text("application"),
            pair=reading.text("pair"),
            verdict=reading.text("verdict"),
            kind=reading.text("kind"),
            state=reading.text("state") or "unresolved",
        )
        with context.database.read() as connection:
            rows = drift.page(connection, wanted, before=reading.number("before"), limit=size + 1)
            healed = healings.newest(connection, wanted.application, pair=wanted.pair, most=_MOST_HEALED)
            stops = healings.stops(connection, wanted.pair, application=wanted.application)
        page = reading.page(rows, rows[size - 1].id if len(rows) > size else None, size)
        topology = context.topology()
        return render_template(
            "findings.html",
            page=page,
            wanted=wanted,
            applications=list(topology.applications),
            pairs=list(topology.pairs),
            verdicts=list(Verdict),
            states=list(words.FINDINGS),
            healable=choosing.HEALABLE,
            healed=healed,
            stops=stops,
        )

    @blueprint.post("/findings/<int:number>/heal")
    def heal(number: int) -> Response:
        run = context.actions.heal(reading.bounded(number), by=security.who())
        context.audit(security.who(), f"had the finding {number} healed by {run}")
        flash(presenting.gettext(mark("It is deployed to the standby again.")))
        return redirect(url_for("runs.show", name=run), 303)

    return blueprint
