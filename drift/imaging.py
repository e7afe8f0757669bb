"""What images add to what is said of an object: another one runs, or nobody knows which it is. Pure.

A field tells what a spec names; these differences tell what that means where it runs. Both stand at the path of the
image, and of two at one path the worse is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from drift import proofs
from drift.align import Into, Step
from drift.examine import Difference, Manifest
from drift.image_ids import pin
from drift.normalise import reading
from drift.running import Container
from drift.sides import ABSENT, Sides, Value
from drift.walk import Field
from lockstep.manifests import edit, workloads
from lockstep.manifests.images import Undetermined
from lockstep.values import Json, ObjectKey, Verdict

Unknown: TypeAlias = Sides[Sequence[Undetermined]]
"""The images of an object of which nobody knows which they are, on each side; only git has any."""

_WRONG = "another image runs than the one that is pinned"
_MOVED = "one tag is several images where it runs, or in the registries that it is pulled from"
_PINNED = "nobody knows whether what runs is what is pinned: nobody looked into that image"
_TAGGED = "nobody knows whether what runs at both sites is one image"
_LISTS = ("containers", "initContainers", "ephemeralContainers")


def added(
    found: Iterable[Difference], sides: Sides[Manifest | None], containers: Iterable[Container], unknown: Unknown,
    *, key: ObjectKey, sites: tuple[str, str]
) -> list[Difference]:  # fmt: skip
    """What is to be said of an object, with what its images add.

    Args:
        found: What is said of its fields.
        sides: The object on each side; None where it is not.
        containers: What runs of it.
        unknown: Its images of which nobody knows which they are.
        key: The object.
        sites: The truth and the follower.
    """
    kept = list(found)
    for one in _unknown(key, sides, unknown):
        before = next((each for each in kept if each.path == one.path), None)
        if before is not None:
            kept.remove(before)
        kept.append(one if before is None else replace(one, values=before.values))
    for one in _running(key, sides, containers, sites):
        same = [each for each in kept if each.path == one.path]
        # That a spec names something else is told first: what runs by it follows from that.
        if all(each.verdict is Verdict.IN_SYNC for each in same):
            kept = [*(each for each in kept if each not in same), one]
    return kept


def _running(
    key: ObjectKey, sides: Sides[Manifest | None], containers: Iterable[Container], sites: tuple[str, str]
) -> Iterator[Difference]:
    """What runs and is wrong, or is not known to be right."""
    for one in containers:
        if one.said not in (proofs.WRONG, proofs.DIFFERENT, proofs.NOT_COMPARABLE):
            continue
        verdict, note = _verdict(one, sites)
        steps = _steps(key, sides, one)
        field = Field(steps=steps, values=())
        yield Difference(
            key=key,
            verdict=verdict,
            managed=sides.git_primary is not None or sides.git_standby is not None,
            pointer=field.pointer,
            path=field.path,
            values=_values(one, sites),
            note=note,
            steps=steps,
        )


def _verdict(one: Container, sites: tuple[str, str]) -> tuple[Verdict, str]:
    if one.said == proofs.NOT_COMPARABLE:
        return Verdict.UNKNOWN, _PINNED if pin(one.image) else _TAGGED
    if one.said == proofs.DIFFERENT:
        return Verdict.DIVERGED, _MOVED
    if len(one.wrong) > 1:
        return Verdict.DIVERGED, _WRONG
    return (Verdict.PRIMARY_HOTFIX if one.wrong == sites[:1] else Verdict.STANDBY_DRIFT), _WRONG


def _values(one: Container, sites: tuple[str, str]) -> Sides[Value]:
    """The reference for git, and the digests that run or would be pulled; the reference again where it is right."""
    git: list[Value] = []
    live: list[Value] = []
    for site in sites:
        shown = one.digests.get(site) or ((one.held[site],) if site in one.held else ())
        is_right = one.said == proofs.WRONG and site not in one.wrong
        git.append(one.image if shown else ABSENT)
        live.append((one.image if is_right else ", ".join(shown)) if shown else ABSENT)
    return Sides(git[0], live[0], git[1], live[1])


def _steps(key: ObjectKey, sides: Sides[Manifest | None], one: Container) -> tuple[Step, ...]:
    """The path of the image of a container in its workload, as far as anybody knows where its kind keeps containers."""
    place = workloads.pod_spec(key.group, key.kind) or ()
    index = -1
    for manifest in sides.all():
        names = [entry.get("name") for entry in reading.entries(manifest, *(str(part) for part in place), one.listed)]
        if one.container in names:
            index = names.index(one.container)
            break
    return (
        *(Step(name=str(part)) for part in (*place, one.listed)),
        Step(name=one.container, into=Into.ENTRY, index=index),
        Step(name="image"),
    )


def _unknown(key: ObjectKey, sides: Sides[Manifest | None], unknown: Unknown) -> Iterator[Difference]:
    """The images that git names and nobody knows, where the object lives: neither equal nor different."""
    halves = ((unknown.git_primary, sides.primary), (unknown.git_standby, sides.standby))
    known = {one.place: one for images, live in halves for one in images if live is not None}
    for one in known.values():
        steps = _named(one)
        field = Field(steps=steps, values=())
        yield Difference(
            key=key,
            verdict=Verdict.UNKNOWN,
            managed=True,
            pointer=field.pointer,
            path=field.path,
            values=Sides(*(_text(side, one.place) for side in sides.all())),
            note=f"nobody knows which image is meant: {one.why.rstrip('.')}",
            steps=steps,
        )


def _text(manifest: Manifest | None, place: edit.Place) -> Value:
    found: Json = edit.at(manifest, place)
    return found if isinstance(found, str) else ABSENT


def _named(one: Undetermined) -> tuple[Step, ...]:
    """The path of a place, with entries by what they are called."""
    steps: list[Step] = []
    for part in one.place:
        if isinstance(part, int):
            listed = steps[-1].name if steps else ""
            name = one.container if listed in _LISTS else one.container.removeprefix("volume ")
            label = name if listed in (*_LISTS, "volumes") else str(part)
            steps.append(Step(name=label, into=Into.ENTRY, index=part))
        else:
            steps.append(Step(name=part))
    return tuple(steps)
