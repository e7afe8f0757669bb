"""Comparing an application over its pairs now, and the jobs that do it and keep what they found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection

from drift import dry_runs, health, rows, rule_rows, survey
from drift.comparison import Comparison
from drift.doors import Renderer, Scanning, Sites
from drift.following import Beyond, Followed, Standing
from drift.implied import Scalers
from drift.inventory import Reading
from drift.ledger import Sums
from drift.scanned import Known, Scanned, scanned, summary
from drift.turns import TakenError
from lockstep import errors, work
from lockstep.sites import ends
from lockstep.store import outdated
from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.values import Verdict

__all__ = ["Renderer", "Scanned", "Scanning", "Sites", "handle_scan", "handle_sweep", "scan"]

# A pair whose site keeps as many waiting as may wait for it is looked at again after this. Seconds.
_TAKEN_SECONDS = 10.0


def handle_scan(context: Scanning, claim: work.Claim) -> work.Outcome:
    """Compare an application over one of its pairs, or all: ``{"application":, "pair": name or "", "told": bool}``.

    ``told`` says that a watch told of a change: then the sites are seen as their watches know them, and only what
    changed is compared where the rest is known. A pair with a site that keeps others waiting is compared later.
    """
    told = bool(claim.payload.get("told"))
    if told and context.watched is not None:
        context = replace(context, sites=context.watched)
    topology = context.topology()
    name, only = str(claim.payload["application"]), str(claim.payload.get("pair") or "")
    application = topology.applications.get(name)
    if application is None:  # the configuration changed in the meantime
        return work.Done()
    found: list[Scanned | None] = []
    later: dict[str, str] = {}
    for pair in (pair for pair, _ in topology.pairs_of(application) if only in ("", pair.name)):
        try:
            found.append(updated(context, application, pair) if told else scan(context, application, pair))
        except TakenError as error:
            later[pair.name] = str(error)
    if later and not found:
        return work.Later(seconds=_TAKEN_SECONDS, reason=" ".join(later.values()))
    effects = tuple(one.store for one in found if one is not None)
    again = [work.scan(name, pair=pair, told=told, delay_seconds=_TAKEN_SECONDS) for pair in later]
    return work.Done(effects=effects, then=(*again, *(_following(topology, application) if effects else ())))


def _following(topology: Topology, application: kinds.Application) -> Iterator[work.Job]:
    """What follows from a comparison: what is mended by itself, and what people are told."""
    if any(protection.heal and protection.heal.automatic for _, protection in topology.pairs_of(application)):
        yield work.heal(application.name)
    if topology.notifications:
        yield work.tell(application.name)


def handle_sweep(context: Scanning, _claim: work.Claim) -> work.Outcome:
    """Compare every application, whatever events say; what is no longer protected is forgotten.

    One that is kept true by what its sites tell is compared anew when that is due, and until then as it is known.
    """
    topology = context.topology()
    protected = [
        (application.name, pair.name)
        for application in topology.applications.values()
        for pair, _ in topology.pairs_of(application)
    ]
    for gone in context.followed.keys() - set(protected):
        del context.followed[gone]
    now = context.clock.now()

    def forget(connection: Connection) -> None:
        outdated.forget_others(connection, protected, now=now)

    jobs = [work.scan(one.name, told=not _is_due(context, topology, one)) for one in topology.applications.values()]
    return work.Done(effects=(forget,), then=tuple(jobs))


def _is_due(context: Scanning, topology: Topology, application: kinds.Application) -> bool:
    """Whether everything of an application has to be compared."""
    pairs = [pair.name for pair, _ in topology.pairs_of(application)]
    followed = [context.followed.get((application.name, pair)) for pair in pairs]
    now = context.clock.monotonic()
    return not followed or any(one is None or now >= one.due for one in followed)


def scan(context: Scanning, application: kinds.Application, pair: kinds.Pair) -> Scanned:
    """Compare an application over a pair now. What cannot be seen is Unknown, never an error.

    Raises:
        TakenError: A site keeps as many comparisons of this process waiting as may wait for it: nothing was read.
    """
    return looked(context, application, pair)[0]


def looked(
    context: Scanning, application: kinds.Application, pair: kinds.Pair
) -> tuple[Scanned, tuple[Reading, Reading] | None]:
    """A comparison with what it read of the truth and of the follower; None when nobody knows what to read.

    Raises what ``scan`` does.
    """
    context.followed.pop((application.name, pair.name), None)
    began = context.clock.monotonic()
    comparison = Comparison.of(context, application, pair)
    try:
        basis = comparison.basis()
        wanted = comparison.wanted()
    except errors.LockstepError as error:
        return _blind(comparison, error), None
    selection = comparison.selection(wanted)
    watches = comparison.watches(selection)
    if context.watched is not None and watches is not None:
        # First, so that what changes while the sites are read is not lost.
        context.watched.follow(application.name, pair.name, sites=comparison.sites, selection=selection)
    readings = comparison.read(selection)
    scalers = Scalers(readings[0].objects), Scalers(readings[1].objects)
    ground = comparison.ground(wanted, readings, scalers)
    observed = comparison.observed(ground)
    ground = replace(ground, running=comparison.running(observed))
    ledger = survey.examined(ground)
    dry_runs.asking(comparison, wanted.revision).settle(ground, ledger)
    vitals = [health.of_observed(*one) for one in zip(readings, wanted.objects, observed, strict=True)]
    followed = None
    if watches is not None:
        followed = Followed.begin(
            ground,
            ledger,
            beyond=(
                Beyond(scalers=scalers[0], observed=observed[0]),
                Beyond(scalers=scalers[1], observed=observed[1]),
            ),
            watches=watches,
            sealer=context.sealer,
            standing=Standing(basis=basis, selection=selection, rendering=wanted.rendering),
        )
        followed.rest(since=began, now=context.clock.monotonic())
        context.followed[application.name, pair.name] = followed
    known = Known(
        rendering=wanted.rendering,
        readings=readings,
        vitals=(vitals[0], vitals[1]),
        running=ground.running.running(),
    )
    return scanned(comparison, known, ground.sum_up(ledger), followed=followed), readings


def updated(context: Scanning, application: kinds.Application, pair: kinds.Pair) -> Scanned | None:
    """Compare what a watch told of; None when nothing else is to be said than is stored.

    Where not everything else is known, everything is compared. Raises what ``scan`` does.
    """
    followed = context.followed.get((application.name, pair.name))
    if followed is None or context.watched is None:
        return scan(context, application, pair)
    comparison = Comparison.of(context, application, pair)
    try:
        basis = comparison.basis()
    except errors.LockstepError as error:
        del context.followed[application.name, pair.name]
        return _blind(comparison, error)
    if not followed.stands_on(basis, comparison.watches(followed.standing.selection)):
        return scan(context, application, pair)
    changes = context.watched.changes(application.name, pair.name)
    asking = dry_runs.asking(comparison, str(followed.rendering["revision"]))
    found = followed.update([changes.get(site, frozenset()) for site in comparison.sites], asking)
    if found is None:
        return scan(context, application, pair)
    if followed.is_stored(now=context.clock.monotonic()):
        return None
    known = Known(
        rendering=followed.rendering,
        readings=followed.readings,
        vitals=followed.vitals(),
        running=followed.running(),
    )
    return scanned(comparison, known, found, followed=followed)


def _blind(comparison: Comparison, error: errors.LockstepError) -> Scanned:
    """Nobody can say what git wants: nothing can be said of anything."""
    gap = ends.Gap(what="git", why=str(error))
    found = survey.Survey(
        differences=(),
        explained=(),
        blind=tuple(survey.Blind(site=site, gap=gap) for site in comparison.sites),
        rules=(),
        sums=Sums(verdicts={}, explained=0, objects=0),
    )
    return Scanned(
        scan=summary(
            comparison, found, verdict=Verdict.UNKNOWN, revision="", coverage={"git": {"problem": str(error)}}
        ),
        rows=tuple(rows.rows(found, pair=comparison.faced.pair, sites=comparison.sites)),
        explained=(),
        hides=partial(rule_rows.hides, found),
    )
