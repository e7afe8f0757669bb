"""Which images are under way to which sites, and what became of those that were."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from concurrent.futures import Future

from sync.loads import Outcome


class Tally:
    """Counts images in and out. Safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: dict[str, dict[str, Future[Outcome]]] = {}
        self._lost: dict[tuple[str, str], Future[Outcome]] = {}
        self._ended: list[Outcome] = []
        self._mistake: BaseException | None = None

    def begin(self, root: str, sites: Iterable[str]) -> None:
        """An image is on its way to these sites."""
        with self._changed:
            self._open.setdefault(root, {}).update({site: Future() for site in sites})

    def under_way(self, site: str, roots: Iterable[str]) -> list[Future[Outcome]]:
        """Those of some images that are still on their way to a site, or that never got there."""
        with self._changed:
            found = [self._open.get(root, {}).get(site) or self._lost.get((site, root)) for root in roots]
            return [one for one in found if one is not None]

    def end(self, outcome: Outcome) -> None:
        """An image arrived at a site, or never will."""
        with self._changed:
            self._ended.append(outcome)
            sites = self._open[outcome.root]
            ended = sites.pop(outcome.site)
            if outcome.error is not None:
                self._lost[outcome.site, outcome.root] = ended
            if not sites:
                del self._open[outcome.root]
            self._changed.notify_all()
        ended.set_result(outcome)

    def mistaken(self, error: BaseException) -> None:
        """Something went wrong that is no outcome: whoever asks for outcomes is told."""
        self._mistake = self._mistake or error

    def sites(self) -> set[str]:
        """The sites that images are on their way to."""
        with self._changed:
            return {site for sites in self._open.values() for site in sites}

    def wait_for(
        self,
        most: int = 0,
        roots: AbstractSet[str] = frozenset(),
        *,
        without: AbstractSet[str] = frozenset(),
        seconds: float | None = None,
    ) -> bool:
        """Whether, in time, no more images than these are on their way, and none of some.

        What is on its way only to some sites does not count as too many ``without`` them.
        """

        def is_so() -> bool:
            counted = sum(not sites.keys() <= without for sites in self._open.values())
            return counted <= most and roots.isdisjoint(self._open)

        with self._changed:
            return self._changed.wait_for(is_so, seconds)

    @property
    def outcomes(self) -> list[Outcome]:
        """What became of every image that ended, at each of its sites. Raises a mistake of ours, if there was one."""
        if self._mistake is not None:
            raise self._mistake
        return list(self._ended)
