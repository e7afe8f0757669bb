"""``lockstep events``: what forges and registries posted, and what came of it."""

from __future__ import annotations

import click

from console.cli import acting, frame, terminal
from lockstep import work
from lockstep.store import deliveries
from lockstep.store.deliveries import Filter, Summary
from lockstep.values import Json

_MOST = 1000


@click.group()
def events() -> None:
    """Look at deliveries of webhooks, and work on one again."""


@events.command("list", epilog="Example: lockstep events list --hook forge -o json")
@click.option("--hook", default="", metavar="NAME", help="Of this hook only.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, _MOST), help="How many.")
@frame.common
@frame.output("table", "json")
@frame.placed
def list_(places: frame.Frame, *, hook: str, most: int, form: str) -> int:
    """The newest deliveries, the newest first."""
    with acting.opened(places) as process, process.database.read() as connection:
        found = deliveries.page(connection, Filter(hook=hook), limit=most)
    if form == "json":
        frame.write_json([_as_json(one) for one in found])
        return frame.Exit.DONE
    columns = ("id", "received", "hook", "event", "state", "what came of it")
    terminal.write_table(columns, map(_row, found), empty="No deliveries yet.")
    return frame.Exit.DONE


@events.command(epilog="Example: lockstep events show 7")
@click.argument("delivery", type=int)
@frame.common
@frame.output("yaml", "json")
@frame.placed
def show(places: frame.Frame, *, delivery: int, form: str) -> int:
    """One delivery: headers without secrets, body, events, what came of it."""
    with acting.opened(places) as process, process.database.read() as connection:
        found = deliveries.get(connection, delivery)
    whole = {
        **_as_json(found.summary),
        "headers": dict(found.headers),
        "body": found.body.decode(errors="replace"),
    }
    (frame.write_json if form == "json" else frame.write_yaml)(whole)
    return frame.Exit.DONE


@events.command(epilog="Example: lockstep events replay 7")
@click.argument("delivery", type=int)
@frame.common
@frame.placed
def replay(places: frame.Frame, *, delivery: int) -> int:
    """Work on a stored delivery again, whatever came of it before."""

    def done() -> bool:
        with process.database.read() as connection:
            return deliveries.get(connection, delivery).summary.state is not deliveries.State.RECEIVED

    with acting.opened(places) as process:
        with process.database.write() as connection:
            deliveries.replay(connection, delivery)
            process.queue.enqueue(connection, work.process_delivery(delivery))
        acting.until(process, done)
    terminal.say(f"Delivery {delivery} was worked on again.")
    return frame.Exit.DONE


def _row(one: Summary) -> list[str]:
    received = one.received_at.strftime("%Y-%m-%d %H:%M:%S")
    return [str(one.id), received, one.hook, one.event, one.state.value, _came_of(one)]


def _came_of(one: Summary) -> str:
    wakes = [f"{wake['kind']} {wake['repository']}" for event in one.events for wake in event.get("wakes", ())]
    return ", ".join(wakes) or one.reason


def _as_json(one: Summary) -> dict[str, Json]:
    return {
        "id": one.id,
        "hook": one.hook,
        "provider": one.provider,
        "delivery": one.delivery,
        "event": one.event,
        "receivedAt": one.received_at.isoformat(),
        "state": one.state.value,
        "reason": one.reason,
        "events": list(one.events),
        "duplicates": one.duplicates,
        "doneAt": one.done_at.isoformat() if one.done_at else None,
    }
