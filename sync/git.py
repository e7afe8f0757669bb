"""The jobs and the command that keep git repositories equal at the sites of the configuration.

A ``GitMirror`` says where repositories come from and which sites receive them. An event or the sweep asks the
source; what it says is recorded, and brought to the sites and to the pipelines at once. A site that a pair's
stance holds is not written to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from lockstep import errors, work
from lockstep.sites import ends
from lockstep.store import mirrors
from lockstep.topology.model import Topology
from sync import lag, movements, submodules, under_way
from sync.coverage import Coverage, coverage_of, due, repositories
from sync.outcomes import Report, SiteOutcome
from sync.repository import Doors, Mirroring, Request, ask, send

__all__ = ["Doors", "Mirroring", "Report", "Request", "handle_distribute", "handle_fetch", "handle_sweep", "run"]

# A site that did not answer is asked again after this; then the engine waits longer each time.
_AGAIN_SECONDS = 5.0


def handle_fetch(context: Mirroring, claim: work.Claim) -> work.Outcome:
    """Ask the source of a repository, and fetch what is new: ``{"repository":, "event": bool}``.

    Raises:
        LockstepError: The source could not be read; that is recorded.
    """
    repository, event = str(claim.payload["repository"]), bool(claim.payload.get("event"))
    topology = context.topology()
    coverage = coverage_of(topology, repository)
    if coverage is None:  # the configuration changed in the meantime
        return work.Done()
    try:
        with under_way.told(context.database, "git", repository, context.clock) as told:
            seen = ask(context, coverage, Request(moving=movements.both(movements.Logged(context.clock), told.moved)))
    except (errors.LostWorkError, errors.ConflictError):  # nothing is wrong with the source
        raise
    except errors.LockstepError as error:
        _could_not_ask(context, repository, error)
        raise

    def record(connection: Connection) -> None:
        mirrors.saw(connection, seen)

    # Mirroring and building happen at once. What moved is for the trigger to see: it is asked each time, so that
    # a push whose event was lost, or that somebody fetched by hand, still starts its run.
    jobs = [work.distribute_git(repository, urgent=event)]
    if topology.users_of_repository(repository):
        jobs.append(work.trigger(repository, event=event))
    return work.Done(effects=(record,), then=tuple(jobs))


def handle_distribute(context: Mirroring, claim: work.Claim) -> work.Outcome:
    """Bring a repository to its sites, or to one: ``{"repository":, "site": name or ""}``.

    Raises:
        UnreachableError: The one site that was asked for did not take it; that is recorded.
    """
    repository, only = str(claim.payload["repository"]), str(claim.payload.get("site") or "")
    coverage = coverage_of(context.topology(), repository)
    if coverage is None:
        return work.Done()
    with context.database.read() as connection:
        seen = mirrors.source(connection, repository)
    if seen is not None and seen.problem and not seen.refs:  # nobody knows what the sites should have
        return work.Done()
    cache = context.doors.git_cache(repository)
    if seen is None or _is_incomplete(cache, seen.refs):  # our own copy was lost
        return work.Done(then=(work.fetch_git(repository, event=False),))
    with under_way.told(context.database, "git", repository, context.clock) as told:
        moving = movements.both(movements.Logged(context.clock), told.moved)
        outcomes = send(context, coverage, seen, Request(site=only, moving=moving))
    again = [outcome for outcome in outcomes if outcome.again]
    if only and again:
        why = again[0].reason or "; ".join(f"{ref.ref}: {ref.reason}" for ref in again[0].open[:3])
        raise errors.UnreachableError(
            f"{repository} could not be brought to {only}: {why}", remedy="It is tried again."
        )
    if any(outcome.changed for outcome in outcomes):
        cache.tidy()
    later = (
        work.distribute_git(repository, urgent=False, site=outcome.site, delay_seconds=_AGAIN_SECONDS)
        for outcome in again
    )
    return work.Done(
        effects=(lambda connection: mirrors.keep_sites(connection, repository, coverage.sites),), then=tuple(later)
    )


def handle_sweep(context: Mirroring, _claim: work.Claim) -> work.Outcome:
    """Ask for every repository whose mirror's interval has passed, whatever events say."""
    with context.database.read() as connection:
        checked = mirrors.last_checked(connection)
        silent = mirrors.silent(connection)
    names = due(context.topology(), checked, context.clock.now())
    # A source that is gone keeps nobody from what is here already: a site that missed it still gets it.
    stranded = [work.distribute_git(name, urgent=False) for name in names if name in silent]
    return work.Done(then=(*(work.fetch_git(name, event=False) for name in names), *stranded))


def run(context: Mirroring, request: Request, *, name: str = "") -> Report:
    """Mirror what ``name`` names (a GitMirror or a repository; everything when empty), and say how it stands.

    Raises:
        NotFoundError: There is no such mirror, and no mirror covers such a repository; or that site receives none.
    """
    sites: list[SiteOutcome] = []
    chosen = _chosen(context, name, request.site)
    problems = {} if chosen else _unnamed(context.topology(), name)
    named: dict[str, list[submodules.Covered]] = {}
    for coverage in chosen:
        try:
            seen = ask(context, coverage, request)
        except errors.LockstepError as error:
            problems[coverage.repository] = str(error)
            if not request.dry_run:
                _could_not_ask(context, coverage.repository, error)
            continue
        if not request.dry_run:
            with context.database.write() as connection:
                mirrors.saw(connection, seen)
                seen = mirrors.source(connection, coverage.repository) or seen
        sites += send(context, coverage, seen, request)
        named |= _submodules(context, coverage, seen)
    return Report(sites=tuple(sites), problems=problems, lags=_lags(context, sites), submodules=named)


def _unnamed(topology: Topology, name: str) -> dict[str, str]:
    """Why mirrors, or the one of that name, mean no repository at all: a git server does not list what it has."""
    return {
        ", ".join(mirror.spec.repositories): f"No application and no event names a repository that the GitMirror "
        f"{mirror.name} means. Name them one by one in its repositories."
        for mirror in topology.git_mirrors.values()
        if name in ("", mirror.name)
    }


def _submodules(context: Mirroring, coverage: Coverage, seen: mirrors.Source) -> dict[str, list[submodules.Covered]]:
    """What the default branch names as its submodules, and whether that is mirrored; empty when it names none."""
    found = context.doors.git_cache(coverage.repository).submodules(seen.refs.get(seen.head, ""))
    told = submodules.covered(context.topology(), coverage.repository, coverage.mirror, found)
    return {coverage.repository: told} if told else {}


def _lags(context: Mirroring, sites: Iterable[SiteOutcome]) -> dict[tuple[str, str], lag.Lag]:
    """How far each site is behind, by what is recorded."""
    topology, now = context.topology(), context.clock.now()
    with context.database.read() as connection:
        found = [
            standing
            for repository in sorted({site.repository for site in sites})
            for standing in mirrors.standings(connection, repository)
        ]
    return {(one.repository, one.site): lag.lag_of(one, topology, now) for one in found}


def _chosen(context: Mirroring, name: str, site: str) -> list[Coverage]:
    topology = context.topology()
    with context.database.read() as connection:
        known = mirrors.last_checked(connection)
    listed = [name] if name and name not in topology.git_mirrors else repositories(topology, known)
    covered = [coverage for coverage in (coverage_of(topology, repository) for repository in listed) if coverage]
    if name in topology.git_mirrors:
        covered = [coverage for coverage in covered if name in coverage.mirrors]
    if name and not covered and name not in topology.git_mirrors:
        raise errors.NotFoundError(
            f"There is no GitMirror {name!r}, and none covers such a repository.",
            remedy=f"There are: {', '.join(sorted(topology.git_mirrors)) or 'none'}.",
        )
    receivers = sorted({one for coverage in covered for one in coverage.sites})
    if site and site not in receivers:
        raise errors.NotFoundError(
            f"None of these repositories is mirrored to {site}.", remedy=f"There are: {', '.join(receivers) or 'none'}."
        )
    return [coverage for coverage in covered if site in ("", *coverage.sites)]


def _could_not_ask(context: Mirroring, repository: str, error: errors.LockstepError) -> None:
    with context.database.write() as connection:
        mirrors.could_not_ask(connection, repository, problem=str(error), at=context.clock.now())


def _is_incomplete(cache: ends.GitCache, wanted: Mapping[str, str]) -> bool:
    missing = set(wanted.values()) - set(cache.staged().values())
    return not all(cache.has(oid) for oid in missing)
