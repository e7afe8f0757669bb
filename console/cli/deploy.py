"""``lockstep deploy``: what git says, to the sites."""

from __future__ import annotations

import click

from console import wiring
from console.actions import Actions
from console.cli import acting, frame, showing
from lockstep import errors
from pipelines.delivery.prepare import Wished, prepare

_ERROR = 2


@click.command(epilog="Example: lockstep deploy pay --site sejong --dry-run")
@click.argument("application")
@click.option("--site", "sites", multiple=True, metavar="SITE", help="To this site only; may be repeated.")
@click.option("--revision", default="", metavar="COMMIT", help="This commit.  [default: the branch's, as mirrored]")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option("--by", default="", metavar="NAME", help="Who deploys.  [default: you]")
@frame.common
@frame.output("table", "json")
@frame.placed
def deploy(
    places: frame.Frame, application: str, *, sites: tuple[str, ...], revision: str, dry_run: bool, by: str, form: str
) -> int:
    """Deploy APPLICATION: the truth first, then the other sites, each at its tier.

    Exit codes: 0 done or nothing to do, 1 would change (dry run), waits or failed, 2 error.
    """
    try:
        with acting.opened(places) as process:
            actions = Actions(process)
            if dry_run:
                acting.agree(process)
                world = wiring.world_of(process)
                found = process.topology().application(application)
                commit = actions.commit(found, revision)
                whole = prepare(world, found, revision=commit, built={}, sites=Wished(only=sites, named=sites))
                return showing.plan(whole, form)
            run = actions.deploy(application, by=by or acting.me(), sites=sites, revision=revision)
            showing.begun(process, run)
            return showing.follow(process, run, form)
    except errors.LockstepError as error:
        raise frame.CommandError(error, _ERROR) from error
