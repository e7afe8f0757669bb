"""The Pods that workloads make: their specs, how many of them, and what they ask of a node. Exact numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from drift.checks.facts import Objects
from drift.normalise import quantity, reading
from lockstep.values import Json, ObjectKey

Amounts = Mapping[str, Decimal]
"""How much of each resource."""

_TEMPLATE = ("spec", "template")
_TEMPLATES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "ReplicationController"): _TEMPLATE,
    ("apps", "DaemonSet"): _TEMPLATE,
    ("apps", "Deployment"): _TEMPLATE,
    ("apps", "ReplicaSet"): _TEMPLATE,
    ("apps", "StatefulSet"): _TEMPLATE,
    ("batch", "CronJob"): ("spec", "jobTemplate", *_TEMPLATE),
    ("batch", "Job"): _TEMPLATE,
}
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A workload: the metadata and spec of its Pods, and how many it wants; ``per_node`` is one on every node."""

    key: ObjectKey
    labels: Mapping[str, Json]
    spec: dict[str, Json]
    replicas: int
    per_node: bool = False


def workloads(objects: Objects) -> Iterator[Workload]:
    """Every workload and Pod among some objects, sorted. A CronJob counts as the one Job that it may be running."""
    for key in sorted(objects):
        manifest = objects[key]
        kind = (key.group, key.kind)
        place = _TEMPLATES.get(kind)
        if place is None and kind != ("", "Pod"):
            continue
        template = reading.mapping(manifest, *place) if place else manifest
        yield Workload(
            key=key,
            labels=reading.mapping(template, "metadata", "labels"),
            spec=reading.mapping(template, "spec"),
            replicas=_replicas(kind, manifest),
            per_node=kind == ("apps", "DaemonSet"),
        )


def _replicas(kind: tuple[str, str], manifest: dict[str, Json]) -> int:
    """One where nothing is said (API reference); a Job's parallelism; one for what is no set."""
    if kind[1] in ("Pod", "CronJob", "DaemonSet"):
        return 1
    found = reading.at(manifest, "spec", "parallelism" if kind[1] == "Job" else "replicas")
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else 1


def containers(spec: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    """Every container of a Pod, those that only begin it too."""
    for listed in ("initContainers", "containers"):
        yield from reading.entries(spec, listed)


def requests(spec: Mapping[str, Json]) -> dict[str, Decimal]:
    """What a Pod asks of a node, by resource, as the scheduler counts it.

    The containers together with the sidecars (init containers that stay), or an init container with the sidecars
    before it where that is more; what the whole Pod says replaces that of its containers; the overhead is added
    (documentation of Kubernetes, "Sidecar Containers: Resource sharing within containers", "Pod Overhead",
    "Assign Pod-level CPU and memory resources").
    """
    sidecars: Amounts = {}
    most: Amounts = {}
    for one in reading.entries(spec, "initContainers"):
        begun = added(sidecars, _of_resources(one))
        if one.get("restartPolicy") == "Always":
            sidecars = begun
        most = greater(most, begun)
    running = sidecars
    for one in reading.entries(spec, "containers"):
        running = added(running, _of_resources(one))
    whole = {**greater(most, running), **_of_resources(spec)}
    return added({**whole, "pods": _ONE}, _numbers(reading.mapping(spec, "overhead")))


def limits(spec: Mapping[str, Json]) -> dict[str, Decimal]:
    """The limits of a Pod's containers together, by resource."""
    total: dict[str, Decimal] = {}
    for one in reading.entries(spec, "containers"):
        total = added(total, _numbers(reading.mapping(one, "resources", "limits")))
    return total


def _of_resources(holder: Mapping[str, Json]) -> dict[str, Decimal]:
    """Requests; a limit counts where nothing is requested, as the server fills it in."""
    resources = reading.mapping(holder, "resources")
    return {**_numbers(reading.mapping(resources, "limits")), **_numbers(reading.mapping(resources, "requests"))}


def _numbers(values: Mapping[str, Json]) -> dict[str, Decimal]:
    found = {name: quantity.number(value) for name, value in values.items()}
    return {name: amount for name, amount in found.items() if amount is not None}


def added(one: Amounts, other: Amounts) -> dict[str, Decimal]:
    """Both together."""
    return {name: one.get(name, Decimal(0)) + other.get(name, Decimal(0)) for name in {*one, *other}}


def greater(one: Amounts, other: Amounts) -> dict[str, Decimal]:
    """The greater of both, resource by resource."""
    return {name: max(one.get(name, Decimal(0)), other.get(name, Decimal(0))) for name in {*one, *other}}


def times(amounts: Amounts, count: int) -> dict[str, Decimal]:
    """So many times as much."""
    return {name: amount * count for name, amount in amounts.items()}


def total(every: Iterable[Amounts]) -> dict[str, Decimal]:
    """All together."""
    found: dict[str, Decimal] = {}
    for one in every:
        found = added(found, one)
    return found


def shown(amounts: Amounts) -> dict[str, str]:
    """Amounts fit to be shown, with the shortest suffixes; sorted."""
    return {name: str(quantity.canonical(f"{amount:f}")) for name, amount in sorted(amounts.items())}
