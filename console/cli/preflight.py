"""``lockstep preflight``: whether the other site would start, in one word, with everything that it stands on."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

import click

import lockstep
from console import language, readying
from console.cli import acting, frame, reporting, terminal
from console.reports import preflight as faces
from console.runtime import Runtime
from drift import preflight as gate
from drift.dossier import seal, whole
from drift.gathering import applications
from lockstep import documents, errors
from lockstep.store import preflights
from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.values import Json

FORMS = ("table", "json", "yaml", "html", "markdown", "junit")
_LARGEST = 256 * 2**20


@click.command(epilog="Example: lockstep preflight seoul-sejong -o html > preflight.html")
@click.argument("pair", default="", metavar="PAIR")
@click.option("--application", default="", metavar="NAME", help="This application only; all of the pair by default.")
@click.option("--by", default="", metavar="NAME", help="Who asks.  [default: you]")
@click.option(
    "--verify",
    "verified",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Only compute the digest of a report again (json, yaml or html).",
)
@frame.common
@click.option(
    "--lang",
    type=click.Choice(list(language.LANGUAGES)),
    help="The language of tables, pages and Markdown.  [default: that of the terminal]",
)
@frame.output(*FORMS)
@frame.placed
def preflight(
    places: frame.Frame, pair: str, *, application: str, by: str, verified: Path | None, form: str, lang: str | None
) -> int:
    """Would the standby of PAIR start? Look at everything now, and answer GO, CONDITIONAL or NO-GO.

    Nothing is written to any site. What could not be read counts as a blocker, never as good. The report is kept.

    Exit codes: 0 GO, 1 CONDITIONAL, 2 NO-GO; of --verify: 0 the digest holds, 1 it does not.
    """
    if verified is not None:
        return verify(verified)
    if not pair:
        raise click.UsageError("Name a pair, or give --verify FILE.")
    with acting.opened(places) as process:
        chosen = choose(process.topology(), pair, application)
        acting.agree(process)
        report = made(process, pair, chosen, application=application, by=by or acting.me())
    emit(report, form=form, lang=reporting.chosen(lang, places.environ))
    return whole.verdict_of(report).exit_code


def choose(topology: Topology, pair: str, application: str) -> list[kinds.Application]:
    """The applications that are meant.

    Raises:
        NotFoundError: There is none: a preflight of nothing must not read as one that found nothing.
    """
    topology.pair(pair)
    asked = [topology.application(application)] if application else list(topology.applications.values())
    chosen = [one for one in asked if pair in one.spec.protection]
    if not chosen:
        raise errors.NotFoundError(
            f"The pair {pair} protects {application or 'no application'}{' not' if application else ''}.",
            remedy="Add protection to the Application: spec.protection.",
        )
    return chosen


def made(
    process: Runtime, pair: str, chosen: list[kinds.Application], *, application: str = "", by: str
) -> dict[str, Json]:
    """Look at everything now, say what it means, and keep it."""
    configured = process.topology().pair(pair)
    ttl = timedelta(seconds=process.settings.serving.stale_seconds)
    with acting.progress() as bar:
        bar.add_task(f"looking at {pair}", total=None)
        gathered = applications.gather(readying.gathering_of(process), configured, chosen)
        results = gate.evaluate(gathered, ttl=ttl)
    with process.database.read() as connection:
        before = preflights.before(connection, pair, application)
    report = whole.report(
        gathered,
        results,
        whole.Made(
            id=f"{pair}-{gathered.now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}",
            by=by,
            tool=lockstep.__version__,
            expected=process.topology().expected_differences,
            configured=(configured.spec.primary, configured.spec.standby),
            ttl=ttl,
        ),
        before=before,
    )
    kept = preflights.Kept(
        name=report["id"],
        pair=pair,
        application=application,
        verdict=report["verdict"],
        statement=report["statement"],
        by=by,
        at=gathered.now,
    )
    with process.database.write() as connection:
        preflights.record(connection, kept, report)
    return report


def verify(file: Path) -> int:
    """Say whether a report still says what it said when it was made.

    Raises:
        InputError: It is no report.
    """
    if file.stat().st_size > _LARGEST:
        raise errors.InputError(f"{file} is too large for a report.", remedy="Give a report of lockstep preflight.")
    report = read(file)
    if not seal.holds(report):
        terminal.write(f"{file} was changed after it was made, or is not whole.", lead="DIFFERENT", style="bold red")
        return 1
    terminal.write(f"{report.get('id')} {report.get('verdict')} sha256:{report[seal.KEY]}", lead="SAME", style="green")
    return frame.Exit.DONE


def read(file: Path) -> dict[str, Json]:
    """The report in a file: JSON, YAML, or the page that it stands in.

    Raises:
        InputError: It is none.
    """
    content = file.read_bytes()
    found = documents.read(faces.page.inside(content) or content, file=str(file))
    report = found[0].value if len(found) == 1 else None
    if not isinstance(report, dict) or report.get("kind") != whole.KIND or report.get("schema") != whole.SCHEMA:
        raise errors.InputError(
            f"{file} is no report of a preflight.",
            remedy="Give what lockstep preflight wrote with -o json, yaml or html.",
        )
    return report


def emit(report: dict[str, Json], *, form: str, lang: str) -> None:
    """Write a report to stdout in a form."""
    catalogue = language.load()[lang]
    if form == "json":
        frame.write_json(report)
    elif form == "yaml":
        frame.write_yaml(report)
    elif form == "junit":
        click.echo(faces.junit.write(report), nl=False)
    elif form == "markdown":
        click.echo(faces.markdown.write(report, catalogue), nl=False)
    elif form == "html":
        click.echo(faces.page.write(report, catalogue), nl=False)
    else:
        reporting.show(faces.table.write(report, catalogue))
