"""Where a Pod could be placed: what a scheduler would refuse it for. Pure, and no scheduler.

Node selectors, required node affinity, taints, and room on one node (documentation of Kubernetes, "Assigning Pods to
Nodes", "Taints and Tolerations"). What it cannot tell it takes to be possible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from drift.checks import nodes, templates
from drift.normalise import reading
from lockstep.values import Json

_REPELLING = ("NoSchedule", "NoExecute")
_NAME = "metadata.name"


def refusal(spec: Mapping[str, Json], node: dict[str, Json], free: templates.Amounts) -> str:
    """Why a Pod could not be placed on a node, in one word or two; empty when it could.

    Args:
        spec: The Pod's.
        node: The node.
        free: What is free there.
    """
    labels = reading.mapping(node, "metadata", "labels")
    if any(labels.get(key) != value for key, value in reading.mapping(spec, "nodeSelector").items()):
        return "node selector"
    if not _attracted(spec, node, labels):
        return "node affinity"
    tolerations = list(reading.entries(spec, "tolerations"))
    if any(not _tolerated(taint, tolerations) for taint in _taints(node)):
        return "taints"
    short = [name for name, amount in templates.requests(spec).items() if amount > free.get(name, Decimal(0))]
    return f"room ({', '.join(sorted(short))})" if short else ""


def is_ready(node: dict[str, Json]) -> bool:
    """Whether a node takes anything at all now."""
    return nodes.is_ready(node) and reading.at(node, "spec", "unschedulable") is not True


def _taints(node: dict[str, Json]) -> list[dict[str, Json]]:
    return [taint for taint in reading.entries(node, "spec", "taints") if taint.get("effect") in _REPELLING]


def _tolerated(taint: Mapping[str, Json], tolerations: Sequence[Mapping[str, Json]]) -> bool:
    for one in tolerations:
        operator, key = one.get("operator") or "Equal", one.get("key") or ""
        same_key = key == taint.get("key") or (not key and operator == "Exists")
        same_value = operator == "Exists" or (one.get("value") or "") == (taint.get("value") or "")
        if same_key and same_value and one.get("effect") in (None, "", taint.get("effect")):
            return True
    return False


def _attracted(spec: Mapping[str, Json], node: dict[str, Json], labels: Mapping[str, Json]) -> bool:
    """Whether a node meets one of the terms that are required; where none is, every node does."""
    required = reading.mapping(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    terms = list(reading.entries(required, "nodeSelectorTerms"))
    names = {_NAME: reading.text(node, "metadata", "name")}
    return not terms or any(
        all(_meets(one, labels) for one in reading.entries(term, "matchExpressions"))
        and all(_meets(one, names) for one in reading.entries(term, "matchFields"))
        and (term.get("matchExpressions") or term.get("matchFields"))
        for term in terms
    )


def _meets(wanted: Mapping[str, Json], labels: Mapping[str, Json]) -> bool:
    key, values = str(wanted.get("key")), wanted.get("values")
    listed = values if isinstance(values, list) else []
    has = labels.get(key)
    match wanted.get("operator"):
        case "In":
            return has in listed
        case "NotIn":
            return has not in listed
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case "Gt" | "Lt" as operator:
            return _compares(has, listed, greater=operator == "Gt")
    return True


def _compares(has: Json, listed: Sequence[Json], *, greater: bool) -> bool:
    try:
        mine, theirs = int(str(has)), int(str(listed[0]))
    except (IndexError, ValueError):
        return False
    return mine > theirs if greater else mine < theirs
