"""``lockstep sync``: bring repositories and images into step now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from console import wiring
from console.cli import acting, frame, terminal
from console.cli.moving import Bars
from lockstep import errors
from lockstep.sites import bundle
from sync import bundles, outcomes, release
from sync import git as mirroring_git
from sync import images as mirroring_images
from sync.lag import Lag
from sync.mirror import Listening, Result

_ERROR = 2
# Refs that a table tells one by one; JSON tells them all.
_MOST_REFS = 50
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def sync() -> None:
    """Mirror git and images to the sites.

    Exit codes: 0 equal or made equal, 1 something is held or refused, 2 error or unknown.
    """


@sync.command(epilog="Example: lockstep sync git bank/pay --dry-run")
@click.argument("name", default="")
@click.option("--site", default="", metavar="SITE", help="To this site only.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, from lists of refs; nothing is transferred.")
@click.option("--release", "holds", multiple=True, metavar="HOLD", help="Let go what is held under this name.")
@click.option("--reason", default="", metavar="TEXT", help="Why it is let go; kept with who said so.")
@frame.common
@frame.output("table", "json")
@frame.placed
def git(places: frame.Frame, *, name: str, form: str, **given: Any) -> int:
    """Mirror repositories: all, those of the GitMirror NAME, or the repository NAME.

    What a guard holds is told with a name, the HOLD. --release lets go exactly what that name was told for: when
    anything has moved since, nothing is let go.
    """
    if given["holds"] and (given["dry_run"] or not name or not given["reason"].strip()):
        raise click.UsageError("--release needs the NAME of what is held and a --reason, and goes without --dry-run.")
    try:
        with acting.opened(places) as process, acting.progress(*acting.of_amounts()) as bar:
            acting.agree(process)
            report = _mirror(wiring.mirroring_git(process), name, given, Bars(bar, "mirroring git"))
    except errors.LockstepError as error:
        raise frame.CommandError(error, _ERROR) from error
    if form == "json":
        frame.write_json(report.as_json())
        return report.exit_code
    _write_git(report)
    return report.exit_code


def _mirror(context: mirroring_git.Mirroring, name: str, given: dict[str, Any], bars: Bars) -> mirroring_git.Report:
    site, is_dry = given["site"], given["dry_run"]
    if given["holds"]:
        letting = release.Letting(holds=given["holds"], by=acting.me(), reason=given["reason"])
        return release.let_go(context, letting, name=name, site=site)
    request = mirroring_git.Request(
        site=site, dry_run=is_dry, transfer=not is_dry, on_outcome=bars.ended, moving=bars.moved
    )
    return mirroring_git.run(context, request, name=name)


def _write_git(report: mirroring_git.Report) -> None:
    rows = []
    for one in report.sites:
        refs = [_ref(ref) for ref in one.refs]
        told = [one.reason] if one.reason else [*refs[:_MOST_REFS], *_more(refs)]
        lag = report.lags.get((one.repository, one.site), "")
        rows.append((one.repository, one.site, one.state.value, str(lag), one.hold, "; ".join(told)))
    rows += [(repository, "", "unknown", "", "", problem) for repository, problem in report.problems.items()]
    columns = ("repository", "site", "state", "lag (of RPO)", "hold", "detail")
    terminal.write_table(columns, rows, empty="No repositories are mirrored.")
    named = [
        (repository, one.submodule.path, one.submodule.url, f"{one.repository} by {one.mirror}" if one.mirror else "no")
        for repository, found in report.submodules.items()
        for one in found
    ]
    if named:
        terminal.write_table(("repository", "submodule", "url", "mirrored"), named, empty="")


def _ref(one: outcomes.RefOutcome) -> str:
    """A ref in a table: ``refs/heads/main: keep held: diverged: ...``."""
    said = f"{one.ref or 'all refs'}: {one.action} {one.outcome.value}"
    return f"{said}: {one.reason}" if one.reason else said


def _more(refs: list[str]) -> list[str]:
    return [f"and {len(refs) - _MOST_REFS} more"] if len(refs) > _MOST_REFS else []


@sync.command(epilog="Example: lockstep sync images --site sejong --verify")
@click.argument("name", default="")
@click.option("--site", default="", metavar="SITE", help="To this site only.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option("--verify", is_flag=True, help="Take nothing for granted: look for every manifest, config and layer.")
@click.option("--export", "to", type=_FILE, metavar="FILE", help="Write them into an archive instead.")
@click.option("--since", type=_FILE, metavar="LIST", help="Without what an earlier transfer list (FILE.json) names.")
@click.option("--import", "of", type=_FILE, metavar="FILE", help="Bring them from an archive, to the site of --site.")
@frame.common
@frame.output("table", "json")
@frame.placed
def images(places: frame.Frame, **given: Any) -> int:
    """Mirror images: all, those of the ImageMirror NAME, or the repository NAME.

    For a site without a line: --export writes one archive of what the mirrors name (with --site without what that
    site has, with --since without what was sent before), and --import brings it to a site, where everything is
    verified and the tags come last.
    """
    if given["to"] and (given["of"] or given["dry_run"] or given["verify"]):
        raise click.UsageError("--export goes without --import, --dry-run and --verify.")
    if given["of"] and not given["site"]:
        raise click.UsageError("--import needs the --site that the images are for.")
    if given["since"] and not given["to"]:
        raise click.UsageError("--since goes with --export.")
    try:
        with acting.opened(places) as process, acting.progress(*acting.of_bytes()) as bar:
            acting.agree(process)
            shown = bar.add_task("mirroring images", total=None)
            listening = Listening(progress=lambda done, total: bar.update(shown, completed=done, total=total))
            done = _images(wiring.mirroring_images(process), given, listening)
    except errors.LockstepError as error:
        raise frame.CommandError(error, _ERROR) from error
    if given["form"] == "json":
        frame.write_json(done.as_json())
    elif isinstance(done, bundles.Exported):
        _write_export(done)
    else:
        _write_images(done.results, done.lags)
    return done.exit_code


def _images(
    context: mirroring_images.Mirroring, given: dict[str, Any], listening: Listening
) -> mirroring_images.Report | bundles.Exported:
    name, site = given["name"], given["site"]
    if given["to"]:
        since = bundle.read_list(given["since"]) if given["since"] else {}
        order = bundles.Order(path=given["to"], site=site, since=since, listening=listening)
        return bundles.export(context, order, name=name)
    request = mirroring_images.Request(site=site, deep=given["verify"], dry_run=given["dry_run"], listening=listening)
    if given["of"]:
        return bundles.bring_in(context, given["of"], request, name=name)
    return mirroring_images.run(context, request, name=name)


def _write_images(results: Sequence[Result], lags: Mapping[tuple[str, str, str], Lag]) -> None:
    columns = ("repository", "reference", "site", "state", "lag (of RPO)", "digest", "detail")
    rows = []
    for one in results:
        far = str(lags.get((one.repository, one.reference, one.site), ""))
        rows.append((one.repository, one.reference[:24], one.site, one.state.value, far, one.digest[:19], one.detail))
    terminal.write_table(columns, rows, empty="No images are mirrored yet.")


def _write_export(done: bundles.Exported) -> None:
    columns = ("images", "blobs", "left out", "bytes", "sha256")
    said = done.as_json()
    row = tuple(str(said[key]) for key in ("images", "blobs", "left", "bytes", "sha256"))
    terminal.write_table(columns, [row], empty="")
    if done.problems:
        _write_images(done.problems, {})
