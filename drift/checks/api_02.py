"""API-02: the follower serves every kind that the application uses; custom resources mean the same at both sites."""

from __future__ import annotations

from collections.abc import Iterator

from drift.checks import answers
from drift.checks.facts import Facts, Unread
from drift.checks.results import Outcome, Said
from drift.normalise import reading
from lockstep import documents, values
from lockstep.values import Json, ObjectKey

ID = "API-02"
_DEFINITION = ("apiextensions.k8s.io", "CustomResourceDefinition")
_FIX = "Install what defines it at DR, in the version that the primary has."


def run(facts: Facts) -> Iterator[Said]:
    """Every kind that the follower does not serve, and every definition that differs."""
    served = facts.grounds.follower.served
    if isinstance(served, Unread):
        yield answers.unread(served)
        return
    if isinstance(facts.desired, Unread):
        yield answers.unread(facts.desired)
        return
    used = {
        (reading.text(manifest, "apiVersion"), reading.text(manifest, "kind"))
        for manifest in facts.desired.full.values()
    }
    made = {one for manifest in facts.desired.full.values() for one in _defined(manifest)}
    found = []
    for version, kind in sorted(used - served.served - made):
        group = version.rpartition("/")[0]
        why = served.unknown.get(group, served.unknown.get("*"))
        if why is not None:
            found.append(Said(outcome=Outcome.UNKNOWN, message=why, object=f"{version} {kind}"))
        else:
            message = f"{facts.faced.follower} does not serve {kind} of {version}"
            found.append(Said(outcome=Outcome.FAIL, message=message, object=f"{version} {kind}", fix=_FIX))
    found += _definitions(facts)
    yield from answers.listed(found)
    if not found:
        yield answers.passed("every kind is served", dr=len(used))


def _definitions(facts: Facts) -> Iterator[Said]:
    """Definitions at both sites whose versions or schemas differ; one that DR lacks is a kind it does not serve."""
    truth, follower = (reading_.objects for reading_ in facts.live)
    for key in sorted(key for key in truth if (key.group, key.kind) == _DEFINITION and key in follower):
        ours, theirs = _meaning(truth[key]), _meaning(follower[key])
        if ours != theirs:
            message = "the definition differs between the sites"
            yield Said(outcome=Outcome.FAIL, message=message, object=_name(key), primary=ours, dr=theirs, fix=_FIX)


def _name(key: ObjectKey) -> str:
    return f"CustomResourceDefinition {key.name}"


def _meaning(definition: dict[str, Json]) -> dict[str, Json]:
    """Served versions, each with the digest of its schema."""
    return {
        reading.text(version, "name"): values.sha256(documents.canonical(version.get("schema")))[:19]
        for version in reading.entries(definition, "spec", "versions")
        if version.get("served") is True
    }


def _defined(manifest: dict[str, Json]) -> Iterator[tuple[str, str]]:
    """The kinds that a definition of the application itself brings along."""
    if reading.text(manifest, "kind") != _DEFINITION[1]:
        return
    group, kind = reading.text(manifest, "spec", "group"), reading.text(manifest, "spec", "names", "kind")
    for version in reading.entries(manifest, "spec", "versions"):
        yield f"{group}/{reading.text(version, 'name')}", kind
