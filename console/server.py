"""The pages, the API, the probes and the receiver, as one application.

``create_app`` is all that the wiring needs. Which page is where stands in ``console/pages``; what a page may
do stands in ``console/context``.
"""

from __future__ import annotations

from flask import Flask

from console import api, presenting, probes, security
from console.attempts import Attempts
from console.context import Context
from console.pages import (
    applications,
    declared,
    deliveries,
    failures,
    findings,
    fleet,
    jobs,
    mirrors,
    preflights,
    runs,
    signing_in,
)


def create_app(context: Context) -> Flask:
    """The application that serves everything under one address."""
    app = Flask("console", template_folder="templates", static_folder="static")
    app.url_map.strict_slashes = False
    attempts = Attempts(context.clock)
    for page in (fleet, applications, runs, deliveries, mirrors, findings, declared, jobs, preflights):
        app.register_blueprint(page.create_blueprint(context))
    app.register_blueprint(signing_in.create_blueprint(context, attempts))
    app.register_blueprint(api.create_blueprint(context))
    app.register_blueprint(probes.create_blueprint(context))
    app.register_blueprint(context.receiver)
    presenting.prepare(app, context)
    security.protect(app, context, attempts)
    failures.handle(app)
    return app
