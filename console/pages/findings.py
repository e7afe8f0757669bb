"""Findings: every difference with its life, narrowed by filters."""

from __future__ import annotations

from flask import Blueprint, render_template

from console import reading, words
from console.context import Context
from lockstep.store.views import drift
from lockstep.store.views.drift import Filter
from lockstep.values import Verdict


def create_blueprint(context: Context) -> Blueprint:
    """The list."""
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
        )

    return blueprint
