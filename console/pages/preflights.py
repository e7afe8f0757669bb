"""A preflight's report as a page, and as the one file that is printed and signed."""

from __future__ import annotations

from flask import Blueprint, Response, g, render_template

from console.context import Context
from console.reports import preflight as faces
from console.reports.preflight.telling import Told
from drift import preflight
from lockstep.store import preflights


def create_blueprint(context: Context) -> Blueprint:
    """The page and the file."""
    blueprint = Blueprint("preflights", __name__)

    @blueprint.get("/preflights/<name>")
    def show(name: str) -> str:
        with context.database.read() as connection:
            report = preflights.named(connection, name)
        told = Told(report=report, catalogue=g.catalogue)
        return render_template("preflight_report.html", report=report, tell=told, stale=told.age(g.now) > preflight.TTL)

    @blueprint.get("/preflights/<name>/file")
    def file(name: str) -> Response:
        with context.database.read() as connection:
            report = preflights.named(connection, name)
        # Its own style stands in it, so it is read from a disk and not from here.
        headers = {"Content-Disposition": f"attachment; filename={report['id']}.html"}
        return Response(faces.page.write(report, g.catalogue), mimetype="text/html", headers=headers)

    return blueprint
