"""Which images run, beside those that specs name: by workload and container, at one site.

Pure. It receives the Pods of a site one by one, with who owns them, and hands on what each container of a workload
runs. What that proves is said by ``proofs``, across both sites by ``across``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from drift.image_ids import Ran
from drift.normalise import reading
from lockstep.values import Json, ObjectKey

# No reference is longer (a registry and a repository of 255 each, a tag of 128, a digest of 135).
_LONGEST_IMAGE = 1000
_LISTS = (
    ("containers", "containerStatuses"),
    ("initContainers", "initContainerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
)
_OVER = frozenset({"Succeeded", "Failed"})
_KEY = ("group", "kind", "namespace", "name")


class Place(NamedTuple):
    """A container of a Pod: in which list it stands, its name, and the image that its spec names."""

    listed: str
    name: str
    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a workload: what its spec names, which digests run, and what registries have, by site.

    ``image`` is what the reference is called at no site in particular. ``said`` is one of the words of ``proofs``, and
    ``wrong`` names the sites where another image is. At a site that is not in ``digests`` no Pod says that it runs
    there; ``held`` is what a site's registry has under the tag, where somebody knows. ``listed`` is the list of the
    Pod's spec that it stands in.
    """

    key: ObjectKey
    container: str
    image: str
    digests: Mapping[str, tuple[str, ...]]
    said: str
    held: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    listed: str = "containers"

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it, and as it is stored."""
        named = {name: getattr(self.key, name) for name in _KEY}
        digests = {site: list(found) for site, found in self.digests.items()}
        return {
            **named,
            "container": self.container,
            "of": self.listed,
            "image": self.image,
            "digests": digests,
            "held": dict(self.held),
            "said": self.said,
            "wrongAt": list(self.wrong),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Container:
        """What ``to_json`` wrote, or what was written before registries were looked at."""
        return cls(
            key=ObjectKey(**{name: value[name] for name in _KEY}),
            container=value["container"],
            listed=value.get("of", "containers"),
            image=value["image"],
            digests={site: tuple(found) for site, found in value["digests"].items()},
            held=dict(value.get("held", {})),
            said=value["said"],
            wrong=tuple(value.get("wrongAt", ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs of an application: the containers of which something is known, and how many of those there are.

    ``different`` are those whose tag is proved to be two images, ``wrong`` those that run something else than is
    pinned; ``listed`` are the first of all, by object.
    """

    containers: int = 0
    not_comparable: int = 0
    different: tuple[Container, ...] = ()
    wrong: tuple[Container, ...] = ()
    listed: tuple[Container, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it, and as it is stored."""
        return {
            "containers": self.containers,
            "notComparable": self.not_comparable,
            "different": [one.to_json() for one in self.different],
            "wrong": [one.to_json() for one in self.wrong],
            "listed": [one.to_json() for one in self.listed],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Running:
        """What ``to_json`` wrote; nothing was known before it was looked at."""
        return cls(
            containers=value.get("containers", 0),
            not_comparable=value.get("notComparable", 0),
            different=tuple(Container.from_json(one) for one in value.get("different", ())),
            wrong=tuple(Container.from_json(one) for one in value.get("wrong", ())),
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
                container_id = reading.text(status, "containerID")
                found[Place(containers, name, image)] = Ran.of(image_id, image=image, container_id=container_id)
    return found
