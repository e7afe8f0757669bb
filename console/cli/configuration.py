"""``lockstep validate`` and ``lockstep schema``: the configuration, without touching a site."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import asdict
from pathlib import Path

import click
from rich.text import Text

from console.cli import frame, terminal
from lockstep import errors
from lockstep.topology import load
from lockstep.topology import schema as schemas
from lockstep.topology.model import Topology
from pipelines import checking


@click.command(epilog="Example: lockstep validate examples/shop/configuration")
@click.argument("directory", type=click.Path(path_type=Path))
@frame.common
@frame.output("table", "json")
def validate(*, directory: Path, form: str, **_places: object) -> int:
    """Check the configuration in DIRECTORY, all of it, without touching a site.

    Exit codes: 0 nothing is wrong, 1 something is.
    """
    try:
        topology = load.load(directory)
        problems = tuple(sorted(checking.problems(topology)))
        notes = sorted(checking.notes(topology)) if not problems else []
    except errors.ConfigurationError as error:
        topology, problems, notes = None, error.problems, []
    if form == "json":
        frame.write_json({"problems": [asdict(one) for one in problems], "notes": [asdict(one) for one in notes]})
    elif topology and not problems:
        for note in notes:
            terminal.say(str(note), lead="note:")
        terminal.write(_summary(topology))
    else:
        for problem in problems:
            _print_problem(problem)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''};"
        terminal.say("nothing was loaded.", lead=count, style="bold red")
    return 1 if problems else 0


@click.command(epilog="Example: lockstep schema > lockstep.schema.json")
def schema() -> int:
    """Write the JSON Schema of the configuration, for editors and reviews."""
    click.echo(schemas.text(), nl=False)
    return frame.Exit.DONE


def _summary(topology: Topology) -> str:
    counts: dict[str, Sized] = {
        "site": topology.sites,
        "pair": topology.pairs,
        "application": topology.applications,
        "git mirror": topology.git_mirrors,
        "image mirror": topology.image_mirrors,
        "webhook": topology.webhooks,
        "expected difference": topology.expected_differences,
        "drill": topology.drills,
        "notification": topology.notifications,
        "Tekton document": topology.tekton,
    }
    parts = [f"{len(found)} {name}{'s' if len(found) > 1 else ''}" for name, found in counts.items() if found]
    return f"Nothing is wrong: {', '.join(parts)}."


def _print_problem(problem: errors.Problem) -> None:
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    line = Text(terminal.safe(f"{place}: "), style="bold")
    line.append(terminal.safe(f"{problem.field}: ") if problem.field else "", style="cyan")
    line.append(terminal.safe(problem.message), style="default")
    line.append(f" {terminal.safe(problem.remedy)}", style="dim")
    terminal.out().print(line)
