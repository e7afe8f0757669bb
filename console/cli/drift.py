"""``lockstep drift``: git, the primary and each standby, compared now or as they were last seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import click

from console.cli import acting, frame, reporting
from console.runtime import Runtime
from console.scanning import scanning_of
from drift import report as reports
from drift.scan import scan
from lockstep import errors
from lockstep.store.views import drift as views
from lockstep.topology import kinds
from lockstep.topology.model import Topology

Asked = Sequence[tuple[kinds.Application, kinds.Pair]]


@click.command(epilog="Example: lockstep drift pay --pair seoul-sejong -o html > drift.html")
@click.argument("name", default="", metavar="[APPLICATION|PAIR]")
@click.option("--pair", default="", metavar="PAIR", help="Over this pair only.")
@click.option("--stored", is_flag=True, help="What was found last, without looking now; old evidence is Unknown.")
@frame.common
@reporting.options
@frame.placed
def drift(
    places: frame.Frame, name: str, *, pair: str, stored: bool, form: str, lang: str | None, everything: bool
) -> int:
    """Compare git, the primary and each standby, and say what differs.

    Everything by default, else one application or one pair. What is found is kept, as if the service had looked.

    Exit codes: 0 nothing differs that may not, 1 something does, 2 unknown or an error.
    """
    try:
        with acting.opened(places) as process:
            asked = chosen(process.topology(), name, pair)
            if not stored:
                acting.agree(process)
                compare(process, asked)
            told = told_of(process, asked)
    except errors.LockstepError as error:
        raise frame.CommandError(error, reports.UNKNOWN) from error
    language = reporting.chosen(lang, places.environ)
    return reporting.emit(told, form=form, lang=language, everything=everything)


def chosen(topology: Topology, name: str, pair: str) -> Asked:
    """The applications with the pairs that are meant.

    Raises:
        NotFoundError: There is none; a comparison of nothing must not read as one that found nothing.
    """
    if name and name in topology.pairs and name not in topology.applications and not pair:
        name, pair = "", name
    applications = [topology.application(name)] if name else list(topology.applications.values())
    if pair:
        topology.pair(pair)
    asked = [
        (application, one)
        for application in applications
        for one, _ in topology.pairs_of(application)
        if pair in ("", one.name)
    ]
    if not asked:
        what = name or "Nothing"
        over = f" over the pair {pair}" if pair else " by any pair"
        raise errors.NotFoundError(
            f"{what} is not protected{over}, so there is nothing to compare.",
            remedy="Add protection to the Application: spec.protection.",
        )
    return asked


def compare(process: Runtime, asked: Asked) -> None:
    """Compare now, and keep what is found."""
    scanning = scanning_of(process)
    with acting.progress() as bar:
        task = bar.add_task("comparing", total=len(asked))
        for application, pair in asked:
            bar.update(task, description=f"comparing {application.name} over {pair.name}")
            found = scan(scanning, application, pair)
            with process.database.write() as connection:
                found.store(connection)
            bar.advance(task)


def told_of(process: Runtime, asked: Asked) -> reports.Report:
    """What the store has of what is asked for."""
    names: Collection[str] = {application.name for application, _ in asked}
    with process.database.read() as connection:
        scans = views.scans_of(connection)
        findings = views.unresolved(connection, names)
    stale = timedelta(seconds=process.settings.serving.stale_seconds)
    return reports.of_store(scans, findings, asked, now=process.clock.now(), stale=stale)
