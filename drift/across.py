"""What runs at both sites, held against each other and against what registries have, kept true change by change.

Pure. Told as different or wrong is only what is proved: that one tag is two images, or that something runs that the
spec does not pin. What can be neither proved nor refuted is not comparable, never equal.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from drift import proofs
from drift.image_ids import Ran
from drift.proofs import DIFFERENT, NOT_COMPARABLE, WRONG, Known
from drift.running import Container, Place, Pods, Running
from lockstep.values import ObjectKey

# More containers than these are counted, and not listed: they are stored with every change.
_MOST_LISTED = 100
_MOST_DIFFERENT = 500
_MOST_DIGESTS = 20


class Across:
    """What runs at both sites, kept true: what changed at either is judged again, and nothing else.

    Args:
        sites: The truth and the follower.
        pods: What their Pods run; None for a site that runs nothing.
        known: What is known of images beside what runs.
    """

    def __init__(
        self, sites: tuple[str, str], pods: tuple[Pods | None, Pods | None], *, known: Known = proofs.NOTHING
    ) -> None:
        self._sites = sites
        self._known = known
        self._sides = [(site, one) for site, one in zip(sites, pods, strict=True) if one is not None]
        self._said: dict[ObjectKey, tuple[Container, ...]] = {}
        self._order: list[ObjectKey] = []
        self._told_of: set[ObjectKey] = set()
        self._containers = self._not_comparable = 0
        self._told: Running | None = None
        self._judge(key for _, one in self._sides for key in (*one.keys(), *one.changed()))

    def settle(self) -> set[ObjectKey]:
        """Judge what changed since this was last called; the objects of which something else is said now."""
        return self._judge(key for _, one in self._sides for key in one.changed())

    def of(self, key: ObjectKey) -> tuple[Container, ...]:
        """What is said of the containers of an object."""
        return self._said.get(key, ())

    def running(self) -> Running:
        """What runs now."""
        self.settle()
        if self._told is None:
            every = (container for key in self._order for container in self._said[key])
            told = [one for key in sorted(self._told_of) for one in self._said[key]]
            self._told = Running(
                containers=self._containers,
                not_comparable=self._not_comparable,
                different=tuple(one for one in told if one.said == DIFFERENT)[:_MOST_DIFFERENT],
                wrong=tuple(one for one in told if one.said == WRONG)[:_MOST_DIFFERENT],
                listed=tuple(islice(every, _MOST_LISTED)),
            )
        return self._told

    def _judge(self, keys: Iterable[ObjectKey]) -> set[ObjectKey]:
        touched = set()
        for key in set(keys):
            before = self._said.get(key, ())
            ran = {site: one.of(key) for site, one in self._sides}
            after = tuple(judged(key, ran, sites=self._sites, known=self._known))
            if before != after:
                self._put(key, before, after)
                touched.add(key)
        return touched

    def _put(self, key: ObjectKey, before: tuple[Container, ...], after: tuple[Container, ...]) -> None:
        self._told = None
        if before and not after:
            del self._order[bisect.bisect_left(self._order, key)], self._said[key]
        if after and not before:
            bisect.insort(self._order, key)
        if after:
            self._said[key] = after
        self._containers += len(after) - len(before)
        self._not_comparable += _count(after) - _count(before)
        if any(one.said in (DIFFERENT, WRONG) for one in after):
            self._told_of.add(key)
        else:
            self._told_of.discard(key)


def judged(
    key: ObjectKey,
    ran: Mapping[str, Mapping[Place, Iterable[Ran]]],
    *,
    sites: tuple[str, str],
    known: Known = proofs.NOTHING,
) -> Iterator[Container]:
    """What is to be said of each container of a workload, sorted.

    Args:
        key: The workload.
        ran: What its containers run, by site. An image that only one site's specs name is judged there alone.
        sites: The truth and the follower: what the registries of both have under a tag belongs to it.
        known: What is known of images beside what runs.
    """
    by_place: dict[Place, dict[str, set[Ran]]] = {}
    for site, places in ran.items():
        for place, runs in places.items():
            named = place._replace(image=known.name(site, place.image))
            by_place.setdefault(named, {}).setdefault(site, set()).update(runs)
    for place, found in sorted(by_place.items(), key=lambda one: one[0]):
        image = place.image
        held = {site: digest for site in sites if (digest := known.held(site, image))}
        proved = proofs.proof(image, found, held=held, children=known.children)
        digests = {site: sorted({one.digest for one in runs if one.digest}) for site, runs in found.items()}
        yield Container(
            key=key,
            container=place.name,
            listed=place.listed,
            image=image,
            digests={site: tuple(shown[:_MOST_DIGESTS]) for site, shown in digests.items() if shown},
            held=held,
            said=proved.said,
            wrong=proved.wrong,
        )


def _count(found: Iterable[Container]) -> int:
    return sum(1 for one in found if one.said == NOT_COMPARABLE)
