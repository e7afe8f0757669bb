"""``lockstep doctor``: what can be reached, read and written from here."""

from __future__ import annotations

import click
from rich.text import Text

from console import doctor as examining
from console.cli import acting, frame, terminal
from lockstep.store import mirrors

_SOMETHING = 1


@click.command(epilog="Example: lockstep doctor sejong")
@click.argument("site", default="")
@frame.common
@frame.output("table", "json")
@frame.placed
def doctor(places: frame.Frame, *, site: str, form: str) -> int:
    """Ask every end of every site, or of SITE, and say what stays Unknown where one does not answer.

    Nothing is written anywhere. Exit codes: 0 everything answers, 1 something does not.
    """
    with acting.opened(places) as process:
        with process.database.read() as connection:
            known = list(mirrors.last_checked(connection))
        patient = examining.Patient(
            topology=process.topology(), doors=process.doors, secrets=process.secrets, known=known
        )
        checks = examining.examine(patient, site=site)
    if form == "json":
        frame.write_json([check.as_json() for check in checks])
    else:
        terminal.write_table(("", "where", "what", "found", "stays unknown"), map(_row, checks), empty="No sites.")
    return frame.Exit.DONE if examining.is_sound(checks) else _SOMETHING


def _row(check: examining.Check) -> list[str | Text]:
    mark = Text("✗", style="red") if check.problem else Text("✓", style="green")
    return [mark, check.place, check.what, check.problem or check.found, check.leaves]
