"""``lockstep demo``: the product on one machine."""

from __future__ import annotations

from pathlib import Path

import click

from console.cli import frame, interrupting
from console.demo import product, story
from lockstep import errors


@click.command(epilog="Example: lockstep demo --directory /tmp/lockstep-demo")
@click.option("--exit", "leave", is_flag=True, help="Walk one push all the way through, then end.")
@click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo lives.  [default: ./demo, or a temporary one with --exit]",
)
@click.option(
    "--app",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Manifests or a kustomization of your own, instead of the example.",
)
@frame.output("table", "json")
def demo(*, leave: bool, directory: Path | None, app: Path | None, form: str) -> int:
    """Start three sites, a forge and an application on this machine.

    Everything is a directory: nothing is installed, nothing leaves this machine. Without --exit it says what to
    try and keeps running until Ctrl-C.
    """
    interrupting.wait_for_the_end()
    try:
        if not leave:
            return story.keep_running(directory or Path("demo"), app=app)
        result = story.walk(directory, app=app)
    except product.DemoError as error:
        raise frame.CommandError(errors.LockstepError(str(error)), exit_code=1) from error
    if form == "json":
        frame.write_json(result)
    return frame.Exit.DONE
