"""The end of an image's way to a site: its manifests, then its tags, once its blobs are there; then it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass

from lockstep import errors
from sync import copy
from sync.fan import Lane
from sync.graph import Graph
from sync.loads import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One image and one site.

    ``unit`` is None when the site has the image; ``after`` are the images that must be done there before its manifests
    are written; ``seen`` is False where the site did not say what it has; ``hold`` says at the last moment why it must
    not be written to.
    """

    lane: Lane
    root: str
    graph: Graph
    unit: copy.Unit | None
    after: Sequence[Future[Outcome]]
    seen: bool
    hold: Callable[[str], str]


def settle(end: End) -> Outcome:
    """Wait for what comes before, write, and say what became of it. Errors are outcomes."""
    try:
        if not end.seen:
            end.lane.require()
        if end.unit is None:
            return Outcome(site=end.lane.site, root=end.root)
        wait(end.after)
        end.lane.require()
        _deliver(end, end.unit)
    except errors.LockstepError as error:
        end.lane.heard(error)
        return Outcome(site=end.lane.site, root=end.root, error=error)
    return Outcome(site=end.lane.site, root=end.root, size=end.unit.size(end.lane.site, end.graph), changes=True)


def _deliver(end: End, unit: copy.Unit) -> None:
    """One image to one site: wait for its blobs, then manifests, then tags; then ask whether it stands.

    Raises:
        ConflictError: The tag names something else now.
        HeldError: The site has become one that must not be written to.
        LockstepError: Whatever the site or the source said.
    """
    lane, graph = end.lane, end.graph
    lane.wait_for(unit.needs)
    if why := end.hold(lane.site):
        raise errors.HeldError(why)
    store, repository = lane.shelf.store, lane.shelf.repository
    for step in unit.manifests:
        if lane.site in step.sites:
            store.write_manifest(repository, graph.nodes[step.digest].manifest, child=step.child)
    tags = [step.tag for step in unit.tags if lane.site in step.sites]
    for tag in tags:
        store.write_manifest(repository, graph.nodes[unit.root].manifest, tag=tag)
    for reference in tags or [unit.root]:
        found = store.resolve(repository, reference)
        if found is None or found.digest != unit.root:
            raise errors.ConflictError(
                f"{repository}:{reference} at {lane.site} is {found.digest if found else 'not there'} after writing "
                f"{unit.root}.",
                remedy="Somebody else writes to this repository; find out who.",
            )
