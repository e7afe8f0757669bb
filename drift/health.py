"""How what an application runs at a site is: the second axis, beside the verdict. Two equal crash loops are not well.

Pure. It receives the objects of a reading, it hands on ``Vitals``. What a Pod or a ReplicaSet suffers from is said of
the object that owns it. What could not be read is Unknown, and files say what should be, never how it is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from drift import redact, running
from drift.inventory import Reading
from drift.normalise import home, reading
from lockstep.manifests import health
from lockstep.manifests.health import Assessment
from lockstep.values import Health, Json, ObjectKey

# More objects that are not well are counted, and not listed.
_MOST_LISTED = 50
_LONGEST_WHY = 300
# A Deployment owns a ReplicaSet that owns a Pod; an operator's resources may stand above them. A bound against circles.
_MOST_OWNERS = 8
# Its controller says how a Job or a CronJob is; a Pod that has ended belongs to a try that is over.
_OVER = frozenset({"Succeeded", "Failed"})
_TRIES = frozenset({("batch", "Job")})

Belongs = Callable[[ObjectKey, dict[str, Json]], bool]
"""Whether a live object that nobody owns is one of the application's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwell:
    """An object that is not healthy, and why, in a few words."""

    key: ObjectKey
    health: Health
    why: str

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it, and as it is stored."""
        names = ("group", "kind", "namespace", "name")
        return {**{name: getattr(self.key, name) for name in names}, "health": self.health.value, "why": self.why}

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Unwell:
        """What ``to_json`` wrote."""
        key = ObjectKey(group=value["group"], kind=value["kind"], namespace=value["namespace"], name=value["name"])
        return cls(key=key, health=Health(value["health"]), why=value["why"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """How an application is at one site: the worst of its objects.

    ``why`` speaks of the site as a whole, where there is something to say. ``judged`` objects have a health, and
    ``ailing`` of them are not healthy; the worst of those are in ``unwell``.
    """

    health: Health
    why: str = ""
    judged: int = 0
    ailing: int = 0
    unwell: tuple[Unwell, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """As ``-o json`` writes it, and as it is stored."""
        return {
            "health": self.health.value,
            "why": self.why,
            "judged": self.judged,
            "ailing": self.ailing,
            "unwell": [one.to_json() for one in self.unwell],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Json]) -> Vitals:
        """What ``to_json`` wrote."""
        return cls(
            health=Health(value["health"]),
            why=value["why"],
            judged=value["judged"],
            ailing=value["ailing"],
            unwell=tuple(Unwell.from_json(one) for one in value["unwell"]),
        )


FROM_FILES = Vitals(health=Health.NOT_APPLICABLE, why="it is not known from files")
"""A directory, an archive, a backup."""


def of_site(found: Reading, wanted: Collection[ObjectKey], *, belongs: Belongs, standby: bool) -> Vitals:
    """How an application is at a site that runs it.

    Args:
        found: What was read of the site.
        wanted: What git wants there.
        belongs: Which live objects are the application's.
        standby: Whether the site follows another: what is suspended there is as it should be.
    """
    return of_observed(found, wanted, Observations.of(found.objects, belongs=belongs, standby=standby))


def of_observed(found: Reading, wanted: Collection[ObjectKey], observed: Observations | None) -> Vitals:
    """How an application is at a site, by what is known of its objects; None where nothing runs."""
    if observed is None:
        return FROM_FILES
    if found.is_blind:
        return Vitals(health=Health.UNKNOWN, why=next(gap.why for gap in found.gaps))
    vitals = observed.vitals()
    hidden = [gap for gap in found.gaps if gap.kind == "*" or health.has_health(gap.group, gap.kind)]
    if hidden:
        return _whole(vitals, Health.UNKNOWN, f"{hidden[0].what}: {hidden[0].why}")
    if wanted and not any(key in found.objects for key in wanted):
        return _whole(vitals, Health.MISSING, "nothing of it is there")
    return vitals


class Observations:
    """What is known of the health of the objects of a site. One that changed is seen anew; the others stay as they are.

    Args:
        belongs: Which objects that nobody owns are the application's.
        standby: Whether the site follows another.

    Attributes:
        pods: Which images run.
    """

    def __init__(self, *, belongs: Belongs, standby: bool) -> None:
        self._belongs = belongs
        self._standby = standby
        self._own: dict[ObjectKey, Assessment | None] = {}
        self._owners: dict[ObjectKey, ObjectKey] = {}
        self._suffering: dict[ObjectKey, Assessment] = {}
        # Who suffers below an owner, however far; what has to be summed up anew; and the sums.
        self._below: dict[ObjectKey, set[ObjectKey]] = {}
        self._touched: set[ObjectKey] = set()
        self._judged: set[ObjectKey] = set()
        self._unwell: dict[ObjectKey, Unwell] = {}
        self.pods = running.Pods(above=self._above, ours=self._own.__contains__)

    @classmethod
    def of(cls, objects: Mapping[ObjectKey, dict[str, Json]], *, belongs: Belongs, standby: bool) -> Observations:
        """Of everything that was read."""
        observed = cls(belongs=belongs, standby=standby)
        for key in objects:
            if health.has_health(key.group, key.kind):
                observed.see(key, objects[key])
        return observed

    def see(self, key: ObjectKey, manifest: dict[str, Json] | None) -> None:
        """Take an object as it is now; None when it is gone."""
        if not health.has_health(key.group, key.kind):
            return
        # An owner stands between what it owns and what owns it: they all are told of each other anew.
        moved = {key, *self._below.get(key, ())}
        self._part(moved)
        pods = self.pods.part(key)
        for known in (self._own, self._owners, self._suffering):
            known.pop(key, None)
        self._touched.add(key)
        if manifest is not None:
            assessed = health.assess(manifest, standby=self._standby)
            owner = owner_of(key, manifest)
            if owner is not None:
                self._owners[key] = owner
                if assessed is not None and _surfaces(key, manifest, assessed):
                    self._suffering[key] = assessed
            if self._belongs(key, manifest):
                self._own[key] = assessed
        self._join(moved)
        self.pods.join(key, manifest, pods)

    def vitals(self) -> Vitals:
        """How everything that was seen is together."""
        for key in self._touched:
            self._settle(key)
        self._touched.clear()
        unwell = heapq.nsmallest(_MOST_LISTED, self._unwell.values(), key=lambda one: (_rank(one.health), one.key))
        worst = unwell[0].health if unwell else Health.HEALTHY
        return Vitals(health=worst, judged=len(self._judged), ailing=len(self._unwell), unwell=tuple(unwell))

    def _part(self, sufferers: Collection[ObjectKey]) -> None:
        for key in sufferers:
            for owner in self._above(key):
                self._below.get(owner, set()).discard(key)
                self._touched.add(owner)

    def _join(self, sufferers: Collection[ObjectKey]) -> None:
        for key in sufferers:
            for owner in self._above(key) if key in self._suffering else ():
                self._below.setdefault(owner, set()).add(key)
                self._touched.add(owner)

    def _settle(self, key: ObjectKey) -> None:
        """Sum up one object anew."""
        self._judged.discard(key)
        self._unwell.pop(key, None)
        if not self._below.get(key, True):
            del self._below[key]
        found = _worse(self._own[key], self._worst_below(key)) if key in self._own else None
        if found is not None:
            self._judged.add(key)
            if _ails(found):
                self._unwell[key] = Unwell(key=key, health=found.health, why=_shown(found.why))

    def _worst_below(self, owner: ObjectKey) -> tuple[ObjectKey, Assessment] | None:
        """The worst that any object of an owner suffers from; of equals the one that is furthest from it, a Pod."""
        below = self._below.get(owner, ())
        worst = min(
            ((_rank(self._suffering[key].health), -list(self._above(key)).index(owner), key) for key in below),
            default=None,
        )
        return None if worst is None else (worst[2], self._suffering[worst[2]])

    def _above(self, key: ObjectKey) -> Iterator[ObjectKey]:
        owner = self._owners.get(key)
        for _ in range(_MOST_OWNERS):
            if owner is None:
                return
            yield owner
            owner = self._owners.get(owner)


def _worse(own: Assessment | None, below: tuple[ObjectKey, Assessment] | None) -> Assessment | None:
    """What an object says of itself, with what something that it owns suffers from, where that is no better."""
    if below is None or (own is not None and _rank(own.health) < _rank(below[1].health)):
        return own
    key, suffered = below
    said = f"{key.kind} {key.name}: {suffered.why}"
    return Assessment(
        health=suffered.health, why="; ".join(part for part in (own.why if own is not None else "", said) if part)
    )


def owner_of(key: ObjectKey, manifest: Mapping[str, Json]) -> ObjectKey | None:
    """The object that controls another, else the first that owns it. An owner is in the same name space or in none."""
    owners = list(reading.entries(manifest, "metadata", "ownerReferences"))
    chosen = next((one for one in owners if one.get("controller") is True), owners[0] if owners else None)
    if chosen is None:
        return None
    kind = str(chosen.get("kind", ""))
    group = home(str(chosen.get("apiVersion", "")).rpartition("/")[0], kind)
    return ObjectKey(group=group, kind=kind, namespace=key.namespace, name=str(chosen.get("name", "")))


def _surfaces(key: ObjectKey, manifest: Mapping[str, Json], one: Assessment) -> bool:
    """Whether an owner has something to say of what it owns: a try that is over is past."""
    if not _ails(one) or (key.group, key.kind) in _TRIES or reading.at(manifest, "metadata", "deletionTimestamp"):
        return False
    return (key.group, key.kind) != ("", "Pod") or reading.text(manifest, "status", "phase") not in _OVER


def _whole(vitals: Vitals, said: Health, why: str) -> Vitals:
    return Vitals(health=said, why=_shown(why), judged=vitals.judged, ailing=vitals.ailing, unwell=vitals.unwell)


def _ails(one: Assessment) -> bool:
    return one.health is not Health.HEALTHY


_RANKS = {health_: rank for rank, health_ in enumerate(Health)}


def _rank(one: Health) -> int:
    return _RANKS[one]


def _shown(why: str) -> str:
    """A reason, fit to be shown: controllers quote what servers answered, passwords in addresses included."""
    text = str(redact.Mask().hide("", why))
    return text if len(text) <= _LONGEST_WHY else f"{text[:_LONGEST_WHY]}…"
