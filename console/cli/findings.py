"""``lockstep findings``: every difference with its life, and what people say of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from console import hotfixing
from console.actions import Actions
from console.cli import acting, frame, showing, terminal
from console.runtime import Runtime
from drift import explain as explaining
from drift import report
from drift.comparison import facts
from lockstep import documents, errors
from lockstep.sites import git
from lockstep.store import answers, lives, runs
from lockstep.store.views import drift as views
from lockstep.topology import direction
from lockstep.values import Json, Stance, Verdict

_MOST = 10_000
_LONGEST_VALUE = 40
_AUTHOR = re.compile(r"[^<>\n]+ <[^<>\s]+>")
_VERDICTS = [verdict.value for verdict in Verdict if verdict is not Verdict.IN_SYNC]
_STATES = ("unresolved", *lives.LIVE, lives.RESOLVED)


@click.group()
def findings() -> None:
    """Look at differences, and say what is to become of them."""


@findings.command("list", epilog="Example: lockstep findings list --verdict PrimaryHotfix -o json")
@click.option("--application", default="", metavar="NAME", help="Of this application only.")
@click.option("--pair", default="", metavar="NAME", help="Over this pair only.")
@click.option("--verdict", type=click.Choice(_VERDICTS), help="Of this verdict only.")
@click.option("--kind", default="", metavar="KIND", help="Of objects of this kind.")
@click.option("--status", default="unresolved", show_default=True, type=click.Choice(_STATES), help="In this state.")
@click.option("--most", default=200, show_default=True, type=click.IntRange(1, _MOST), help="How many.")
@frame.common
@frame.output("table", "json")
@frame.placed
def list_(
    places: frame.Frame,
    *,
    application: str,
    pair: str,
    verdict: str | None,
    kind: str,
    status: str,
    most: int,
    form: str,
) -> int:
    """Differences, the newest first; those that are not resolved by default."""
    wanted = views.Filter(application=application, pair=pair, verdict=verdict or "", kind=kind, state=status)
    with acting.opened(places) as process, process.database.read() as connection:
        found = views.page(connection, wanted, limit=most)
    if form == "json":
        frame.write_json([_as_json(one) for one in found])
        return frame.Exit.DONE
    columns = ("id", "state", "verdict", "application", "pair", "object", "field", "since")
    terminal.write_table(columns, map(_cells, found), empty="No findings.")
    return frame.Exit.DONE


@findings.command(epilog="Example: lockstep findings show 12")
@click.argument("finding", type=int)
@frame.common
@frame.output("yaml", "json")
@frame.placed
def show(places: frame.Frame, *, finding: int, form: str) -> int:
    """One difference: what each side has, its verdict, its life. Never the value of a secret."""
    with acting.opened(places) as process, process.database.read() as connection:
        found = views.one(connection, finding)
    (frame.write_json if form == "json" else frame.write_yaml)(_as_json(found))
    return frame.Exit.DONE


@findings.command(epilog="Example: lockstep findings acknowledge 12 --note 'INC-204, fixed tonight'")
@click.argument("finding", type=int)
@click.option("--note", required=True, metavar="TEXT", help="What is to become of it.")
@click.option("--by", default="", metavar="NAME", help="Who says so.  [default: you]")
@frame.common
@frame.placed
def acknowledge(places: frame.Frame, *, finding: int, note: str, by: str) -> int:
    """Somebody has seen it. It is a difference as before, and everybody sees who looks after it."""
    with acting.opened(places) as process, process.database.write() as connection:
        answers.acknowledge(connection, finding, by=by or acting.me(), note=note, at=process.clock.now())
    terminal.say(f"Finding {finding} is acknowledged.")
    return frame.Exit.DONE


@findings.command(epilog="Example: lockstep findings waive 12 --until 2027-01-31 --note 'until the move'")
@click.argument("finding", type=int)
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The last day (UTC) that it holds.")
@click.option("--note", required=True, metavar="TEXT", help="Why it may be.")
@click.option("--by", default="", metavar="NAME", help="Who accepts it.  [default: you]")
@frame.common
@frame.placed
def waive(places: frame.Frame, *, finding: int, until: datetime, note: str, by: str) -> int:
    """Somebody accepts it until a day; after that it is open again. The verdict stays what it is."""
    with acting.opened(places) as process:
        end = until.replace(tzinfo=UTC) + timedelta(days=1)
        if end <= process.clock.now():
            raise click.UsageError(f"{until.date()} is over: a waiver needs a day to come.")
        with process.database.write() as connection:
            answers.waive(connection, finding, by=by or acting.me(), note=note, until=end, at=process.clock.now())
    terminal.say(f"Finding {finding} is waived until the end of {until.date()}.")
    return frame.Exit.DONE


@findings.command(epilog="Example: lockstep findings declared --application pay")
@click.option("--application", default="", metavar="NAME", help="Of this application only.")
@click.option("--pair", default="", metavar="NAME", help="Over this pair only.")
@frame.common
@frame.output("table", "json")
@frame.placed
def declared(places: frame.Frame, *, application: str, pair: str, form: str) -> int:
    """What overlays in git declare, who made it so, and who accepted it, when and why; those left first.

    Exit codes: 0 each is accepted, 1 some are not.
    """
    with acting.opened(places) as process, process.database.read() as connection:
        found = views.declared(connection, application=application, pair=pair, limit=_MOST)
    left = [one for one in found if one.state != lives.ACCEPTED]
    found = [*left, *(one for one in found if one.state == lives.ACCEPTED)]
    if form == "json":
        frame.write_json([_as_json(one) for one in found])
    else:
        columns = ("id", "state", "application", "pair", "object", "field", "primary", "standby", "set by", "accepted")
        terminal.write_table(columns, map(_declared_cells, found), empty="No overlay declares anything.")
    return 1 if left else frame.Exit.DONE


@findings.command(epilog="Example: lockstep findings accept 12 --note 'DR has its own log level'")
@click.argument("finding", type=int)
@click.option("--note", required=True, metavar="TEXT", help="Why it is meant.")
@click.option("--by", default="", metavar="NAME", help="Who accepts it.  [default: you]")
@frame.common
@frame.placed
def accept(places: frame.Frame, *, finding: int, note: str, by: str) -> int:
    """Accept one difference that an overlay in git declares, with the values that it has now.

    Other values are open again. What an overlay never excuses (another image, a missing variable or key of a Secret,
    another probe, smaller resources, fewer replicas than the floor) is StandbyDrift, and cannot be accepted.

    Exit codes: 0 it is accepted, 1 it cannot be.
    """
    with acting.opened(places) as process, process.database.write() as connection:
        try:
            answers.accept(connection, finding, by=by or acting.me(), note=note, at=process.clock.now())
        except errors.UnsupportedError as error:
            raise frame.CommandError(error, 1) from error
    terminal.say(f"Finding {finding} is accepted as it is now.")
    return frame.Exit.DONE


@findings.command(epilog="Example: lockstep findings withdraw 12")
@click.argument("finding", type=int)
@frame.common
@frame.placed
def withdraw(places: frame.Frame, *, finding: int) -> int:
    """Take back what was said of it: it is neither acknowledged, waived nor accepted any more."""
    with acting.opened(places) as process, process.database.write() as connection:
        answers.withdraw(connection, finding)
    terminal.say(f"Finding {finding} is open again.")
    return frame.Exit.DONE


@findings.command(epilog="Example: lockstep findings explain 12 --owner 'network team' > rules/hosts.yaml")
@click.argument("finding", type=int)
@click.option("--reason", default="", metavar="TEXT", help="Why the sites differ here.")
@click.option("--owner", default="", metavar="NAME", help="Who answers for it.")
@click.option(
    "--by",
    default="",
    metavar="NAME",
    help="Who accepts it; what an overlay never excuses needs it, and a signature too.",
)
@frame.common
@frame.output("yaml", "json")
@frame.placed
def explain(places: frame.Frame, *, finding: int, reason: str, owner: str, by: str, form: str) -> int:
    """The narrowest ExpectedDifference that would cover it, to be read, corrected and put into the configuration.

    Exit codes: 0 there is one, 1 no rule may cover it.
    """
    with acting.opened(places) as process:
        with process.database.read() as connection:
            found = views.one(connection, finding)
        try:
            document = _proposed(process, found)
        except errors.InputError as error:
            raise frame.CommandError(error, 1) from error
    said = {"reason": reason, "owner": owner, "acceptedBy": by}
    document["spec"] |= {name: text for name, text in said.items() if text}
    (frame.write_json if form == "json" else frame.write_yaml)(document)
    return frame.Exit.DONE


@findings.command(epilog="Example: lockstep findings heal 12")
@click.argument("finding", type=int)
@click.option("--by", default="", metavar="NAME", help="Who says so.  [default: you]")
@frame.common
@frame.placed
def heal(places: frame.Frame, *, finding: int, by: str) -> int:
    """Deploy to the standby again what the primary was deployed with, and wait until that has ended.

    Exit codes: 0 it was deployed, 1 it may not be healed so, waits for a person or failed.
    """
    with acting.opened(places) as process:
        acting.agree(process)
        try:
            run = Actions(process).heal(finding, by=by or acting.me())
        except (errors.UnsupportedError, errors.HeldError) as error:
            raise frame.CommandError(error, 1) from error
        terminal.say(f"The run {run} deploys it.")

        def over() -> bool:
            with process.database.read() as connection:
                found = runs.named(connection, run)
            return found.state == "ended" or bool(found.waiting)

        acting.until(process, over)
        found = showing.look(process, run)
    terminal.write(f"{run}: {found.run.reason}. {found.run.message}".rstrip())
    for sentence in found.failures:
        terminal.write(sentence)
    return frame.Exit.DONE if found.run.status == "True" else 1


@findings.command(epilog="Example: lockstep findings patch 12 | git am")
@click.argument("finding", type=int)
@click.option(
    "--author", default="", metavar="'NAME <MAIL>'", help="The author of the patch.  [default: as you are to git]"
)
@click.option(
    "--file",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to.  [default: stdout]",
)
@frame.common
@frame.placed
def patch(places: frame.Frame, *, finding: int, author: str, file: Path | None) -> int:
    """A hot fix at the primary as a patch for git, for a person to read and to apply; nothing is pushed.

    It changes the file in which the object stands and keeps its comments. Where no file says it so that lines can be
    changed, it is a strategic merge patch for a kustomization. No secret is ever in it.

    Exit codes: 0 there is one, 1 none can be written.
    """
    if author and not _AUTHOR.fullmatch(author):
        raise click.UsageError("The author is written as 'NAME <MAIL>'.")
    with acting.opened(places) as process:
        acting.agree(process)
        with process.database.read() as connection:
            found = views.one(connection, finding)
        try:
            text = hotfixing.patch(process, found, author=lambda: author or git.author(places.environ))
        except errors.UnsupportedError as error:
            raise frame.CommandError(error, 1) from error
    if file is None:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
    return frame.Exit.DONE


def _proposed(process: Runtime, found: views.Finding) -> dict[str, Json]:
    topology = process.topology()
    pair = topology.pair(found.pair)
    with process.database.read() as connection:
        scans = views.scans_of(connection, found.application)
    stance = next((Stance(scan.stance) for scan in scans if scan.pair == found.pair), Stance.UNKNOWN)
    sites = pair.spec.primary, pair.spec.standby
    document: dict[str, Json] = explaining.propose(
        report.row_of(found),
        application=found.application,
        facts=(facts(topology.site(sites[0])), facts(topology.site(sites[1]))),
        switched=direction.direction_of(pair, stance).truth != sites[0],
        today=process.clock.now().date(),
    )
    return document


def _cells(one: views.Finding) -> list[str]:
    row = report.row_of(one)
    field, since = row.people_path or row.path, one.since.strftime("%Y-%m-%d %H:%M")
    return [str(one.id), one.state, one.verdict, one.application, one.pair, str(row.key), field, since]


def _declared_cells(one: views.Finding) -> list[str]:
    row = report.row_of(one)
    primary, standby = (_short(one.values.get(side, "")) for side in ("primary", "standby"))
    made = " ".join(row.cause[name] for name in ("by", "kind") if name in row.cause)
    said = ""
    if one.state == lives.ACCEPTED and one.answered_at is not None:
        said = f"{one.by}, {one.answered_at:%Y-%m-%d}: {one.note}"
    place = (one.application, one.pair, str(row.key), row.people_path or row.path)
    return [str(one.id), one.state, *place, primary, standby, made, said]


def _short(value: Json) -> str:
    text = value if isinstance(value, str) else documents.dump(value).strip()
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _as_json(one: views.Finding) -> dict[str, Json]:
    return {
        "id": one.id,
        "fingerprint": one.fingerprint,
        "application": one.application,
        **report.row_of(one).to_json(),
        # A float without a fraction would be tagged as one in YAML; in JSON both are one number.
        "severity": int(one.severity) if one.severity.is_integer() else one.severity,
        "state": one.state,
        "said": one.note,
        "by": one.by,
        "until": one.until.isoformat() if one.until else None,
        "reopened": one.reopened,
        "answeredAt": one.answered_at.isoformat() if one.answered_at else None,
        "flapping": one.flapping,
        "awaySince": one.away_at.isoformat() if one.away_at else None,
        "firstSeen": one.first_seen.isoformat(),
        "since": one.since.isoformat(),
        "lastSeen": one.last_seen.isoformat(),
        "resolvedAt": one.resolved_at.isoformat() if one.resolved_at else None,
    }
