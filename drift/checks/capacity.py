"""How much of the follower an application needs at full size, beside what of it runs there already."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from drift.checks import nodes, templates
from drift.checks.facts import Facts, Ground, Unread
from drift.normalise import reading
from lockstep.values import Json, ObjectKey

_ENDED = ("Succeeded", "Failed")


def full_size(facts: Facts) -> list[templates.Workload]:
    """The application's workloads as they would run after a fail-over: as git wants them, or as the truth has more."""
    wanted = {} if isinstance(facts.desired, Unread) else facts.desired.full
    live = facts.live[0].objects
    found = []
    for one in templates.workloads(wanted):
        there = live.get(one.key)
        if there is not None:
            (running,) = templates.workloads({one.key: there})
            # An autoscaler, or a person, may have made more of it than git says.
            found.append(running if running.replicas > one.replicas else one)
        else:
            found.append(one)
    return found


def needed(found: list[templates.Workload], ground: Ground) -> dict[str, Decimal]:
    """What some workloads ask of a site together."""
    count = sum(1 for _ in nodes.taking(ground))
    return templates.total(
        templates.times(templates.requests(one.spec), count if one.per_node else one.replicas) for one in found
    )


def free(ground: Ground, own: list[templates.Workload]) -> dict[str, Decimal]:
    """What the nodes of a site that take work have left beside everybody else's Pods."""
    taking = {reading.text(node, "metadata", "name"): node for node in nodes.taking(ground)}
    room = templates.total(nodes.allocatable(node) for node in taking.values())
    used = templates.total(
        templates.requests(reading.mapping(pod, "spec"))
        for key, pod in ground.of("", "Pod")
        if reading.text(pod, "spec", "nodeName") in taking and _is_running(pod) and not belongs(key, pod, own)
    )
    return {name: amount - used.get(name, Decimal(0)) for name, amount in room.items()}


def free_by_node(
    ground: Ground, among: list[dict[str, Json]], own: list[templates.Workload]
) -> dict[str, dict[str, Decimal]]:
    """What each of some nodes has left beside everybody else's Pods, by its name."""
    free = {reading.text(node, "metadata", "name"): nodes.allocatable(node) for node in among}
    for key, pod in ground.of("", "Pod"):
        room = free.get(reading.text(pod, "spec", "nodeName"))
        if room is not None and _is_running(pod) and not belongs(key, pod, own):
            for name, amount in templates.requests(reading.mapping(pod, "spec")).items():
                room[name] = room.get(name, Decimal(0)) - amount
    return free


def belongs(key: ObjectKey, pod: dict[str, Json], own: list[templates.Workload]) -> bool:
    """Whether a Pod is one that a workload of the application made, by all labels of the workload's template."""
    labels = reading.mapping(pod, "metadata", "labels")
    return any(
        one.key.namespace == key.namespace and one.labels and one.labels.items() <= labels.items() for one in own
    )


def _is_running(pod: dict[str, Json]) -> bool:
    return reading.text(pod, "status", "phase") not in _ENDED


def own_running(ground: Ground, own: list[templates.Workload], namespace: str) -> Iterator[dict[str, Json]]:
    """The specs of the application's Pods that run in a name space."""
    for key, pod in ground.of("", "Pod"):
        if key.namespace == namespace and _is_running(pod) and belongs(key, pod, own):
            yield reading.mapping(pod, "spec")
