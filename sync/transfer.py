"""Bringing images to sites: one reading for all of them, and a second, patient try for those that need it.

A site that was too slow for the others is served by itself afterwards; so is one that turned out to lack what it
seemed to have, or that lost an upload: then nothing is taken for granted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from lockstep import errors
from sync import copy
from sync.buffers import LaggingError
from sync.fan import Bounds
from sync.flow import Flow
from sync.graph import Graph, Limits
from sync.loads import Load, Outcome, Portion, Watch
from sync.planning import Planning
from sync.stock import Shelf

__all__ = ["Load", "Outcome", "Portion", "Watch", "bring", "foresee", "graphs"]


T = TypeVar("T")


def graphs(source: Shelf, digests: Sequence[str], bounds: Bounds) -> tuple[Graph, dict[str, errors.LockstepError]]:
    """What some images consist of, so many questions at once; and for those that cannot be mirrored, why."""
    with ThreadPoolExecutor(bounds.looks) as asking, ThreadPoolExecutor(bounds.looks) as walking:

        def each(tasks: Sequence[Callable[[], T]]) -> list[T]:
            return [asked.result() for asked in [asking.submit(task) for task in tasks]]

        walks = {digest: walking.submit(source.graph, digest, Limits(), each=each) for digest in digests}
    whole, refused = Graph(nodes={}), {}
    for digest, walked in walks.items():
        error = walked.exception()
        if isinstance(error, errors.LockstepError):
            refused[digest] = error
        else:
            whole = whole.joined(walked.result())
    return whole, refused


def bring(load: Load, portions: Iterable[Portion], *, deep: bool = False) -> list[Outcome]:
    """Bring every wanted image to each of its sites. Errors are outcomes, never raised.

    There is one outcome for each image and site; one more where it was asked for again meanwhile, under other tags.

    Args:
        load: From where to where.
        portions: The images in their order. They are asked for the next while those before are on their way.
        deep: Take nothing at a site for granted.
    """
    wants: dict[str, copy.Want] = {}
    with contextlib.ExitStack() as writing:
        closed = {site: error for site, shelf in load.sites.items() if (error := _opened(shelf, writing)) is not None}
        with Flow(load, deep=deep) as flow:
            flow.shut(closed)
            for portion in portions:
                wants.update({want.root: want.joined(wants.get(want.root)) for want in portion.wanted})
                flow.bring(portion)
        first = flow.outcomes
        missed = [_again(load, site, first, wants, deep=deep) for site in load.sites if site not in closed]
        again = [one for one in missed if one.wanted]
        with ThreadPoolExecutor(max(1, len(again))) as pool:
            second = [outcome for found in pool.map(lambda one: one.bring(), again) for outcome in found]
    tried_again = {(outcome.site, outcome.root) for outcome in second}
    return [one for one in first if (one.site, one.root) not in tried_again] + second


def foresee(load: Load, portions: Iterable[Portion], *, deep: bool = False) -> Iterator[Outcome]:
    """What ``bring`` would do; nothing is written."""
    planning = Planning(load, deep=deep)
    silent: dict[str, errors.LockstepError] = {}
    for portion in portions:
        planned = planning.plan(portion, load.sites.keys() - silent.keys())
        silent.update(planned.silent)
        for want in portion.wanted:
            for site in want.at:
                unit = planned.unit(want.root, site)
                size = unit.size(site, portion.graph) if unit is not None else 0
                yield Outcome(
                    site=site,
                    root=want.root,
                    tags=want.at[site],
                    size=size,
                    changes=unit is not None,
                    error=silent.get(site),
                )


def _opened(shelf: Shelf, writing: contextlib.ExitStack) -> errors.LockstepError | None:
    """Begin to write to a site; or why that cannot be."""
    try:
        writing.enter_context(shelf.store.writing(shelf.repository))
    except errors.LockstepError as error:
        return error
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Again:
    """What is tried again at one site, for itself."""

    load: Load
    wanted: Sequence[copy.Want]
    deep: bool

    def bring(self) -> list[Outcome]:
        """Read at the source what these images consist of, and bring them; one outcome for each."""
        refused: dict[str, errors.LockstepError] = {}
        with Flow(self.load, deep=self.deep) as flow:
            for start in range(0, len(self.wanted), self.load.bounds.portion):
                some = self.wanted[start : start + self.load.bounds.portion]
                graph, whole = graphs(self.load.source, [want.root for want in some], self.load.bounds)
                refused.update(whole)
                flow.bring(Portion(graph=graph, wanted=[want for want in some if want.root not in whole]))
        (site,) = self.load.sites
        lost = [
            Outcome(site=site, root=want.root, tags=want.at[site], error=refused[want.root])
            for want in self.wanted
            if want.root in refused
        ]
        for outcome in lost:
            self.load.watch.settled(outcome)
        return flow.outcomes + lost


def _again(load: Load, site: str, outcomes: Iterable[Outcome], wants: Mapping[str, copy.Want], *, deep: bool) -> _Again:
    """What a site missed because it was put aside, lacked what it seemed to have, or lost an upload."""
    mine = [outcome for outcome in outcomes if outcome.site == site]
    missed = {outcome.root for outcome in mine if isinstance(outcome.error, LaggingError | errors.ConflictError)}
    holes = {outcome.root for outcome in mine if isinstance(outcome.error, errors.NotFoundError) and not deep}
    wanted = [replace(want, at={site: want.at[site]}) for root, want in wants.items() if root in holes | missed]
    return _Again(load=replace(load, sites={site: load.sites[site]}), wanted=wanted, deep=bool(holes) or deep)
