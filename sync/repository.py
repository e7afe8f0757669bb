"""One git repository of the configuration: asked at its source, brought to its sites, and written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from lockstep import clock, errors
from lockstep.sites import ends
from lockstep.store import mirrors, releases, triggers
from lockstep.store.database import Database
from lockstep.topology import direction, kinds
from lockstep.topology.model import Topology
from lockstep.values import Json, Stance
from sync import fetch, movements, refs
from sync.bring import Order, Target
from sync.coverage import Coverage
from sync.distribute import distribute
from sync.large import Supply
from sync.outcomes import SiteOutcome
from sync.states import State

# Refs that are kept, by name, of those that are not as they should be.
_MOST_DETAILS = 200


class Doors(Protocol):
    """Opens the ends of the configuration."""

    def git_source(self, mirror: kinds.GitMirror, repository: str) -> ends.GitRemote:
        """One repository at its forge."""
        ...

    def git_site(self, site: str, repository: str) -> ends.GitRemote:
        """One repository at a site. Raises UnsupportedError when the site has no git end."""
        ...

    def git_cache(self, repository: str) -> ends.GitCache:
        """Our own copy of a repository."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirroring:
    """What mirroring git works with."""

    database: Database
    topology: Callable[[], Topology]
    doors: Doors
    stances: Callable[[], Mapping[str, Stance]]
    clock: clock.Clock = field(default_factory=clock.SystemClock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks for.

    All sites when there is no ``site``. ``dry_run`` writes nothing, to sites or to the store; our own copy is
    brought up to date all the same, because some of what would be lost can be told only with the commits at hand.
    Without ``transfer``, which goes with a dry run, it is not: nothing but lists of refs goes over any line, and what
    only commits tell is said to be unknown. ``guards`` hold, this once, instead of those of the configuration.
    ``moving`` is told how far each transfer is.
    """

    site: str = ""
    dry_run: bool = False
    transfer: bool = True
    guards: kinds.GitGuards | None = None
    on_outcome: Callable[[SiteOutcome], None] = lambda _outcome: None
    moving: movements.Moving | None = None

    def __post_init__(self) -> None:
        if not (self.transfer or self.dry_run):
            raise ValueError("what was not fetched cannot be brought anywhere")


def ask(context: Mirroring, coverage: Coverage, request: Request) -> mirrors.Source:
    """What the source says now; our own copy holds it, unless nothing is to be transferred."""
    remote = context.doors.git_source(coverage.mirror, coverage.repository)
    options = refs.Options(guards=coverage.mirror.spec.guards, notes=coverage.notes)
    if request.transfer:
        heard = movements.at(request.moving, coverage.repository, "")
        seen = fetch.fetch(remote, context.doors.git_cache(coverage.repository), options=options, heard=heard)
    else:
        seen = fetch.ask(remote, options=options)
    now = context.clock.now()
    with context.database.read() as connection:
        known = mirrors.source(connection, coverage.repository)
        # What somebody said was pushed before we asked the last time, we saw then.
        pushed = triggers.pushed_since(connection, coverage.repository, known.checked_at) if known else None
    return mirrors.Source(
        repository=coverage.repository,
        head=seen.head,
        refs=seen.refs,
        unsound=seen.unsound,
        checked_at=now,
        changed_at=min(pushed or now, now),
    )


def send(context: Mirroring, coverage: Coverage, seen: mirrors.Source, request: Request) -> list[SiteOutcome]:
    """Bring a repository to its sites; each outcome is recorded as soon as it is known."""
    sites = [site for site in coverage.sites if request.site in ("", site)]
    held = _held(context, coverage.repository, sites)
    targets = [
        replace(_target(context, coverage, site, request), renew=_Renewal(context, coverage, site, request, seen))
        for site in sites
        if site not in held
    ]
    cache = context.doors.git_cache(coverage.repository)
    supply = Supply(
        stock=cache.large,
        source=lambda: context.doors.git_source(coverage.mirror, coverage.repository),
        tips=seen.refs.values(),
        heard=movements.at(request.moving, coverage.repository, ""),
    )
    order = Order(
        repository=coverage.repository,
        source=ends.Advertised(head=seen.head, refs=seen.refs, unsound=seen.unsound),
        cache=cache,
        large=supply,
        dry_run=request.dry_run,
        fetched=request.transfer,
        moving=request.moving,
    )

    def known(outcome: SiteOutcome, written: Mapping[str, str]) -> None:
        request.on_outcome(outcome)
        if not request.dry_run:
            with context.database.write() as connection:
                _record(connection, outcome, written, seen, context.clock.now())

    for outcome in held.values():
        known(outcome, {})
    brought = distribute(order, targets, on_outcome=lambda target, outcome: known(outcome, target.written))
    everywhere = not (held or request.site or request.dry_run)
    if everywhere and all(outcome.state is State.EQUAL for outcome in brought):
        cache.large.clear()
    return [*held.values(), *brought]


def _held(context: Mirroring, repository: str, sites: Sequence[str]) -> dict[str, SiteOutcome]:
    topology = context.topology()
    users = topology.users_of_repository(repository)
    holds = direction.mirror_holds(topology, sites, context.stances(), applications=users)
    return {
        site: SiteOutcome(
            repository=repository,
            site=site,
            state=State.HELD,
            reason=facing.told(site),
            seen=False,
        )
        for site, facing in holds.items()
    }


def _target(context: Mirroring, coverage: Coverage, site: str, request: Request) -> Target:
    mirror = coverage.sites[site]
    with context.database.read() as connection:
        written = mirrors.written(connection, coverage.repository, site)
        let_go = releases.in_force(connection, coverage.repository, site)
    return Target(
        site=site,
        open=lambda: context.doors.git_site(site, coverage.repository),
        options=refs.Options(
            guards=request.guards or mirror.spec.guards,
            notes=mirror.spec.notes,
            stamp=context.clock.now().strftime("%Y%m%dT%H%M%SZ"),
            released=frozenset(ends.RefUpdate(ref=one.ref, old=one.old, new=one.new) for one in let_go),
        ),
        written=written,
        lfs=mirror.spec.lfs,
    )


@dataclass(frozen=True, slots=True)
class _Renewal:
    """Looks again, once nobody else writes to a site, at what was written there: a site may have waited its turn."""

    context: Mirroring
    coverage: Coverage
    site: str
    request: Request
    seen: mirrors.Source

    def __call__(self) -> Target:
        repository = self.coverage.repository
        with self.context.database.read() as connection:
            newest = mirrors.changed_at(connection, repository)
        if newest != self.seen.changed_at:
            raise errors.ConflictError(
                f"The source of {repository} has moved on meanwhile.", remedy="What it has now is brought next."
            )
        return _target(self.context, self.coverage, self.site, self.request)


def _record(
    connection: Connection, outcome: SiteOutcome, written: Mapping[str, str], seen: mirrors.Source, now: datetime
) -> None:
    if outcome.ledger is not None and outcome.ledger != written:
        mirrors.keep_ledger(connection, outcome.repository, outcome.site, refs=outcome.ledger, at=now)
    if outcome.spent:
        spent = [releases.Change(ref=one.ref, old=one.old, new=one.new) for one in outcome.spent]
        releases.end(connection, outcome.repository, outcome.site, spent, at=now)
    standing = mirrors.Standing(
        repository=outcome.repository,
        site=outcome.site,
        state=outcome.state.value,
        detail=_details(outcome),
        head=outcome.head,
        refs=outcome.count,
        checked_at=now,
    )
    mirrors.stands(connection, standing, changed_at=seen.changed_at, seen=outcome.seen)


def _details(outcome: SiteOutcome) -> list[Json]:
    """What is not as it should be, ref by ref; the reason for all of it when there is one.

    What a person may let go has the name by which that is done.
    """
    if outcome.reason:
        return [{"ref": "", "outcome": outcome.state.value, "reason": outcome.reason}]
    hold: dict[str, Json] = {"hold": outcome.hold}
    told: list[Json] = [{**ref.as_json(), **(hold if ref.held else {})} for ref in outcome.open[:_MOST_DETAILS]]
    more = len(outcome.open) - len(told)
    return [*told, {"ref": "", "outcome": "more", "reason": f"and {more} more"}] if more else told
