"""``lockstep sync``: bring repositories and images into step now."""

from __future__ import annotations

from typing import Any

import click

from console import wiring
from console.cli import acting, frame, terminal
from lockstep import errors
from sync import git as mirroring_git
from sync import images as mirroring_images
from sync.mirror import Listening

_ERROR = 2


@click.group()
def sync() -> None:
    """Mirror git and images to the sites.

    Exit codes: 0 equal or made equal, 1 something is held or refused, 2 error or unknown.
    """


@sync.command(epilog="Example: lockstep sync git bank/pay --dry-run")
@click.argument("name", default="")
@click.option("--site", default="", metavar="SITE", help="To this site only.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@frame.common
@frame.output("table", "json")
@frame.placed
def git(places: frame.Frame, *, name: str, site: str, dry_run: bool, form: str) -> int:
    """Mirror repositories: all, those of the GitMirror NAME, or the repository NAME."""
    try:
        with acting.opened(places) as process, acting.progress() as bar:
            acting.agree(process)
            shown = bar.add_task("mirroring git", total=None)
            request = mirroring_git.Request(site=site, dry_run=dry_run, on_outcome=lambda _outcome: bar.advance(shown))
            report = mirroring_git.run(wiring.mirroring_git(process), request, name=name)
    except errors.LockstepError as error:
        raise frame.CommandError(error, _ERROR) from error
    if form == "json":
        frame.write_json(report.as_json())
        return report.exit_code
    rows = []
    for one in report.sites:
        refs = "; ".join(f"{ref.ref}: {ref.action} {ref.outcome.value} {ref.reason}".strip() for ref in one.refs)
        rows.append((one.repository, one.site, one.state.value, one.reason or refs))
    rows += [(repository, "", "unknown", problem) for repository, problem in report.problems.items()]
    terminal.write_table(("repository", "site", "state", "detail"), rows, empty="No repositories are mirrored.")
    return report.exit_code


@sync.command(epilog="Example: lockstep sync images --site sejong --verify")
@click.argument("name", default="")
@click.option("--site", default="", metavar="SITE", help="To this site only.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option("--verify", is_flag=True, help="Take nothing for granted: look for every manifest, config and layer.")
@frame.common
@frame.output("table", "json")
@frame.placed
def images(places: frame.Frame, **given: Any) -> int:
    """Mirror images: all, those of the ImageMirror NAME, or the repository NAME."""
    try:
        with acting.opened(places) as process, acting.progress() as bar:
            acting.agree(process)
            shown = bar.add_task("mirroring images (bytes)", total=None)
            listening = Listening(progress=lambda done, total: bar.update(shown, completed=done, total=total))
            request = mirroring_images.Request(
                site=given["site"], deep=given["verify"], dry_run=given["dry_run"], listening=listening
            )
            report = mirroring_images.run(wiring.mirroring_images(process), request, name=given["name"])
    except errors.LockstepError as error:
        raise frame.CommandError(error, _ERROR) from error
    if given["form"] == "json":
        frame.write_json(report.as_json())
        return report.exit_code
    columns = ("repository", "reference", "site", "state", "digest", "detail")
    rows = (
        (one.repository, one.reference[:24], one.site, one.state.value, one.digest[:19], one.detail)
        for one in report.results
    )
    terminal.write_table(columns, rows, empty="No images are mirrored yet.")
    return report.exit_code
