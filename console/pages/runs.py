"""Runs: the list, one run with its graph, its logs as they are written, and what a person may do."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as BaseResponse

from console import presenting, progress, reading, security
from console.context import Answer, Context
from console.language import mark
from console.progress import Shown
from lockstep import documents, errors
from lockstep.store import approvals, logs, runs, tasks
from lockstep.store.logs import Piece
from lockstep.store.runs import Filter

_STATES = ("pending", "running", "waiting", "ended")


def create_blueprint(context: Context) -> Blueprint:
    """Everything below ``/runs``."""
    blueprint = Blueprint("runs", __name__)
    _reading(blueprint, context)
    _acting(blueprint, context)
    return blueprint


def _reading(blueprint: Blueprint, context: Context) -> None:
    @blueprint.get("/runs")
    def listing() -> str:
        size = context.serving.rows
        state = reading.text("state")
        wanted = Filter(application=reading.text("application"), state=state if state in _STATES else "")
        with context.database.read() as connection:
            rows = runs.page(connection, wanted, before=reading.number("before"), limit=size + 1)
        page = reading.page(rows, rows[size - 1].id if len(rows) > size else None, size)
        names = list(context.topology().applications)
        return render_template("runs.html", page=page, wanted=wanted, states=_STATES, applications=names)

    @blueprint.get("/runs/<name>")
    def show(name: str) -> str:
        with context.database.read() as connection:
            whole = runs.whole(connection, runs.named(connection, name).id)
            rows, steps = tasks.of_run(connection, whole.run.id), tasks.steps_of_run(connection, whole.run.id)
            asked = approvals.of_run(connection, whole.run.id)
        shown: Shown = progress.show(whole, rows, steps)
        return render_template("run.html", shown=shown, whole=whole, asked=asked, me=security.name())

    @blueprint.get("/runs/<name>/yaml")
    def yaml(name: str) -> str:
        with context.database.read() as connection:
            whole = runs.whole(connection, runs.named(connection, name).id)
        written = {
            key: documents.dump(value) for key, value in whole.snapshot.items() if isinstance(value, dict) and value
        }
        return render_template("run_yaml.html", run=whole.run, documents=written)

    @blueprint.get("/runs/<name>/tasks/<int:task>/log")
    def log(name: str, task: int) -> Response:
        after = reading.number("after")
        with context.database.read() as connection:
            row = tasks.in_run(connection, name, reading.bounded(task))
            if reading.text("as") == "text":
                return Response("".join(piece.text for piece in _whole(connection, row.id)), mimetype="text/plain")
            found = logs.last(connection, row.id) if after is None else logs.of_task(connection, row.id, after=after)
        return jsonify(pieces=[as_json(piece) for piece in found], ended=row.state == "ended")


def _acting(blueprint: Blueprint, context: Context) -> None:
    @blueprint.post("/runs/<name>/approvals/<int:approval>")
    def decide(name: str, approval: int) -> BaseResponse:
        decision = request.form.get("decision", "")
        if decision not in ("approve", "reject"):
            raise errors.InputError(
                mark("The answer is neither approve nor reject."), remedy=mark("Use one of the buttons.")
            )
        by = reading.field("by")[:100]
        if not by:
            raise errors.InputError(
                mark("An approval needs the name of who gives it."), remedy=mark("Fill in your name.")
            )
        _must_ask(context, name, approval)
        answer = Answer(
            approval=approval,
            by=by,
            approve=decision == "approve",
            comment=reading.field("comment")[:2000],
        )
        context.actions.decide(answer)
        context.audit(by, f"answered {decision} to the approval {approval} of the run {name!r}")
        said = mark("Approved.") if answer.approve else mark("Rejected.")
        flash(presenting.gettext(said))
        return redirect(url_for("runs.show", name=name), 303)

    @blueprint.post("/runs/<name>/cancel")
    def cancel(name: str) -> BaseResponse:
        context.actions.cancel(name, by=security.who())
        context.audit(security.who(), f"stopped the run {name!r}")
        flash(presenting.gettext(mark("The run is being stopped.")))
        return redirect(url_for("runs.show", name=name), 303)

    @blueprint.post("/runs/<name>/rerun")
    def rerun(name: str) -> BaseResponse:
        new = context.actions.rerun(name, by=security.who())
        context.audit(security.who(), f"started the run {name!r} again as {new!r}")
        flash(presenting.gettext(mark("It was started again.")))
        return redirect(url_for("runs.show", name=new), 303)


def _must_ask(context: Context, run: str, approval: int) -> None:
    """Refuse an answer to what is not a question of this run. Raises NotFoundError."""
    with context.database.read() as connection:
        asked = approvals.of_run(connection, runs.named(connection, run).id)
    if approval not in {one.id for one in asked}:
        raise errors.NotFoundError(
            mark("The run does not ask that."), remedy=mark("Go back to its page: it may have been superseded.")
        )


def _whole(connection: Connection, task: int) -> Iterator[Piece]:
    """A log from its beginning to its end; what is kept of one is bounded by the settings."""
    found = logs.of_task(connection, task)
    while found:
        yield from found
        found = logs.of_task(connection, task, after=found[-1].id)


def as_json(piece: Piece) -> dict[str, str | int]:
    """A piece of a log for programs."""
    return {
        "id": piece.id,
        "attempt": piece.attempt,
        "step": piece.step,
        "at": piece.at.isoformat(),
        "text": piece.text,
    }
