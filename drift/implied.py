"""Differences that follow from what the sites are, and need no rule: prefix, site values, floor, suspension.

And what an overlay alone never excuses, however plainly git says it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeGuard

from drift import paths
from drift.align import Step
from drift.normalise import home, quantity, reading
from drift.sides import ABSENT, Sides, Value
from lockstep import errors
from lockstep.manifests import floor
from lockstep.topology import kinds
from lockstep.values import ImageReference, Json, ObjectKey, Tier

_AUTOSCALER = "HorizontalPodAutoscaler"
_NOTHING: Mapping[ObjectKey, dict[str, Json]] = {}
# Shorter values, and numbers, stand in too many texts by chance.
_SHORTEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What a site is called and what is true there: its values, and how it names images.

    ``image_prefix`` stands before them; ``renamed`` maps what they are called there to their own names.
    """

    name: str
    values: Mapping[str, str] = field(default_factory=dict)
    image_prefix: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> dict[str, str]:
        """Everything of this site that may stand in a manifest."""
        return {**self.values, "(imagePrefix)": self.image_prefix}


Scaled: TypeAlias = Mapping[ObjectKey, tuple[int, int]]
"""What autoscalers hold, each with the least and the most replicas."""


class Scalers:
    """What the autoscalers of a site hold. Of two that hold one thing the last counts, by name."""

    def __init__(self, objects: Mapping[ObjectKey, dict[str, Json]] = _NOTHING) -> None:
        self.held: dict[ObjectKey, tuple[int, int]] = {}
        self._holds: dict[ObjectKey, ObjectKey] = {}
        self._holders: dict[ObjectKey, dict[ObjectKey, tuple[int, int]]] = {}
        for key in objects:
            if key.kind == _AUTOSCALER:
                self.put(key, objects[key])

    def put(self, key: ObjectKey, manifest: dict[str, Json] | None) -> set[ObjectKey]:
        """Take an object as it is now, None when it is gone; the objects that are held otherwise from now on."""
        if key.kind != _AUTOSCALER:
            return set()
        touched = set()
        before = self._holds.pop(key, None)
        if before is not None:
            del self._holders[before][key]
            touched.add(before)
        scaling = None if manifest is None else _scaling(manifest)
        if scaling is not None:
            target, bounds = scaling
            self._holds[key] = target
            self._holders.setdefault(target, {})[key] = bounds
            touched.add(target)
        return {target for target in touched if self._settle(target)}

    def _settle(self, target: ObjectKey) -> bool:
        holders, before = self._holders[target], self.held.pop(target, None)
        if holders:
            self.held[target] = holders[max(holders)]
        else:
            del self._holders[target]
        return self.held.get(target) != before


def scaled(objects: Mapping[ObjectKey, dict[str, Json]]) -> Scaled:
    """What the HorizontalPodAutoscalers among some objects scale, and within which bounds (R03)."""
    return Scalers(objects).held


def _scaling(manifest: dict[str, Json]) -> tuple[ObjectKey, tuple[int, int]] | None:
    spec = reading.mapping(manifest, "spec")
    target = reading.mapping(spec, "scaleTargetRef")
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas")
    if not (_is_count(least) and _is_count(most)):
        return None
    kind = reading.text(target, "kind")
    key = ObjectKey(
        group=home(reading.text(target, "apiVersion").rpartition("/")[0], kind),
        kind=kind,
        namespace=reading.text(manifest, "metadata", "namespace"),
        name=reading.text(target, "name"),
    )
    return key, (least, most)


def autoscaled(
    key: ObjectKey, steps: Sequence[Step], sides: Sides[Value], ranges: tuple[Scaled, Scaled]
) -> Sides[Value]:
    """Replicas that an autoscaler holds within its bounds are as git wants them (R03); outside they are drift."""
    if paths.names(steps) != ("spec", "replicas"):
        return sides
    free = [
        key in site and _is_count(value) and site[key][0] <= value <= site[key][1]
        for site, value in zip(ranges, (sides.primary, sides.standby), strict=True)
    ]
    if not any(free):
        return sides
    git_p, primary, git_d, standby = sides.all()
    if git_p is ABSENT and git_d is ABSENT:
        return Sides(git_p, primary, git_d, primary if all(free) else standby)
    return Sides(git_p, git_p if free[0] else primary, git_d, git_d if free[1] else standby)


def least(key: ObjectKey, count: int, protection: kinds.Protection | None) -> int:
    """The floor of an object that has so many replicas at the primary; all of them unless the tier is hot."""
    if protection is None or protection.tier is not Tier.HOT:
        return count
    return floor.Floors.of(protection).floor(key, count)


def at_floor(
    key: ObjectKey, steps: Sequence[Step], sides: Sides[Value], protection: kinds.Protection | None
) -> Sides[Value]:
    """Live between the floor and the primary's count is in step: taken for what git says of the standby."""
    if protection is None or protection.tier is not Tier.HOT or not paths.is_replicas(key, steps):
        return sides
    wanted = sides.git_standby if _is_count(sides.git_standby) else sides.primary
    count = sides.primary if _is_count(sides.primary) else sides.git_primary
    if not (_is_count(sides.standby) and _is_count(wanted) and _is_count(count)):
        return sides
    lowest = wanted if sides.git_standby is not ABSENT else min(wanted, least(key, count, protection))
    if not lowest <= sides.standby <= max(wanted, count):
        return sides
    held = sides.git_standby if sides.git_standby is not ABSENT else sides.primary
    return Sides(sides.git_primary, sides.primary, sides.git_standby, held)


def explains(steps: Sequence[Step], values: tuple[Value, Value], facts: tuple[SiteFacts, SiteFacts]) -> str:
    """Why the values of truth and follower may differ; empty when nothing implies it.

    Args:
        steps: The field.
        values: Its values at the truth and at the follower.
        facts: The two sites.
    """
    left, right = values
    if not (isinstance(left, str) and isinstance(right, str)):
        return ""
    if paths.is_image(steps):
        mine, theirs = (own_name(text, site) for text, site in zip((left, right), facts, strict=True))
        return "imagePrefix of the sites" if mine and mine == theirs else ""
    name = _site_value(left, right, facts)
    return f"site value {name}" if name else ""


def explains_follower(
    key: ObjectKey, steps: Sequence[Step], values: tuple[Value, Value], protection: kinds.Protection | None
) -> str:
    """Why git may say less for the follower: its floor, or that its CronJobs wait."""
    left, right = values
    if protection is None:
        return ""
    if paths.is_suspension(key, steps) and right is True and key.name not in protection.run_cron_jobs:
        return "CronJobs are suspended at a standby"
    if protection.tier is Tier.HOT and paths.is_replicas(key, steps) and _is_count(left) and _is_count(right):
        return "floor of the tier hot" if least(key, left, protection) <= right <= left else ""
    return ""


def never_excused(
    key: ObjectKey, steps: Sequence[Step], values: tuple[Value, Value], protection: kinds.Protection | None
) -> str:
    """Why an overlay does not excuse this difference; empty when it may.

    A start at the follower would run another image, miss a variable or a key of a Secret, be probed otherwise, or have
    less.
    """
    left, right = values
    if paths.is_image(steps) and _other_image(left, right):
        return "an overlay does not excuse another image"
    if right is ABSENT and (lacks := _lacks(key, steps)):
        return f"an overlay does not excuse a missing {lacks}"
    if paths.is_probe(steps):
        return "an overlay does not excuse another probe"
    if paths.is_resource(steps) and _smaller(steps, left, right):
        return "an overlay does not excuse smaller resources"
    if paths.is_replicas(key, steps) and _is_count(left) and _is_count(right) and right < least(key, left, protection):
        return "an overlay does not excuse fewer replicas than the floor"
    return ""


def _lacks(key: ObjectKey, steps: Sequence[Step]) -> str:
    """What a start lacks without this field: a variable, or a key of a Secret."""
    if paths.is_environment(steps):
        return "variable"
    is_key = (key.group, key.kind) == ("", "Secret") and paths.names(steps)[:1] == ("data",)
    return "key of a Secret" if is_key else ""


def _is_count(value: Value) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def own_name(text: str, site: SiteFacts) -> str:
    """An image as it is called at no site in particular, with its tag and digest; empty when it is not the site's."""
    if not site.image_prefix or not text.startswith(f"{site.image_prefix}/"):
        return ""
    below = text.removeprefix(f"{site.image_prefix}/")
    name = re.split("[:@]", below, maxsplit=1)[0]
    return site.renamed.get(name, name) + below[len(name) :]


def _site_value(left: str, right: str, facts: tuple[SiteFacts, SiteFacts]) -> str:
    """The site values that make one text of the other; empty when none do."""
    mine, theirs = (site.words for site in facts)
    pairs = {
        mine[name]: (name, theirs[name])
        for name in mine
        if theirs.get(name) and mine[name] != theirs[name] and _is_telling(mine[name])
    }
    if not pairs:
        return ""
    longest_first = sorted(pairs, key=len, reverse=True)
    words = re.compile("|".join(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])" for word in longest_first))
    used: list[str] = []

    def replace(match: re.Match[str]) -> str:
        name, value = pairs[match[0]]
        used.append(name)
        return value

    return ", ".join(dict.fromkeys(used)) if words.sub(replace, left) == right else ""


def _is_telling(word: str) -> bool:
    return len(word) >= _SHORTEST and not word.isdigit()


def _other_image(left: Value, right: Value) -> bool:
    """Whether two images are not known to be one: by digest, or by name below the registry and tag."""
    if not (isinstance(left, str) and isinstance(right, str)):
        return True
    try:
        mine, theirs = ImageReference.parse(left), ImageReference.parse(right)
    except errors.InputError:
        return left != right
    if mine.digest or theirs.digest:
        return mine.digest != theirs.digest
    ends = (mine.repository.rpartition("/")[2], mine.tag), (theirs.repository.rpartition("/")[2], theirs.tag)
    return ends[0] != ends[1]


def _smaller(steps: Sequence[Step], left: Value, right: Value) -> bool:
    """Whether less is asked for at the standby; a limit that is gone is not less, a request is."""
    inside = paths.names(paths.in_container(steps))
    if len(inside) != 3 or left is ABSENT:
        return False
    if right is ABSENT:
        return inside[1] == "requests"
    mine, theirs = quantity.number(left), quantity.number(right)
    return mine is None or theirs is None or theirs < mine
