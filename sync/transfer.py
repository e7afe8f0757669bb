"""Bringing images to sites: one reading for all of them, and a second, patient try for those that need it.

A pass looks at what each site has, plans, and carries the plan out with all sites side by side. A site that
was too slow for the others gets a pass of its own; one that turned out to lack what it seemed to have gets a
pass that takes nothing for granted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from lockstep import errors
from sync import copy
from sync.buffers import LaggingError, is_small
from sync.fan import Bounds, Fan, Lane
from sync.graph import Graph, Limits
from sync.stock import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one image at one site: the bytes that were sent, or why it is not there.

    ``changes`` says whether anything was, or in a dry run would be, written.
    """

    site: str
    root: str
    size: int = 0
    changes: bool = False
    error: errors.LockstepError | None = None


def _ignore(*_: object) -> None:
    """Tell nobody."""


def _allow(_site: str) -> str:
    """Nothing holds a site."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who wants to know while it goes on; called from several threads."""

    planned: Callable[[int], None] = _ignore
    """So many bytes more are to be sent."""
    sent: Callable[[int], None] = _ignore
    """So many bytes more were handed to sites."""
    settled: Callable[[Outcome], None] = _ignore
    """An image stands at a site, tagged and checked, or will not."""
    hold: Callable[[str], str] = _allow
    """Asked before an image becomes visible at a site: why it must not be written to now; empty when it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is to be brought: images of one repository, from one source, to these sites."""

    source: Shelf
    sites: Mapping[str, Shelf]
    graph: Graph
    wanted: Sequence[copy.Want]
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What tags name at sites, as far as it was asked a moment ago."""
    bounds: Bounds = field(default_factory=Bounds)
    watch: Watch = field(default_factory=Watch)


def graphs(source: Shelf, digests: Sequence[str], bounds: Bounds) -> tuple[Graph, dict[str, errors.LockstepError]]:
    """What some images consist of; and for those that cannot be mirrored, why."""
    with ThreadPoolExecutor(bounds.looks) as pool:
        walks = {digest: pool.submit(source.graph, digest, Limits()) for digest in digests}
    whole, refused = Graph(nodes={}), {}
    for digest, walked in walks.items():
        error = walked.exception()
        if isinstance(error, errors.LockstepError):
            refused[digest] = error
        else:
            whole = whole.joined(walked.result())
    return whole, refused


def stocks(load: Load, *, deep: bool) -> tuple[dict[str, copy.Have], dict[str, errors.LockstepError]]:
    """What each site has of the load; and for those that cannot say, why."""
    with ThreadPoolExecutor(max(1, len(load.sites))) as pool:
        looks = {
            site: pool.submit(
                shelf.have,
                load.graph,
                load.wanted,
                deep=deep,
                looks=load.bounds.looks,
                known=None if deep else load.known.get(site),
            )
            for site, shelf in load.sites.items()
        }
    haves, silent = {}, {}
    for site, look in looks.items():
        error = look.exception()
        if isinstance(error, errors.LockstepError):
            silent[site] = error
        else:
            haves[site] = look.result()
    return haves, silent


def bring(load: Load, *, deep: bool = False) -> list[Outcome]:
    """Bring every wanted image to every site; one outcome for each of both. Errors are outcomes, never raised."""
    with contextlib.ExitStack() as writing:
        ready, outcomes = {}, []
        for site, shelf in load.sites.items():
            try:
                writing.enter_context(shelf.store.writing(shelf.repository))
            except errors.LockstepError as error:
                outcomes += _all_failed(load, site, error)
            else:
                ready[site] = shelf
        first = _pass(replace(load, sites=ready), deep=deep)
        final = {(outcome.site, outcome.root): outcome for outcome in first}
        again = list(_second_tries(load, first, deep=deep))
        with ThreadPoolExecutor(max(1, len(again))) as pool:
            for outcomes_again in pool.map(lambda one: _pass(one[0], deep=one[1]), again):
                final.update({(outcome.site, outcome.root): outcome for outcome in outcomes_again})
    return outcomes + list(final.values())


def foresee(load: Load, *, deep: bool = False) -> list[Outcome]:
    """What ``bring`` would do; nothing is written."""
    haves, silent = stocks(load, deep=deep)
    units = {unit.root: unit for unit in copy.plan(load.graph, load.wanted, haves)}
    outcomes = [outcome for site, error in silent.items() for outcome in _all_failed(load, site, error)]
    for site in haves:
        for want in load.wanted:
            unit = units.get(want.root)
            changes = unit is not None and site in unit.sites
            size = unit.size(site, load.graph) if unit is not None else 0
            outcomes.append(Outcome(site=site, root=want.root, size=size, changes=changes))
    return outcomes


def _second_tries(load: Load, outcomes: Sequence[Outcome], *, deep: bool) -> Iterator[tuple[Load, bool]]:
    """What is tried again, and how: where a site was put aside, lacked what it seemed to have, or lost an upload."""
    for site, shelf in load.sites.items():
        failed = [outcome for outcome in outcomes if outcome.site == site]
        late = {outcome.root for outcome in failed if isinstance(outcome.error, LaggingError)}
        holes = {outcome.root for outcome in failed if isinstance(outcome.error, errors.NotFoundError)}
        moved = {outcome.root for outcome in failed if isinstance(outcome.error, errors.ConflictError)}
        if late or moved or (holes and not deep):
            wanted = [want for want in load.wanted if want.root in late | moved | holes]
            yield replace(load, sites={site: shelf}, wanted=wanted, known={}), bool(holes) or deep


def _pass(load: Load, *, deep: bool) -> list[Outcome]:
    haves, silent = stocks(load, deep=deep)
    outcomes = [outcome for site, error in silent.items() for outcome in _all_failed(load, site, error)]
    units = copy.plan(load.graph, load.wanted, haves)
    lanes = [Lane(site, load.sites[site], load.bounds) for site in haves]
    load.watch.planned(sum(step.blob.size * len(step.sites) for unit in units for step in unit.blobs))
    try:
        outcomes += _carry_out(load, units, lanes)
    finally:
        for lane in lanes:
            lane.close()
    return outcomes


def _all_failed(load: Load, site: str, error: errors.LockstepError) -> list[Outcome]:
    outcomes = [Outcome(site=site, root=want.root, error=error) for want in load.wanted]
    for outcome in outcomes:
        load.watch.settled(outcome)
    return outcomes


def _carry_out(load: Load, units: Sequence[copy.Unit], lanes: Sequence[Lane]) -> list[Outcome]:
    if not lanes:
        return []
    fan = Fan(load.source, lanes, sent=load.watch.sent)
    steps = [step for unit in units for step in unit.blobs]
    for lane in lanes:
        lane.expect([step.blob.digest for step in steps if lane.site in step.sites])
    with (
        ThreadPoolExecutor(load.bounds.streams) as large,
        ThreadPoolExecutor(load.bounds.small) as small,
        ThreadPoolExecutor(len(lanes)) as finishers,
    ):
        carried = [(small if is_small(step.blob) else large).submit(fan.carry, step.blob, step.sites) for step in steps]
        for carrying in carried:
            carrying.add_done_callback(_telling(lanes))
        finished = [finishers.submit(_finish, load, units, lane) for lane in lanes]
    for carrying in carried:
        carrying.result()
    return [outcome for finishing in finished for outcome in finishing.result()]


def _telling(lanes: Sequence[Lane]) -> Callable[[Future[None]], None]:
    """When a reading ends by a mistake of ours, nobody shall wait for that blob."""

    def told(carrying: Future[None]) -> None:
        error = carrying.exception()
        if error is not None:
            for lane in lanes:
                lane.give_up(error)

    return told


def _finish(load: Load, units: Sequence[copy.Unit], lane: Lane) -> list[Outcome]:
    """Write the manifests and tags of the images to one site, a few at once, as their blobs land."""
    by_root = {unit.root: unit for unit in units if lane.site in unit.sites}
    settled: dict[str, Future[Outcome]] = {}
    # In their order, and each waits for earlier ones only: what is waited for is under way.
    with ThreadPoolExecutor(load.bounds.small) as pool:
        for want in load.wanted:
            unit = by_root.get(want.root)
            earlier = [settled[root] for root in unit.after] if unit else []
            settled[want.root] = pool.submit(_settle, load, lane, want.root, unit, earlier)
    return [outcome.result() for outcome in settled.values()]


def _settle(load: Load, lane: Lane, root: str, unit: copy.Unit | None, earlier: Sequence[Future[Outcome]]) -> Outcome:
    outcome = Outcome(site=lane.site, root=root)
    if unit is not None:
        wait(earlier)
        try:
            _deliver(load, unit, lane)
        except errors.LockstepError as error:
            outcome = Outcome(site=lane.site, root=root, error=error)
            lane.heard(error)
        else:
            outcome = Outcome(site=lane.site, root=root, size=unit.size(lane.site, load.graph), changes=True)
    if not isinstance(outcome.error, LaggingError):  # that site's own pass settles it
        load.watch.settled(outcome)
    return outcome


def _deliver(load: Load, unit: copy.Unit, lane: Lane) -> None:
    """One image to one site: wait for its blobs, then manifests, then tags; then ask whether it stands.

    Raises:
        ConflictError: The tag names something else now.
        HeldError: The site has become one that must not be written to.
        LockstepError: Whatever the site or the source said.
    """
    if isinstance(lane.given_up, errors.LockstepError):
        raise lane.given_up
    lane.wait_for(unit.needs)
    if why := load.watch.hold(lane.site):
        raise errors.HeldError(why)
    graph = load.graph
    store, repository = lane.shelf.store, lane.shelf.repository
    for step in unit.manifests:
        if lane.site in step.sites:
            store.write_manifest(repository, graph.nodes[step.digest].manifest, child=step.child)
    for tag in unit.tags:
        if lane.site in tag.sites:
            store.write_manifest(repository, graph.nodes[tag.digest].manifest, tag=tag.tag)
    for reference in [tag.tag for tag in unit.tags if lane.site in tag.sites] or [unit.root]:
        found = store.resolve(repository, reference)
        if found is None or found.digest != unit.root:
            raise errors.ConflictError(
                f"{repository}:{reference} at {lane.site} is {found.digest if found else 'not there'} after writing "
                f"{unit.root}.",
                remedy="Somebody else writes to this repository; find out who.",
            )
