"""What machines ask: alive, ready, and the numbers."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from console import metrics
from console.context import Context, Readiness
from lockstep.store.soundness import Soundness


def create_blueprint(context: Context) -> Blueprint:
    """``/healthz``, ``/readyz`` and ``/metrics``."""
    blueprint = Blueprint("probes", __name__)
    soundness = Soundness(context.database)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @blueprint.get("/readyz")
    def readyz() -> tuple[Response, int]:
        found = [Readiness(name="database", problem=soundness.problem()), *context.readiness()]
        problems = [check for check in found if check.problem]
        body = {
            "status": "not ready" if problems else "ready",
            "checks": {one.name: one.problem or "ok" for one in found},
        }
        return jsonify(body), 503 if problems else 200

    @blueprint.get("/metrics")
    def metrics_page() -> Response:
        return Response(generate_latest(metrics.registry(context)), content_type=CONTENT_TYPE_LATEST)

    return blueprint
