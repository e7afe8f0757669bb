"""The hot floor: how little of an application runs at a standby that is to be ready within hours.

Replicas go down to the floor, never up; the minimum of an autoscaler goes down with them; CronJobs are
suspended unless they are named. Live between the floor and git's own count is in step, so what was lowered is
handed on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from lockstep.manifests import edit, scope
from lockstep.topology import kinds, objects
from lockstep.topology.amounts import share_of
from lockstep.topology.objects import ObjectPattern
from lockstep.topology.selectors import write_pointer
from lockstep.values import Json, ObjectKey

_REPLICAS: edit.Place = ("spec", "replicas")
_LEAST: edit.Place = ("spec", "minReplicas")
_MOST: edit.Place = ("spec", "maxReplicas")
_SUSPEND: edit.Place = ("spec", "suspend")
_CRON_JOB = ("batch", "CronJob")
_SCALER = ("autoscaling", "HorizontalPodAutoscaler")
_SCALABLE = frozenset((group, kind) for kind in objects.SCALABLE for group in ("", "apps", "extensions"))


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Lowered:
    """A number that a standby runs below git: ``full`` is what git says, written out where it says nothing."""

    key: ObjectKey
    pointer: str
    full: int
    floor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Floored:
    """Objects at their floor, what was lowered, the CronJobs that were suspended, and settings that met nothing."""

    objects: tuple[dict[str, Json], ...]
    lowered: tuple[Lowered, ...]
    suspended: tuple[ObjectKey, ...]
    notes: tuple[str, ...]


def apply(given: Sequence[dict[str, Json]], protection: kinds.Protection) -> Floored:
    """Bring objects down to their floor; the objects given are not changed."""
    floors = Floors.of(protection)
    scene = _Scene.of(given)
    cron_jobs = set(protection.run_cron_jobs)
    lowered: list[Lowered] = []
    suspended: list[ObjectKey] = []
    result = []
    for manifest in given:
        key = ObjectKey.of(manifest)
        changed = manifest
        numbers: list[Lowered] = []
        if (key.group, key.kind) == _CRON_JOB:
            if key.name not in protection.run_cron_jobs and edit.at(manifest, _SUSPEND) is not True:
                changed = edit.replaced(manifest, _SUSPEND, True)
                suspended.append(key)
            cron_jobs.discard(key.name)
        elif (key.group, key.kind) == _SCALER:
            changed, numbers = _lower_scaler(manifest, scene, floors)
        elif (key.group, key.kind) in _SCALABLE or floors.names(key) or scene.scaler_of(key):
            changed, numbers = _lower_workload(manifest, scene.scaler_of(key), floors)
        result.append(changed)
        lowered += numbers
    notes = [*floors.unused(), *(f"runCronJobs names {name}, which git does not have." for name in sorted(cron_jobs))]
    return Floored(objects=tuple(result), lowered=tuple(lowered), suspended=tuple(suspended), notes=tuple(notes))


_Target: TypeAlias = tuple[str, str, str]
"""Kind, namespace and name: a scaleTargetRef may leave out the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Who scales whom: autoscalers by what they scale, and objects by what an autoscaler calls them."""

    scalers: Mapping[_Target, dict[str, Json]]
    objects: Mapping[_Target, dict[str, Json]]

    @classmethod
    def of(cls, given: Sequence[dict[str, Json]]) -> _Scene:
        scalers = {
            _target(ObjectKey.of(manifest).namespace, edit.at(manifest, ("spec", "scaleTargetRef"))): manifest
            for manifest in given
            if scope.group_kind(manifest) == _SCALER
        }
        objects_ = {}
        for manifest in given:
            key = ObjectKey.of(manifest)
            target = (key.kind, key.namespace, key.name)
            if target in scalers and _group_fits(scalers[target], key):
                objects_[target] = manifest
        return cls(scalers=scalers, objects=objects_)

    def scaler_of(self, key: ObjectKey) -> dict[str, Json] | None:
        scaler = self.scalers.get((key.kind, key.namespace, key.name))
        return scaler if scaler is not None and _group_fits(scaler, key) else None


def _target(namespace: str, reference: Json) -> _Target:
    told = reference if isinstance(reference, dict) else {}
    return (str(told.get("kind")), namespace, str(told.get("name")))


def _group_of_target(scaler: Mapping[str, Json]) -> str:
    group, slash, _ = str(edit.at(scaler, ("spec", "scaleTargetRef", "apiVersion")) or "").partition("/")
    return group if slash else ""


def _group_fits(scaler: Mapping[str, Json], key: ObjectKey) -> bool:
    return _group_of_target(scaler) in ("", key.group)


@dataclass(slots=True, kw_only=True)
class Floors:
    """The floors of a protection, the narrowest first."""

    default: str
    patterns: list[tuple[ObjectPattern, str]]
    _met: set[ObjectPattern] = field(default_factory=set)

    @classmethod
    def of(cls, protection: kinds.Protection) -> Floors:
        """The floors of a protection; one replica where it gives none."""
        shares = dict(protection.floor)
        default = shares.pop("default", "1")
        patterns = [(ObjectPattern.parse(text), share) for text, share in shares.items()]
        patterns.sort(key=lambda pair: _narrowness(pair[0]), reverse=True)
        return cls(default=default, patterns=patterns)

    def names(self, key: ObjectKey) -> bool:
        """Whether a floor is given for this very kind, so that it must be one that scales."""
        return any(pattern.selects(group=key.group, kind=key.kind, name=key.name) for pattern, _ in self.patterns)

    def floor(self, key: ObjectKey, full: int) -> int:
        """How many of ``full`` run at the standby: by the narrowest floor, never more than all."""
        share = self.default
        for pattern, given in reversed(self.patterns):
            if pattern.selects(group=key.group, kind=key.kind, name=key.name):
                self._met.add(pattern)
                share = given
        return min(full, share_of(share, full))

    def unused(self) -> list[str]:
        """Floors that met no object: a mistyped name would leave an application at its default."""
        return [
            f"The floor {pattern} meets no object in git." for pattern, _ in self.patterns if pattern not in self._met
        ]


def _narrowness(pattern: ObjectPattern) -> tuple[bool, bool, bool]:
    wild = any(sign in pattern.name for sign in "*?")
    return (not wild, pattern.name != "*", pattern.group is not None)


def _lower_workload(
    manifest: dict[str, Json], scaler: Mapping[str, Json] | None, floors: Floors
) -> tuple[dict[str, Json], list[Lowered]]:
    written = _count(manifest, _REPLICAS)
    floor = floors.floor(ObjectKey.of(manifest), _full(written, scaler))
    if written is None and floor >= 1:
        # Absent means 1, or that the autoscaler decides: writing a number would take the field from it.
        return manifest, []
    before = 1 if written is None else written
    return _lowered(manifest, _REPLICAS, before, min(before, floor))


def _lower_scaler(manifest: dict[str, Json], scene: _Scene, floors: Floors) -> tuple[dict[str, Json], list[Lowered]]:
    """An autoscaler may not hold its workload above the floor. At a floor of 0 the workload itself turns it off."""
    namespace = ObjectKey.of(manifest).namespace
    kind, _, name = target = _target(namespace, edit.at(manifest, ("spec", "scaleTargetRef")))
    workload = scene.objects.get(target)
    if workload is None:
        key = ObjectKey(group=_group_of_target(manifest), kind=kind, namespace=namespace, name=name)
    else:
        key = ObjectKey.of(workload)
    least = _least(manifest)
    full = _full(_count(workload or {}, _REPLICAS), manifest)
    floor = floors.floor(key, full)
    if full == 0:
        return manifest, []
    return _lowered(manifest, _LEAST, least, min(least, max(floor, 1)))


def _lowered(
    manifest: dict[str, Json], place: edit.Place, before: int, after: int
) -> tuple[dict[str, Json], list[Lowered]]:
    if after >= before:
        return manifest, []
    lowered = Lowered(key=ObjectKey.of(manifest), pointer=write_pointer(place), full=before, floor=after)
    return edit.replaced(manifest, place, after), [lowered]


def _full(written: int | None, scaler: Mapping[str, Json] | None) -> int:
    """How many run at full size: what git says (1 when it says nothing), between the bounds of an autoscaler.

    An autoscaler leaves a workload of 0 replicas alone (HorizontalPodAutoscaler, "implicit maintenance-mode").
    """
    count = 1 if written is None else written
    if scaler is None or count == 0:
        return count
    return min(max(count, _least(scaler)), _count(scaler, _MOST) or max(count, _least(scaler)))


def _least(scaler: Mapping[str, Json]) -> int:
    least = _count(scaler, _LEAST)
    return 1 if least is None else least


def _count(manifest: Mapping[str, Json], place: edit.Place) -> int | None:
    value = edit.at(manifest, place)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
