"""Which images run, beside those that specs name: by workload and container, at one site and across both.

Pure. It receives the Pods of a site one by one, with who owns them, and hands on ``Running``. A digest that is unlike
another is no proof by itself: an image has one for its index, one for each platform and an id besides, and which of
them a status names depends on the runtime. Told as different is only what is proved: that one and the same tag was
resolved to two digests. What can be neither proved nor refuted is not comparable, never equal. No verdict changes.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from drift.image_ids import Ran, pin
from drift.normalise import reading
from lockstep.values import Json, ObjectKey

SAME, ALONE, DIFFERENT, NOT_COMPARABLE = "same", "alone", "different", "notComparable"
"""The same runs at both sites, or what the spec pins; one image runs, and nobody knows of another site; one tag is two
images; nobody can say."""

# More containers than these are counted, and not listed: they are stored with every change.
_MOST_LISTED = 100
_MOST_DIFFERENT = 500
_MOST_DIGESTS = 20
# No reference is longer (a registry and a repository of 255 each, a tag of 128, a digest of 135).
_LONGEST_IMAGE = 1000
# A container that a person attached to look at a Pod (an ephemeral one) is none of its workload's.
_LISTS = (("containers", "containerStatuses"), ("initContainers", "initContainerStatuses"))
_OVER = frozenset({"Succeeded", "Failed"})
_KEY = ("group", "kind", "namespace", "name")

Place = tuple[str, str]
"""A container's name, and the image that its spec names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a workload: what its spec names, and which digests run, by site.

    ``said`` is ``same``, ``alone``, ``different`` or ``notComparable``. At a site that is not in ``digests`` no Pod
    says that it runs there.
    """

    key: ObjectKey
    container: str
    image: str
    digests: Mapping[str, tuple[str, ...]]
    said: str

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it, and as it is stored."""
        named = {name: getattr(self.key, name) for name in _KEY}
        digests = {site: list(found) for site, found in self.digests.items()}
        return {**named, "container": self.container, "image": self.image, "digests": digests, "said": self.said}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Container:
        """What ``to_json`` wrote."""
        return cls(
            key=ObjectKey(**{name: value[name] for name in _KEY}),
            container=value["container"],
            image=value["image"],
            digests={site: tuple(found) for site, found in value["digests"].items()},
            said=value["said"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs of an application: the containers of which something is known, and how many of those there are.

    ``different`` are those whose tag is proved to be two images; ``listed`` are the first of all, by object.
    """

    containers: int = 0
    not_comparable: int = 0
    different: tuple[Container, ...] = ()
    listed: tuple[Container, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it, and as it is stored."""
        return {
            "containers": self.containers,
            "notComparable": self.not_comparable,
            "different": [one.to_json() for one in self.different],
            "listed": [one.to_json() for one in self.listed],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Running:
        """What ``to_json`` wrote; nothing was known before it was looked at."""
        return cls(
            containers=value.get("containers", 0),
            not_comparable=value.get("notComparable", 0),
            different=tuple(Container.from_json(one) for one in value.get("different", ())),
            listed=tuple(Container.from_json(one) for one in value.get("listed", ())),
        )


NOTHING_KNOWN = Running()
"""Before it is looked at, and where nothing runs."""


class Pods:
    """What the Pods of a site run, by every object above them. One that changed is seen anew; the others stay.

    Args:
        above: The owners of an object, the nearest first.
        ours: Whether an object is one of the application's.
    """

    def __init__(self, *, above: Callable[[ObjectKey], Iterator[ObjectKey]], ours: Callable[[ObjectKey], bool]) -> None:
        self._above = above
        self._ours = ours
        self._pods: dict[ObjectKey, dict[Place, Ran]] = {}
        self._under: dict[ObjectKey, set[ObjectKey]] = {}
        self._changed: set[ObjectKey] = set()

    def part(self, key: ObjectKey) -> set[ObjectKey]:
        """Take a Pod, or the Pods under an owner, away from their owners; ``join`` puts them back when it has moved."""
        moved = {*self._under.get(key, ()), *([key] if key in self._pods else ())}
        for pod in moved:
            for owner in (pod, *self._above(pod)):
                self._under.get(owner, set()).discard(pod)
                self._changed.add(owner)
        return moved

    def join(self, key: ObjectKey, manifest: Mapping[str, Json] | None, moved: Iterable[ObjectKey]) -> None:
        """Take an object as it is now (None when it is gone), and put back what ``part`` took away."""
        self._pods.pop(key, None)
        self._changed.add(key)
        if manifest is not None and (key.group, key.kind) == ("", "Pod") and (found := of_pod(manifest)):
            self._pods[key] = found
        for pod in {key, *moved} & self._pods.keys():
            for owner in (pod, *self._above(pod)):
                self._under.setdefault(owner, set()).add(pod)
                self._changed.add(owner)

    def changed(self) -> set[ObjectKey]:
        """The objects of which something else may have to be said since this was last asked."""
        found, self._changed = self._changed, set()
        for key in found:
            if not self._under.get(key, True):
                del self._under[key]
        return found

    def of(self, key: ObjectKey) -> dict[Place, set[Ran]]:
        """What the containers of one of the application's objects run; nothing of an object that is not."""
        found: dict[Place, set[Ran]] = {}
        for pod in self._under.get(key, ()) if self._ours(key) else ():
            for place, ran in self._pods[pod].items():
                found.setdefault(place, set()).add(ran)
        return found

    def keys(self) -> set[ObjectKey]:
        """Every object that Pods are under."""
        return set(self._under)


def of_pod(manifest: Mapping[str, Json]) -> dict[Place, Ran]:
    """What the containers of a Pod run, as far as it says so; nothing of a Pod that is over, or going."""
    if reading.text(manifest, "status", "phase") in _OVER or reading.at(manifest, "metadata", "deletionTimestamp"):
        return {}
    found = {}
    for containers, statuses in _LISTS:
        specs = reading.entries(manifest, "spec", containers)
        images = {reading.text(one, "name"): reading.text(one, "image")[:_LONGEST_IMAGE] for one in specs}
        for status in reading.entries(manifest, "status", statuses):
            name, image_id = reading.text(status, "name"), reading.text(status, "imageID")
            if image_id and (image := images.get(name, "")):
                found[name, image] = Ran.of(image_id, image=image, container_id=reading.text(status, "containerID"))
    return found


class Across:
    """What runs at both sites, kept true: what changed at either is judged again, and nothing else.

    Args:
        sites: The truth and the follower.
        pods: What their Pods run; None for a site that runs nothing.
    """

    def __init__(self, sites: tuple[str, str], pods: tuple[Pods | None, Pods | None]) -> None:
        self._sides = [(site, one) for site, one in zip(sites, pods, strict=True) if one is not None]
        self._said: dict[ObjectKey, tuple[Container, ...]] = {}
        self._order: list[ObjectKey] = []
        self._different: set[ObjectKey] = set()
        self._containers = self._not_comparable = 0
        self._told: Running | None = None
        self._judge(key for _, one in self._sides for key in (*one.keys(), *one.changed()))

    def running(self) -> Running:
        """What runs now."""
        self._judge(key for _, one in self._sides for key in one.changed())
        if self._told is None:
            every = (container for key in self._order for container in self._said[key])
            different = (one for key in sorted(self._different) for one in self._said[key] if one.said == DIFFERENT)
            self._told = Running(
                containers=self._containers,
                not_comparable=self._not_comparable,
                different=tuple(islice(different, _MOST_DIFFERENT)),
                listed=tuple(islice(every, _MOST_LISTED)),
            )
        return self._told

    def _judge(self, keys: Iterable[ObjectKey]) -> None:
        for key in set(keys):
            before = self._said.get(key, ())
            after = tuple(judged(key, {site: one.of(key) for site, one in self._sides}))
            if before != after:
                self._put(key, before, after)

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
        if any(one.said == DIFFERENT for one in after):
            self._different.add(key)
        else:
            self._different.discard(key)


def judged(key: ObjectKey, ran: Mapping[str, Mapping[Place, Iterable[Ran]]]) -> Iterator[Container]:
    """What is to be said of each container of a workload, sorted.

    Args:
        key: The workload.
        ran: What its containers run, by site. An image that only one site's specs name is judged there alone.
    """
    for name, image in sorted({place for found in ran.values() for place in found}):
        found = {site: set(places[name, image]) for site, places in ran.items() if (name, image) in places}
        digests = {site: sorted({one.digest for one in runs if one.digest}) for site, runs in found.items()}
        yield Container(
            key=key,
            container=name,
            image=image,
            digests={site: tuple(shown[:_MOST_DIGESTS]) for site, shown in digests.items() if shown},
            said=_said(image, {one for runs in found.values() for one in runs}, sites=len(found)),
        )


def _said(image: str, ran: set[Ran], *, sites: int) -> str:
    """What everything that runs by one reference proves."""
    digests, pinned = {one.digest for one in ran}, pin(image)
    if pinned and digests == {pinned}:
        return SAME
    if not pinned and "" not in digests and len(digests) == 1:
        return SAME if sites > 1 else ALONE
    # A pin is the digest of an index or of one manifest in it: without the index another digest proves nothing.
    if not pinned and len({one.digest for one in ran if one.resolved}) > 1:
        return DIFFERENT
    return NOT_COMPARABLE


def _count(found: Iterable[Container]) -> int:
    return sum(1 for one in found if one.said == NOT_COMPARABLE)
