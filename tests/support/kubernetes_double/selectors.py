"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.support.kubernetes_double import statuses
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.types import Object

Test = Callable[[Object], bool]

_FIELDS = {
    ("", "pods"): (
        "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork "
        "status.phase status.podIP status.nominatedNodeName"
    ),
    ("", "nodes"): "spec.unschedulable",
    ("", "namespaces"): "status.phase",
    ("", "secrets"): "type",
    ("", "services"): "spec.clusterIP spec.type",
    ("", "replicationcontrollers"): "status.replicas",
    ("", "events"): (
        "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid "
        "involvedObject.apiVersion involvedObject.resourceVersion involvedObject.fieldPath "
        "reason reportingComponent source type"
    ),
    ("apps", "replicasets"): "status.replicas",
    ("batch", "jobs"): "status.successful",
    ("certificates.k8s.io", "certificatesigningrequests"): "spec.signerName",
}
_TERM = re.compile(
    r"\s*(?P<key>[^\s,=!<>()]+)\s*"
    r"(?:(?P<op>==|!=|=|>|<)\s*(?P<value>[^\s,=!<>()]*)|(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?\s*"
)


def by_labels(text: str) -> Test:
    """What a label selector selects.

    Raises:
        RefusedError: It is none.
    """
    tests = [_label_term(term) for term in _terms(text)] if text.strip() else []
    return lambda given: all(test(given["metadata"].get("labels") or {}) for test in tests)


def _terms(text: str) -> list[str]:
    """The parts between commas that are not in brackets."""
    return re.split(r",(?![^()]*\))", text)


def _label_term(term: str) -> Test:
    if term.strip().startswith("!"):
        name = term.strip()[1:].strip()
        return lambda labels: name not in labels
    found = _TERM.fullmatch(term)
    if not found:
        raise statuses.bad_request(_unreadable(term))
    key, value = found["key"], found["value"]
    if found["set"]:
        values = {one.strip() for one in found["values"].split(",")}
        wanted = found["set"] == "in"
        return lambda labels: (labels.get(key) in values) if wanted else (labels.get(key) not in values)
    if found["op"] in {"=", "=="}:
        return lambda labels: labels.get(key) == value
    if found["op"] == "!=":
        return lambda labels: labels.get(key) != value
    if found["op"]:
        return lambda labels: _more(labels.get(key), value) if found["op"] == ">" else _more(value, labels.get(key))
    return lambda labels: key in labels


def _more(one: str | None, other: str | None) -> bool:
    return bool(one and other and one.isdigit() and other.isdigit() and int(one) > int(other))


def _unreadable(term: str) -> str:
    """What the server says of a term that it cannot read."""
    words = re.findall(r"[^\s=!<>()]+|==|!=|[=!<>()]", term)
    if words[0] in {"=", "==", "!=", "<", ">", "(", ")"}:
        return f"found '{words[0]}', expected: !, identifier, or 'end of string'"
    if len(words) > 2 and words[1] in {"in", "notin"}:
        return f"unable to parse requirement: found '{words[2]}' expected: '('"
    if len(words) > 2 and words[1] in {"=", "==", "!=", "<", ">"}:
        return f"unable to parse requirement: found '{words[2]}', expected: identifier"
    found = words[1] if len(words) > 1 else ""
    return f"unable to parse requirement: found '{found}', expected: in, notin, =, ==, !=, gt, lt"


def by_fields(text: str, resource: Resource) -> Test:
    """What a field selector selects.

    Raises:
        RefusedError: It is none, or this kind cannot be selected by that field.
    """
    known = {"metadata.name"} | ({"metadata.namespace"} if resource.namespaced else set())
    known |= set(_FIELDS.get(resource.bucket, "").split())
    if resource.custom:
        known |= {one["jsonPath"].lstrip(".") for one in resource.custom.get("selectableFields", ())}
    own = len(known) > 2
    tests = [_field_term(term, known, own=own) for term in text.split(",") if term.strip()]
    return lambda given: all(test(given) for test in tests)


def _field_term(term: str, known: set[str], *, own: bool) -> Test:
    found = re.fullmatch(r"\s*([^=!]+?)\s*(==|=|!=)\s*(.*?)\s*", term)
    if not found:
        raise statuses.bad_request(f"invalid selector: '{term}'; can't understand '{term}'")
    path, op, value = found.groups()
    if path not in known:
        listed = ", ".join(f'"{name}"' for name in sorted(known))
        only = f'"{path}" is not a known field selector: only {listed}'
        raise statuses.bad_request(f"field label not supported: {path}" if own else only)
    return lambda given: (_field(given, path) == value) == (op != "!=")


def _field(given: Any, path: str) -> str:
    for name in path.split("."):
        given = given.get(name) if isinstance(given, dict) else None
    return str(given).lower() if isinstance(given, bool) else str("" if given is None else given)
