"""``lockstep diff``: two ends compared with each other, without git and without a configuration."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from console.cli import frame, reporting
from drift import identity, two_way
from drift import report as reports
from drift.comparison import facts
from drift.expected import Rules
from drift.implied import SiteFacts
from drift.redact import Sealer
from lockstep import clock, errors
from lockstep.sites import ends, given
from lockstep.sites.contexts import Contexts
from lockstep.topology import kinds, loose
from lockstep.values import ObjectKey

_KEY_BYTES = 32


@click.command(epilog="Example: lockstep diff seoul-admin sejong-admin --rules rules.yaml")
@click.argument("left")
@click.argument("right")
@click.option(
    "--kubeconfig",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Where contexts are looked up; may be repeated.  [default: that of kubectl]",
)
@click.option("-n", "--namespace", "namespaces", metavar="NAME", multiple=True, help="Only this one; may be repeated.")
@click.option(
    "--rules",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="ExpectedDifferences (and Sites, for their values): a file or a directory. May be repeated.",
)
@click.option("--left-site", default="", metavar="NAME", help="The Site in the rules that LEFT is.")
@click.option("--right-site", default="", metavar="NAME", help="The Site in the rules that RIGHT is.")
@reporting.options
def diff(
    *,
    left: str,
    right: str,
    kubeconfig: tuple[Path, ...],
    namespaces: tuple[str, ...],
    rules: tuple[Path, ...],
    left_site: str,
    right_site: str,
    form: str,
    lang: str | None,
    everything: bool,
) -> int:
    """Compare LEFT with RIGHT: contexts of a kubeconfig, directories of manifests, Velero backups, dumps.

    A file or directory of a name is meant before a context. A dump is what kubectl get -o json writes.

    What belongs to one cluster only (addresses, ids, times, defaults) is no difference. Values of Secrets are
    compared and never shown.

    Exit codes: 0 nothing differs that may not, 1 something does, 2 unknown or an error.
    """
    now = clock.SystemClock()
    started = now.now()
    try:
        documents = [document for path in rules for document in loose.read(path)]
        sites = (_facts(documents, left_site, left, right), _facts(documents, right_site, right, left))
        contexts = Contexts.of(frame.environment(), files=kubeconfig)
        selection = ends.Selection(namespaces=frozenset(namespaces)) if namespaces else ends.EVERYTHING
        ends_ = (_read(left, contexts, selection, now), _read(right, contexts, selection, now))
        if not (Path(left).exists() or Path(right).exists()):
            _require_two(left, right, ends_)
        found = two_way.diff(
            *ends_,
            Rules(_rules(documents), today=started.date()),
            # Fingerprints are compared within this process and go nowhere else.
            sealer=Sealer(secrets.token_bytes(_KEY_BYTES)),
            facts=sites,
        )
    except errors.LockstepError as error:
        raise frame.CommandError(error, reports.UNKNOWN) from error
    names = (sites[0].name, sites[1].name)
    # What a context names runs, and nothing that is a file does.
    vitals = tuple(
        two_way.vitals(one, runs=not Path(end).exists()) for one, end in zip(ends_, (left, right), strict=True)
    )
    report = reports.of_ends(found, names, read=ends_, vitals=(vitals[0], vitals[1]), started=started, ended=now.now())
    return reporting.emit(report, form=form, lang=reporting.chosen(lang, frame.environment()), everything=everything)


def _require_two(left: str, right: str, read: tuple[ends.Inventory, ends.Inventory]) -> None:
    """Refuse two contexts of one cluster. Raises InputError."""
    left_, right_ = ({ObjectKey.of(one): one for one in found.objects} for found in read)
    same = identity.shared(left_, right_)
    if same:
        raise errors.InputError(
            f"{left} and {right} are one cluster: {same} is one object at both.", remedy=identity.REMEDY
        )


def _read(named: str, contexts: Contexts, selection: ends.Selection, now: clock.Clock) -> ends.Inventory:
    """What is at an end; of a file everything is there, so it is narrowed here."""
    if not Path(named).exists():
        return contexts.read(named, selection)
    found = given.read(Path(named), now=now)
    return replace(found, objects=tuple(one for one in found.objects if selection.covers(ObjectKey.of(one))))


def _rules(documents: Sequence[kinds.Document]) -> list[kinds.ExpectedDifference]:
    return [document for document in documents if isinstance(document, kinds.ExpectedDifference)]


def _facts(documents: Sequence[kinds.Document], site: str, named: str, other: str) -> SiteFacts:
    """What is known of an end: its Site in the rules, or only its name."""
    if not site:
        return SiteFacts(name=Path(named).name if Path(named).name != Path(other).name else named)
    sites = {document.name: document for document in documents if isinstance(document, kinds.Site)}
    if site not in sites:
        raise errors.NotFoundError(
            f"There is no Site {site!r} in the rules.", remedy=f"There are: {', '.join(sorted(sites)) or 'none'}."
        )
    return facts(sites[site])
