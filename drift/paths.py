"""What a path means: which part of an application a field belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from drift.align import Into, Step
from lockstep.topology.objects import SCALABLE
from lockstep.topology.selectors import Token
from lockstep.values import ObjectKey

ORDERED = "(order)"
"""What a rule writes for the order of a list, apart from what is in it."""
_CONTAINERS = frozenset({"containers", "initContainers", "ephemeralContainers"})
_PROBES = frozenset({"livenessProbe", "readinessProbe", "startupProbe"})


def names(steps: Sequence[Step]) -> tuple[str, ...]:
    """The names of the steps."""
    return tuple(step.name for step in steps)


def tokens(steps: Sequence[Step]) -> tuple[tuple[Token, ...], tuple[Token, ...] | None]:
    """The tokens of a path, and those inside a text when it goes into one; an entry by its place, and by its label."""
    outer: list[Token] = []
    inner: list[Token] | None = None
    for step in steps:
        if step.into is Into.TEXT:
            inner = []
        else:
            token = (str(step.index), step.name) if step.into is Into.ENTRY else step.name
            (outer if inner is None else inner).append(ORDERED if step.into is Into.ORDER else token)
    return tuple(outer), None if inner is None else tuple(inner)


def in_container(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The path inside a container; empty when it leads into none."""
    for place, step in enumerate(steps[:-1]):
        if step.into is Into.KEY and step.name in _CONTAINERS and steps[place + 1].into is Into.ENTRY:
            return tuple(steps[place + 2 :])
    return ()


def is_image(steps: Sequence[Step]) -> bool:
    """Whether a field is the image of a container."""
    return names(in_container(steps)) == ("image",)


def is_environment(steps: Sequence[Step]) -> bool:
    """Whether a field is a variable of a container's environment, or where variables come from."""
    inside = in_container(steps)
    return len(inside) == 2 and inside[0].name in ("env", "envFrom")


def is_probe(steps: Sequence[Step]) -> bool:
    """Whether a field is a probe, or in one."""
    return bool(_PROBES.intersection(names(in_container(steps)[:1])))


def is_resource(steps: Sequence[Step]) -> bool:
    """Whether a field is about what a container asks for."""
    return names(in_container(steps)[:1]) == ("resources",)


def is_replicas(key: ObjectKey, steps: Sequence[Step]) -> bool:
    """Whether a field is how many Pods there are, or the least number that an autoscaler keeps."""
    path = names(steps)
    if (key.group, key.kind) == ("autoscaling", "HorizontalPodAutoscaler"):
        return path == ("spec", "minReplicas")
    return path == ("spec", "replicas") and (key.kind in SCALABLE or "." in key.group)


def is_suspension(key: ObjectKey, steps: Sequence[Step]) -> bool:
    """Whether a field says that a CronJob does not run."""
    return (key.group, key.kind) == ("batch", "CronJob") and names(steps) == ("spec", "suspend")
