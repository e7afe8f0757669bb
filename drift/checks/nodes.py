"""The nodes of a site as checks see them: those that take work, for which platform, with how much room."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from drift.checks.facts import Ground, Unread
from drift.normalise import quantity, reading
from lockstep.values import Json

# Taints under which nothing is placed that does not ask for it (documentation of Kubernetes, "Taints and Tolerations").
_REPELLING = ("NoSchedule", "NoExecute")


def gap(ground: Ground) -> Unread | None:
    """Why nothing can be said of a site's nodes; None when it can."""
    return ground.gap("", "Node") or nothing_runs(ground)


def nothing_runs(ground: Ground) -> Unread | None:
    """Why nothing can be said of how a site runs: a directory of manifests has no nodes. None when it can."""
    if not ground.runs and not any(ground.of("", "Node")):
        return Unread(why=f"{ground.site} has no nodes: nothing runs there", impossible=True)
    return None


def taking(ground: Ground) -> Iterator[dict[str, Json]]:
    """The nodes on which a Pod without tolerations could be placed now."""
    for _, node in ground.of("", "Node"):
        tainted = any(taint.get("effect") in _REPELLING for taint in reading.entries(node, "spec", "taints"))
        if is_ready(node) and not tainted and reading.at(node, "spec", "unschedulable") is not True:
            yield node


def is_ready(node: dict[str, Json]) -> bool:
    """Whether a node says that it is ready."""
    conditions = reading.entries(node, "status", "conditions")
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def platform(node: dict[str, Json]) -> str:
    """``os/architecture`` of a node."""
    info = reading.mapping(node, "status", "nodeInfo")
    return f"{reading.text(info, 'operatingSystem')}/{reading.text(info, 'architecture')}"


def allocatable(node: dict[str, Json]) -> dict[str, Decimal]:
    """What Pods may ask of a node, by resource."""
    found = {name: quantity.number(value) for name, value in reading.mapping(node, "status", "allocatable").items()}
    return {name: amount for name, amount in found.items() if amount is not None}
