"""Deliveries: what forges and registries posted, what it meant, and playing one again."""

from __future__ import annotations

import orjson
from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from console import presenting, reading, security
from console.context import Context
from console.language import mark
from lockstep import work
from lockstep.store import deliveries, hooks
from lockstep.store.deliveries import Filter, State

# A body is shown whole up to this; nobody reads more on a page.
_MOST_SHOWN = 200_000


def create_blueprint(context: Context) -> Blueprint:
    """The list, one delivery, and replaying it."""
    blueprint = Blueprint("deliveries", __name__)

    @blueprint.get("/deliveries")
    def listing() -> str:
        size = context.serving.rows
        wanted = Filter(hook=reading.text("hook"), state=_state(reading.text("state")))
        with context.database.read() as connection:
            rows = deliveries.page(connection, wanted, before=reading.number("before"), limit=size + 1)
            health = hooks.everything(connection)
        page = reading.page(rows, rows[size - 1].id if len(rows) > size else None, size)
        configured = context.topology().webhooks
        return render_template(
            "deliveries.html", page=page, wanted=wanted, states=State, hooks=configured, health=health
        )

    @blueprint.get("/deliveries/<int:number>")
    def show(number: int) -> str:
        with context.database.read() as connection:
            delivery = deliveries.get(connection, reading.bounded(number))
        return render_template("delivery.html", delivery=delivery, body=readable(delivery.body))

    @blueprint.post("/deliveries/<int:number>/replay")
    def replay(number: int) -> Response:
        play_again(context, reading.bounded(number), by=security.who())
        flash(presenting.gettext(mark("It is worked on again.")))
        return redirect(url_for("deliveries.show", number=number), 303)

    return blueprint


def play_again(context: Context, number: int, *, by: str) -> None:
    """Have a delivery worked on again, whatever came of it.

    Raises:
        NotFoundError: There is no such delivery.
    """
    with context.database.write() as connection:
        deliveries.replay(connection, number)
        context.queue.enqueue(connection, work.process_delivery(number))
    context.audit(by, f"replayed the delivery {number}")


def readable(body: bytes) -> str:
    """A body for reading: JSON in lines, else the text, cut where it is long."""
    try:
        text = presenting.pretty(orjson.loads(body))
    except orjson.JSONDecodeError:
        text = body.decode("utf-8", "replace")
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}\n…"


def _state(text: str) -> State | None:
    return State(text) if text in {state.value for state in State} else None
