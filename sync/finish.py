"""The end of an image's way to a site: its manifests, then its tags, once its blobs are there; then it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace

from lockstep import errors
from sync import copy
from sync.fan import Lane
from sync.graph import Graph
from sync.loads import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One image and one site.

    ``tags`` are those that it is to have there. ``unit`` is None when the site has the image; ``after`` are the images
    that must be done there before its manifests are written, with those that failed; ``seen`` is False where the site
    did not say what it has; ``hold`` says at the last moment why it must not be written to.
    """

    lane: Lane
    root: str
    tags: Collection[str]
    graph: Graph
    unit: copy.Unit | None
    after: Sequence[Future[Outcome]]
    seen: bool
    hold: Callable[[str], str]


def settle(end: End) -> Outcome:
    """Wait for what comes before, write, and say what became of it. Errors are outcomes."""
    nothing = Outcome(site=end.lane.site, root=end.root, tags=end.tags)
    try:
        if not end.seen:
            end.lane.require()
        if end.unit is None:
            return nothing
        _wait(end, end.unit)
    except errors.LockstepError as error:  # whom it was heard from was told where it arose
        return replace(nothing, error=error)
    try:
        refused = _deliver(end, end.unit)
    except errors.LockstepError as error:
        end.lane.heard(error)
        return replace(nothing, error=error)
    end.lane.heard(None)
    return replace(nothing, size=end.unit.size(end.lane.site, end.graph), changes=True, refused=refused)


def _wait(end: End, unit: copy.Unit) -> None:
    """Wait for what comes before it, and for its blobs.

    Raises:
        HeldError: The site has become one that must not be written to.
        LockstepError: Why a blob did not land.
    """
    wait(end.after)
    end.lane.require()
    end.lane.wait_for(unit.needs)
    if why := end.hold(end.lane.site):
        raise errors.HeldError(why)


def _deliver(end: End, unit: copy.Unit) -> Mapping[str, errors.LockstepError]:
    """One image to one site: manifests, then tags; then ask whether it stands.

    Returns:
        The tags that the site does not take, and why; it has the image all the same.

    Raises:
        ConflictError: The tag names something else now.
        LockstepError: Whatever the site said.
    """
    lane, graph = end.lane, end.graph
    store, repository = lane.shelf.store, lane.shelf.repository
    forsaken = any(before.result().error is not None for before in end.after)
    for step in unit.manifests:
        if lane.site in step.sites or (forsaken and lane.site in step.with_others):
            store.write_manifest(repository, graph.nodes[step.digest].manifest, child=step.child)
    tags = [step.tag for step in unit.tags if lane.site in step.sites]
    refused: dict[str, errors.LockstepError] = {}
    for tag in tags:
        try:
            store.write_manifest(repository, graph.nodes[unit.root].manifest, tag=tag)
        except errors.RefusedError as error:  # a tag that is fixed there keeps no other from the image
            refused[tag] = error
    for reference in [tag for tag in tags if tag not in refused] or [unit.root]:
        found = store.resolve(repository, reference)
        if found is None or found.digest != unit.root:
            if refused:
                raise next(iter(refused.values()))
            raise errors.ConflictError(
                f"{repository}:{reference} at {lane.site} is {found.digest if found else 'not there'} after writing "
                f"{unit.root}.",
                remedy="Somebody else writes to this repository; find out who.",
            )
    return refused
