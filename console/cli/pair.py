"""``lockstep pair``: which way each pair faces, and saying so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import click

from console.cli import acting, frame, terminal
from console.runtime import Runtime
from lockstep.sites import stances
from lockstep.store import healings
from lockstep.store import stances as stored
from lockstep.topology import direction
from lockstep.topology.stances import Record
from lockstep.values import Json, Stance

_STANCES = [stance.value for stance in Stance if stance is not Stance.UNKNOWN]
# A standby that has become the truth has to be started: a person who names it may deploy to it.
_BY_NAME = (Stance.SWITCHED.value, Stance.RETURNING.value)


@click.group()
def pair() -> None:
    """Look at pairs, and say which side is the truth."""


@pair.command(epilog="Example: lockstep pair show seoul-sejong")
@click.argument("name", default="")
@frame.common
@frame.output("table", "json")
@frame.placed
def show(places: frame.Frame, *, name: str, form: str) -> int:
    """How the pair NAME stands, or all of them: stance, direction, what is held."""
    with acting.opened(places) as process:
        acting.agree(process)
        names = [process.topology().pair(name).name] if name else list(process.topology().pairs)
        found = [_standing(process, one) for one in names]
    if form == "json":
        frame.write_json(found)
        return frame.Exit.DONE
    columns = ("pair", "stance", "truth", "follower", "held", "since", "by", "reason")
    keys = ("pair", "stance", "truth", "follower", "held", "at", "by", "reason")
    rows = [[_held(one) or "-" if key == "held" else str(one[key]) for key in keys] for one in found]
    terminal.write_table(columns, rows, empty="No pairs are configured.")
    return frame.Exit.DONE


@pair.command(epilog="Example: lockstep pair stance seoul-sejong switched --reason 'fire in seoul-dc1'")
@click.argument("name")
@click.argument("wanted", required=False, type=click.Choice(_STANCES))
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept, here and at both sites.")
@click.option("--by", default="", metavar="NAME", help="Who says so.  [default: you]")
@frame.common
@frame.output("table", "json")
@frame.placed
def stance(places: frame.Frame, *, name: str, wanted: str | None, reason: str, by: str, form: str) -> int:
    """Show the stance of the pair NAME, or put another in force.

    In any stance but normal nothing is pruned, healed, scaled to a floor or mirrored towards the site that is
    now the truth.
    """
    with acting.opened(places) as process:
        found = process.topology().pair(name)
        if wanted is not None:
            if not reason.strip():
                raise click.UsageError("A change of stance needs --reason: it is what people read afterwards.")
            record = Record(
                stance=Stance(wanted), generation=0, reason=reason, by=by or acting.me(), at=process.clock.now()
            )
            written = stances.set_stance(process.database, process.doors, found, wanted=record)
            for site, why in written.untold.items():
                terminal.say(f"{why} It is told when it can be reached.", lead=f"{site} could not be told yet:")
        else:
            stances.reconcile(process.database, process.doors, process.topology(), process.clock)
        standing = _standing(process, name)
    if form == "json":
        frame.write_json(standing)
    else:
        held = _held(standing)
        terminal.write(
            f"{name}: {standing['stance']}, the truth is {standing['truth']}{f'; held: {held}' if held else ''}"
        )
    return frame.Exit.DONE


@pair.command(epilog="Example: lockstep pair healing seoul-sejong stop --application pay --reason 'INC-204'")
@click.argument("name")
@click.argument("wanted", required=False, type=click.Choice(["stop", "go-on"]))
@click.option("--application", default="", metavar="NAME", help="Of this application only.")
@click.option("--reason", default="", metavar="TEXT", help="Why it is stopped.")
@click.option("--by", default="", metavar="NAME", help="Who says so.  [default: you]")
@frame.common
@frame.output("table", "json")
@frame.placed
def healing(
    places: frame.Frame, *, name: str, wanted: str | None, application: str, reason: str, by: str, form: str
) -> int:
    """What was healed over the pair NAME, and what stops it; stop it, or let it go on.

    A stop concerns what heals itself. What a person asks for is done all the same.
    """
    with acting.opened(places) as process:
        process.topology().pair(name)
        if application:
            process.topology().application(application)
        if wanted == "stop" and not reason.strip():
            raise click.UsageError("A stop needs --reason: it is what people read afterwards.")
        now, who = process.clock.now(), by or acting.me()
        with process.database.write() as connection:
            if wanted == "stop":
                stop = healings.Stop(pair=name, application=application, by=who, reason=reason, at=now)
                healings.stop(connection, stop)
            elif wanted == "go-on":
                healings.go_on(connection, name, application, by=who, at=now)
            stops = healings.stops(connection, name)
            done = healings.newest(connection, application, pair=name, most=20)
    if form == "json":
        frame.write_json({"stops": [_stop(one) for one in stops], "healed": [_healed(one) for one in done]})
        return frame.Exit.DONE
    for one in stops:
        terminal.write(f"stopped by {one.by}: {one.application or 'all applications'}: {one.reason}")
    rows = [[_moment(one.at), one.application, one.site, ", ".join(one.objects), one.by, one.run] for one in done]
    columns = ("at", "application", "site", "objects", "by", "run")
    terminal.write_table(columns, rows, empty="Nothing was healed yet.")
    return frame.Exit.DONE


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _stop(one: healings.Stop) -> dict[str, Json]:
    return {"application": one.application, "by": one.by, "reason": one.reason, "at": _moment(one.at)}


def _healed(one: healings.Healing) -> dict[str, Json]:
    return {
        "application": one.application,
        "site": one.site,
        "revision": one.revision,
        "run": one.run,
        "objects": list(one.objects),
        "automatic": one.automatic,
        "by": one.by,
        "reason": one.reason,
        "at": _moment(one.at),
    }


def _held(standing: Mapping[str, Json]) -> str:
    """The sites that a stance holds, and what is written there all the same."""
    sites = ", ".join(standing["held"])
    by_name = standing["held"] == [standing["truth"]] and standing["stance"] in _BY_NAME
    return f"{sites} (written to only by a deploy that names it)" if by_name else sites


def _standing(process: Runtime, name: str) -> dict[str, Json]:
    found = process.topology().pair(name)
    with process.database.read() as connection:
        record = stored.newest(connection, name)
    faced = direction.direction_of(found, record.stance if record else Stance.UNKNOWN)
    return {
        "pair": name,
        "stance": faced.stance.value,
        "truth": faced.truth,
        "follower": faced.follower,
        "held": sorted(faced.held),
        "reason": record.reason if record else "nobody has looked at the sites yet",
        "by": record.by if record else "",
        "at": record.at.isoformat(timespec="seconds") if record else "",
    }
