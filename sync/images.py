"""The jobs and the command that keep images equal at the sites of the configuration.

An ``ImageMirror`` says where images come from and which sites receive them. A site that a pair's stance holds
is not written to; how every tag or digest stands at every site is kept in the store.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lockstep import errors, work
from lockstep.engine import listing
from lockstep.sites import ends, line
from lockstep.store import images as stored
from lockstep.topology import direction, kinds, patterns
from lockstep.topology.model import Topology
from lockstep.values import Json
from sync import deletions, lag, parts, quarantine, records, selection, sources, under_way, untagged
from sync.graph import Graph
from sync.mirror import ALL, Listening, Order, Result, mirror
from sync.moments import Pushes
from sync.sources import Doors, Mirroring
from sync.states import State, state_of
from sync.stock import Proof, Shelf, verify

__all__ = ["Doors", "Mirroring", "Proof", "Report", "Request", "handle_mirror", "handle_sweep", "run", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks for.

    All tags that a mirror names when there are no ``references``; all its sites when there is no ``site``.
    ``deep`` looks into what seems equal; ``dry_run`` writes nothing, to sites or to the store. A ``source`` stands
    in for those of the mirrors: what it has is brought, and what it lacks is no deletion.
    """

    references: tuple[str, ...] = ()
    site: str = ""
    deep: bool = False
    dry_run: bool = False
    source: ends.ImageStore | None = None
    listening: Listening = field(default_factory=Listening)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How everything that was asked for stands; ``lags`` are by repository, reference and site."""

    results: tuple[Result, ...] = ()
    lags: Mapping[tuple[str, str, str], lag.Lag] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 all equal or made equal · 1 something is held, refused or (in a dry run) behind · 2 error or unknown."""
        return max((result.state.exit_code for result in self.results), default=0)

    def as_json(self) -> Json:
        """For machines."""
        counts = {state.value: sum(one.state is state for one in self.results) for state in State}
        results = [{**result.as_json(), "lag": self._lag(result)} for result in self.results]
        return {"results": results, "counts": counts}

    def _lag(self, result: Result) -> Json:
        found = self.lags.get((result.repository, result.reference, result.site))
        return found.as_json() if found else None


def handle_mirror(context: Mirroring, claim: work.Claim) -> work.Outcome:
    """Bring an image repository to its sites: ``{"repository":, "references": [...], "pushed":}``.

    Raises:
        UnreachableError: A site or the source did not answer; what is known is recorded, and the job comes again.
    """
    repository = str(claim.payload["repository"])
    topology, pushes = context.topology(), Pushes(began=context.clock.now())
    pushes.hear(claim.payload)
    results: list[Result] = []
    with under_way.told(context.database, "images", repository, context.clock) as told:
        listening = Listening(progress=told.copied)
        request = Request(references=tuple(claim.payload.get("references") or ()), listening=listening)
        for one in topology.image_mirrors_of(repository):
            results += _mirror(context, topology, one, repository, request, pushes)
    silent = sorted({result.site for result in results if result.state is State.UNREACHABLE})
    effect = records.of(results, pushes, context.clock.now(), repository=repository, all_tags=not request.references)
    if not silent:
        return work.Done(effects=(effect,))
    with context.database.write() as connection:
        effect(connection)
    raise errors.UnreachableError(
        f"{repository} could not be brought to {', '.join(silent)}.", remedy="It is tried again; see its images there."
    )


def handle_sweep(context: Mirroring, _claim: work.Claim) -> work.Outcome:
    """Ask for every repository whose mirror's interval has passed, whatever events say."""
    topology, now = context.topology(), context.clock.now()
    with context.database.read() as connection:
        checked = stored.last_checked(connection)
    due = {
        repository
        for one in topology.image_mirrors.values()
        for repository in sources.repositories(context, one, selection.mirrored(one, checked)).repositories
        if selection.is_due(one, repository, checked, now)
    }
    return work.Done(then=tuple(work.mirror_images(repository, urgent=False) for repository in sorted(due)))


def run(context: Mirroring, request: Request, *, name: str = "") -> Report:
    """Mirror what ``name`` names (an ImageMirror or a repository; everything when empty), and say how it stands.

    Raises:
        NotFoundError: There is no such mirror, no mirror covers such a repository, or none of them brings anything
            to the site of the request.
    """
    topology = context.topology()
    chosen = sources.named(topology, name)
    if request.source is None:
        selection.check_site(chosen, request.site)
    results = [result for one in chosen for result in _all_of(context, topology, one, name, request)]
    return Report(results=tuple(results), lags=_lags(context, topology, {one.repository for one in results}))


def _all_of(
    context: Mirroring, topology: Topology, one: kinds.ImageMirror, name: str, request: Request
) -> list[Result]:
    """Mirror what a name means of one mirror; that this is nothing at all is a result too."""
    asked = _asked(context, topology, one, name, request)
    sites = selection.receivers(one, request.site)
    results = [_whole(pattern, site, error) for pattern, error in asked.unclear.items() for site in sites]
    for repository in asked.repositories:
        pushes = Pushes(began=context.clock.now())
        found = _mirror(context, topology, one, repository, request, pushes)
        results += found
        if not request.dry_run:
            with context.database.write() as connection:
                records.of(found, pushes, context.clock.now(), repository=repository)(connection)
    if results or request.source is not None or not asked.repositories:
        return results
    meant = ", ".join(asked.repositories)
    return [_whole(meant, site, sources.unmeant(context.doors.image_source(one), one, meant)) for site in sites]


def _lags(context: Mirroring, topology: Topology, repositories: Collection[str]) -> dict[tuple[str, str, str], lag.Lag]:
    """How far each image is behind at each site, by what is recorded."""
    now = context.clock.now()
    with context.database.read() as connection:
        found = [one for repository in sorted(repositories) for one in stored.standings(connection, repository)]
    rpos = {key: lag.rpo_of_image(topology, *key) for key in sorted({(one.repository, one.site) for one in found})}
    return {
        (one.repository, one.reference, one.site): lag.Lag(
            behind=one.lag(now), last=one.lag_of_newest, rpo=rpos[one.repository, one.site]
        )
        for one in found
    }


def _asked(
    context: Mirroring, topology: Topology, one: kinds.ImageMirror, name: str, request: Request
) -> sources.Named:
    """The repositories of a mirror that ``name`` means."""
    single = name if name not in topology.image_mirrors else ""
    if request.source is not None:
        there = request.source.repositories()
        return sources.Named(
            repositories=tuple(found for found in there if patterns.covers(one, found) and single in ("", found))
        )
    if single:
        return sources.Named(repositories=(single,))
    with context.database.read() as connection:
        checked = stored.last_checked(connection)
    return sources.repositories(context, one, selection.mirrored(one, checked))


def _mirror(
    context: Mirroring, topology: Topology, one: kinds.ImageMirror, repository: str, request: Request, pushes: Pushes
) -> list[Result]:
    """Mirror one repository by one mirror. Errors are results."""
    sites = selection.receivers(one, request.site)
    if not sites:
        return []
    _waited_for(context, one, repository, pushes)  # a sweep may come before the job of a push
    held = _held(context, topology, repository, sites)
    opened, broken = _open(context, [site for site in sites if site not in held])
    try:
        source = request.source or sources.source(context, one)
        asked = _asked_for(context, one, Shelf(store=source, repository=repository), request)
        order = Order(
            repository=repository,
            source=source,
            sites=opened,
            references=asked.references,
            held=held,
            hold=lambda site: _held(context, topology, repository, [site]).get(site, ""),
            immutable=lambda reference: selection.is_immutable(one, reference),
            unsigned=quarantine.unsigned(context, one, Shelf(store=source, repository=repository)),
            wanted=lambda: _waited_for(context, one, repository, pushes) if request.source is None else (),
            deep=request.deep,
            referrers=one.spec.referrers,
            dry_run=request.dry_run,
            bounds=replace(context.bounds, lines=_lines(context, sites)),
            listening=request.listening if request.dry_run else _recording(context, request.listening, pushes),
        )
        results = untagged.forget(source, opened, asked.untagged, mirror(order), looks=context.bounds.looks)
        if not request.dry_run:
            parts.learn(context.database, opened, results, context.clock.now(), looks=context.bounds.looks)
        if one.spec.deleted == "delete" and asked.whole:
            # What was pushed since the source was listed has come meanwhile.
            there = {*asked.listed, *(result.reference for result in results)}
            others = [other for other in topology.image_mirrors_of(repository) if other.spec.source != one.spec.source]
            gone = deletions.plan(one, asked.recorded, there, opened, others=others)
            results += deletions.carry_out(order, gone)
        if asked.whole and not (results or asked.references) and repository in one.spec.repositories:
            raise sources.unmeant(source, one, repository)
    except errors.LockstepError as error:
        return [_whole(repository, site, error) for site in sites]
    return results + [
        replace(_whole(repository, site, error), reference=reference)
        for site, error in broken.items()
        for reference in asked.references
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a request means in one repository; ``whole`` when it means all that the source has."""

    references: Mapping[str, str]
    untagged: Mapping[str, str] = field(default_factory=dict)
    listed: Mapping[str, str] = field(default_factory=dict)
    recorded: Sequence[stored.Standing] = ()
    whole: bool = False


def _asked_for(context: Mirroring, one: kinds.ImageMirror, source: Shelf, request: Request) -> _Asked:
    if request.references:
        return _Asked(references=dict.fromkeys(selection.wanted(one, request.references), ""))
    listed = sources.listed(source.store, source.repository)
    chosen = sources.chosen(context, one, source, listed)
    if request.source is not None:
        return _Asked(references=chosen)
    chosen |= dict.fromkeys(selection.lacking(one, source.repository, listed), "")
    recorded = _recorded(context, source.repository)
    again = untagged.references(one, recorded, selection.receivers(one, request.site))
    return _Asked(references=again | chosen, untagged=again, listed=listed, recorded=recorded, whole=True)


def _waited_for(context: Mirroring, one: kinds.ImageMirror, repository: str, pushes: Pushes) -> list[str]:
    """What was asked for urgently meanwhile, and waits for this repository: a push, or a deploy that needs it.

    What these jobs tell of pushes is heard.
    """
    waiting: list[Mapping[str, Json]] = []
    # A database that does not answer changes the order and nothing else.
    with contextlib.suppress(errors.UnreachableError), context.database.read() as connection:
        waiting = listing.waiting(connection, work.Kind.IMAGE_MIRROR.value, above=0)
    ours = [asked for asked in waiting if asked["repository"] == repository]
    for asked in ours:
        pushes.hear(asked)
    named = {name for asked in ours for name in asked["references"]}
    return selection.wanted(one, sorted(named))


def _recorded(context: Mirroring, repository: str) -> list[stored.Standing]:
    with context.database.read() as connection:
        return stored.standings(connection, repository)


def _held(context: Mirroring, topology: Topology, repository: str, sites: Sequence[str]) -> dict[str, str]:
    """Of some sites, those that must not be written to now, and why."""
    users = topology.users_of_image(repository)
    holds = direction.mirror_holds(topology, sites, context.stances(), applications=users)
    return {site: facing.told(site) for site, facing in holds.items()}


def _lines(context: Mirroring, sites: Sequence[str]) -> dict[str, line.Pace]:
    """The lines to those sites that have a rate."""
    lines = {site: context.doors.line_to(site) for site in sites}
    return {site: found for site, found in lines.items() if found is not None}


def _open(
    context: Mirroring, sites: Sequence[str]
) -> tuple[dict[str, ends.ImageStore], dict[str, errors.LockstepError]]:
    opened: dict[str, ends.ImageStore] = {}
    broken: dict[str, errors.LockstepError] = {}
    for site in sites:
        try:
            opened[site] = context.doors.images(site)
        except errors.LockstepError as error:
            broken[site] = error
    return opened, broken


def _whole(repository: str, site: str, error: errors.LockstepError) -> Result:
    return Result(repository=repository, reference=ALL, site=site, state=state_of(error), detail=str(error))


def _recording(context: Mirroring, first: Listening, pushes: Pushes) -> Listening:
    """Record what reached a site at once: a deploy there need not wait for the slowest of the sites.

    What images consist of is recorded too.
    """

    def results(found: Sequence[Result]) -> None:
        first.results(found)
        records.at_once(context.database, found, pushes, context.clock.now())

    def graph(read: Graph, roots: Sequence[str]) -> None:
        first.graph(read, roots)
        parts.keep(context.database, {root: parts.of(read, root) for root in roots}, context.clock.now())

    return Listening(progress=first.progress, results=results, graph=graph)
