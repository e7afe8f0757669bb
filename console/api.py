"""``/api/v1``: what the pages show and do, as JSON for programs. The token is the bearer; no cookie is looked at.

Lists are pages: ``{"items": [...], "next": "<id>"}``, and ``?before=<id>`` asks for the next one. Names are
camelCase; an error is ``{"error": ..., "remedy": ...}`` with a status that says whose it is.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

import orjson
from flask import Blueprint, Response, request
from pydantic.alias_generators import to_camel

from console import progress, reading
from console.context import Answer, Context
from console.pages import deliveries as delivery_pages
from console.pages import fleet
from lockstep import errors
from lockstep.store import approvals, deliveries, logs, runs, tasks
from lockstep.store.deliveries import State
from lockstep.store.views import drift
from lockstep.values import Json

_MOST_ROWS = 500


def create_blueprint(context: Context) -> Blueprint:
    """Everything below ``/api/v1``."""
    blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
    _deliveries(blueprint, context)
    _runs(blueprint, context)
    _run_actions(blueprint, context)
    _drift(blueprint, context)
    return blueprint


def as_json(value: Any) -> Json:
    """A value of the house as plain JSON: fields in camelCase, moments in ISO 8601, bytes as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {to_camel(one.name): as_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(key): as_json(one) for key, one in value.items()}
    return [as_json(one) for one in value] if isinstance(value, list | tuple) else value


def _answer(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(as_json(body)), status=status, mimetype="application/json")


def _page(rows: list[Any], size: int) -> Response:
    more = len(rows) > size
    return _answer({"items": rows[:size], "next": str(rows[size - 1].id) if more else ""})


def _size(context: Context) -> int:
    return max(1, min(reading.number("limit") or context.serving.rows, _MOST_ROWS))


def _body() -> dict[str, Json]:
    """The object that was posted; nothing is an empty one. Raises InputError."""
    if not request.get_data():
        return {}
    value = request.get_json(force=True, silent=True)
    if not isinstance(value, dict):
        raise errors.InputError("The body is not a JSON object.", remedy='Send an object, such as {"by": "kim"}.')
    return value


def _text(body: dict[str, Json], key: str) -> str:
    value = body.get(key, "")
    if not isinstance(value, str):
        raise errors.InputError(f"{key} is not text.", remedy="Put it in quotes.")
    return value.strip()


def _deliveries(blueprint: Blueprint, context: Context) -> None:
    @blueprint.get("/deliveries")
    def list_deliveries() -> Response:
        size, state = _size(context), reading.text("state")
        known = {one.value for one in State}
        wanted = deliveries.Filter(hook=reading.text("hook"), state=State(state) if state in known else None)
        with context.database.read() as connection:
            return _page(deliveries.page(connection, wanted, before=reading.number("before"), limit=size + 1), size)

    @blueprint.get("/deliveries/<int:number>")
    def show_delivery(number: int) -> Response:
        with context.database.read() as connection:
            found = deliveries.get(connection, reading.bounded(number))
        return _answer({**as_json(found.summary), "headers": found.headers, "body": found.body})

    @blueprint.post("/deliveries/<int:number>/replay")
    def replay_delivery(number: int) -> Response:
        by = _text(_body(), "by")
        delivery_pages.play_again(context, reading.bounded(number), by=by)
        return _answer({"delivery": number, "status": "rearmed"}, 202)


def _runs(blueprint: Blueprint, context: Context) -> None:
    @blueprint.get("/runs")
    def list_runs() -> Response:
        size = _size(context)
        wanted = runs.Filter(application=reading.text("application"), state=reading.text("state"))
        with context.database.read() as connection:
            return _page(runs.page(connection, wanted, before=reading.number("before"), limit=size + 1), size)

    @blueprint.get("/runs/<name>")
    def show_run(name: str) -> Response:
        with context.database.read() as connection:
            run = runs.named(connection, name)
            whole = runs.whole(connection, run.id)
            rows = tasks.of_run(connection, run.id)
            steps = tasks.steps_of_run(connection, run.id)
            asked = approvals.of_run(connection, run.id)
        shown = [
            {**as_json(row), "name": row.pipeline_task, "object": row.name, "steps": steps.get(row.id, [])}
            for row in rows
        ]
        questions = [
            {**as_json(one), "run": run.name, "application": run.application, "task": one.pipeline_task}
            for one in asked
        ]
        body = {**as_json(run), "progress": progress.of_run(run), "tasks": shown, "approvals": questions}
        return _answer({**body, "results": whole.results, "skipped": whole.skipped})

    @blueprint.get("/runs/<name>/logs")
    def show_logs(name: str) -> Response:
        number, after = reading.number("task"), reading.number("after")
        if number is None:
            raise errors.InputError("Which task?", remedy="Add ?task=<id>; the run lists its tasks.")
        with context.database.read() as connection:
            task = tasks.in_run(connection, name, number)
            pieces = logs.of_task(connection, task.id, after=after or 0)
        return _answer({"pieces": pieces, "ended": task.state == "ended"})


def _run_actions(blueprint: Blueprint, context: Context) -> None:
    @blueprint.post("/runs/<name>/<any(approve, reject):decision>")
    def decide_run(name: str, decision: str) -> Response:
        body = _body()
        by = _text(body, "by")
        if not by:
            raise errors.InputError("An approval needs the name of who gives it.", remedy='Send {"by": "kim"}.')
        with context.database.read() as connection:
            asked = approvals.of_run(connection, runs.named(connection, name).id)
        pending = [one.id for one in asked if one.state == "pending"]
        if not pending:
            raise errors.ConflictError(f"The run {name!r} asks nothing.", remedy="Look at how it stands.")
        for approval in pending:
            answer = Answer(approval=approval, by=by, approve=decision == "approve", comment=_text(body, "comment"))
            context.actions.decide(answer)
        context.audit(by, f"answered {decision} to the run {name!r}")
        return _answer({"run": name, "status": "approved" if decision == "approve" else "rejected"})

    @blueprint.post("/runs/<name>/cancel")
    def cancel_run(name: str) -> Response:
        by = _text(_body(), "by")
        context.actions.cancel(name, by=by)
        context.audit(by, f"stopped the run {name!r}")
        return _answer({"run": name, "status": "stopping"}, 202)

    @blueprint.post("/runs/<name>/rerun")
    def rerun(name: str) -> Response:
        by = _text(_body(), "by")
        new = context.actions.rerun(name, by=by)
        context.audit(by, f"started the run {name!r} again as {new!r}")
        return _answer({"run": new, "status": "started"}, 202)


def _drift(blueprint: Blueprint, context: Context) -> None:
    @blueprint.get("/findings")
    def list_findings() -> Response:
        size = _size(context)
        wanted = drift.Filter(
            **{name: reading.text(name) for name in ("application", "pair", "verdict", "kind", "state")}
        )
        with context.database.read() as connection:
            return _page(drift.page(connection, wanted, before=reading.number("before"), limit=size + 1), size)

    @blueprint.get("/fleet")
    def show_fleet() -> Response:
        topology, now = context.topology(), context.clock.now()
        seen = fleet.view(topology, fleet.read(context, topology, now), now)
        rows = [
            {
                "application": row.protected.application.name,
                "pair": row.protected.pair.name,
                "primary": row.protected.pair.spec.primary,
                "standby": row.protected.pair.spec.standby,
                "tier": row.protected.protection.tier,
                "stance": row.protected.stance,
                "verdict": row.protected.proved,
                "health": row.protected.health,
                "healthBySite": {site: health.value for site, health in row.protected.healths.items()},
                "stale": row.protected.stale or row.protected.scan is None,
                "lastVerdict": row.protected.scan.verdict if row.protected.scan else None,
                "comparedAt": row.protected.scan.ended_at if row.protected.scan else None,
                "findings": row.findings,
                "git": row.git,
                "gitLagSeconds": row.git_lag.total_seconds() if row.git_lag is not None else None,
                "images": row.images,
            }
            for group in seen.groups
            for row in group.rows
        ]
        return _answer({"items": rows, "total": seen.total, "inStep": seen.in_step, "unknown": seen.unknown})
