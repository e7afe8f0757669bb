"""``lockstep notify``: who is told of what, how the channels do, and trying them."""

from __future__ import annotations

from datetime import datetime

import click

from console import language
from console.cli import acting, frame, terminal
from console.notices import grouping, sending, wording
from console.notices.grouping import Notice
from console.notices.routes import Route, routes_of
from console.runtime import Runtime
from lockstep import errors
from lockstep.store import notices
from lockstep.topology import kinds
from lockstep.values import Json

_TEST = Notice(kind=grouping.TEST, application="", counts={}, lines=(), total=0)


@click.group()
def notify() -> None:
    """Look at who is told of what, and try the channels."""


@notify.command("list", epilog="Example: lockstep notify list")
@frame.common
@frame.output("table", "json")
@frame.placed
def list_(places: frame.Frame, *, form: str) -> int:
    """Every channel of every Notification, and how it does."""
    with acting.opened(places) as process, process.database.read() as connection:
        found = [
            _standing(notices.channel(connection, one.name, route.channel))
            for one in process.topology().notifications.values()
            for route in routes_of(one)
        ]
    if form == "json":
        frame.write_json(found)
        return frame.Exit.DONE
    columns = ("notification", "channel", "sent", "failed", "given up", "failing since", "problem")
    keys = ("notification", "channel", "sent", "failed", "givenUp", "failingSince", "problem")
    rows = [[str(one[key] if one[key] not in (None, "") else "-") for key in keys] for one in found]
    terminal.write_table(columns, rows, empty="Nobody is told anything: the configuration has no Notification.")
    return frame.Exit.DONE


@notify.command(epilog="Example: lockstep notify test operations")
@click.argument("name")
@frame.common
@frame.placed
def test(places: frame.Frame, *, name: str) -> int:
    """Send a test message over each channel of the Notification NAME, at once and once.

    Exit codes: 0 every channel took it, 1 one did not.
    """
    with acting.opened(places) as process:
        found = process.topology().notifications.get(name)
        if found is None:
            raise errors.NotFoundError(f"There is no Notification {name}.", remedy="See lockstep notify list.")
        problems = [_try(process, found, route) for route in routes_of(found)]
    return 1 if any(problems) else frame.Exit.DONE


def _try(process: Runtime, notification: kinds.Notification, route: Route) -> bool:
    """Whether a channel did not take a test message; what happened is said."""
    now = process.clock.now()
    message = _message(process, notification, route, now)
    try:
        sending.deliver(route, message, read=process.secrets.text, at=now)
    except errors.LockstepError as error:
        terminal.say(str(error), lead=f"{route.channel}:", style="bold red")
        return True
    terminal.write(f"{route.channel}: sent")
    return False


def _message(process: Runtime, notification: kinds.Notification, route: Route, now: datetime) -> notices.Listed:
    catalogue, url = language.load()[notification.spec.language], process.settings.serving.url
    title, text = wording.text_of(_TEST, catalogue, url=url)
    body = wording.json_of(_TEST, catalogue, notification=notification.name, url=url, at=now).decode()
    return notices.Listed(
        id=0,
        message=notices.new_id(),
        notification=notification.name,
        channel=route.channel,
        kind=grouping.TEST,
        title=title,
        body=body if route.webhook else text,
        state=notices.WAITING,
        attempts=0,
        problem="",
        made_at=now,
        ended_at=None,
    )


def _standing(one: notices.Channel) -> dict[str, Json]:
    return {
        "notification": one.notification,
        "channel": one.channel,
        "sent": one.sent,
        "failed": one.failed,
        "givenUp": one.given_up,
        "problem": one.problem,
        "failingSince": one.failing_since.isoformat(timespec="seconds") if one.failing_since else None,
        "sentAt": one.sent_at.isoformat(timespec="seconds") if one.sent_at else None,
    }
