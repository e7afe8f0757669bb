"""CFG-04: whatever a workload refers to is at the follower, so that its Pods can start there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from drift.checks import answers, parity, templates
from drift.checks.facts import Facts, Objects, Unread
from drift.checks.results import Outcome, Said
from drift.normalise import reading
from lockstep.sites import ends
from lockstep.values import Json, ObjectKey

ID = "CFG-04"
_FIX = "Bring it to DR, or take the reference out."
# What every cluster has of itself.
_GIVEN = frozenset(
    {
        ("scheduling.k8s.io", "PriorityClass", "system-cluster-critical"),
        ("scheduling.k8s.io", "PriorityClass", "system-node-critical"),
        ("", "ServiceAccount", "default"),
        ("", "ConfigMap", "kube-root-ca.crt"),
    }
)
Reference = tuple[str, str, str, str]
"""Group, kind and name of what is referred to, and the key in it that is needed; empty for the whole."""


def run(facts: Facts) -> Iterator[Said]:
    """Every reference of a workload that leads nowhere at the follower."""
    if isinstance(facts.desired, Unread):
        yield answers.unread(facts.desired)
        return
    beside = facts.beside
    there = {**facts.live[1].objects, **_beneath(facts), **(beside.objects if beside else {})}
    gaps = (*facts.live[1].gaps, *(beside.gaps if beside else ()))
    wanted = {**facts.live[1].objects, **facts.desired.full}
    found: list[Said] = []
    count = 0
    for workload in templates.workloads(wanted):
        if workload.key not in facts.desired.full and reading.at(wanted[workload.key], "metadata", "ownerReferences"):
            continue  # what made it is asked
        for reference in dict.fromkeys(references(workload.spec)):
            count += 1
            said = _said(facts, workload.key, reference, there, gaps)
            found += [said] if said else []
    yield from answers.listed(found)
    if not found:
        yield answers.passed("everything that is referred to is there", dr=count)


def _beneath(facts: Facts) -> Objects:
    """Classes of the follower's cluster, and what its cluster has where the application itself is in an archive."""
    read = facts.grounds.follower.read
    return {} if isinstance(read, Unread) else read.objects


def _said(
    facts: Facts, workload: ObjectKey, reference: Reference, there: Objects, gaps: tuple[ends.Gap, ...]
) -> Said | None:
    group, kind, name, key = reference
    if (group, kind, name) in _GIVEN:
        return None
    namespace = "" if group else workload.namespace
    target = ObjectKey(group=group, kind=kind, namespace=namespace, name=name)
    found = there.get(target)
    if found is None:
        gap = facts.grounds.follower.gap(group, kind) if group else parity.gap_of(gaps, group, kind)
        if gap is not None:
            said = answers.unread(gap)
            return Said(outcome=said.outcome, message=said.message, object=str(workload), path=str(target))
        message = f"it refers to {target}, which is not there"
    elif key and not any(key in reading.mapping(found, part) for part in ("data", "binaryData", "stringData")):
        message = f"it refers to the key {key} of {target}, which is not there"
    else:
        return None
    return Said(outcome=Outcome.FAIL, message=message, object=str(workload), path=str(target), fix=_FIX)


def references(spec: Mapping[str, Json]) -> Iterator[Reference]:
    """Everything that a Pod's spec refers to and cannot start without."""
    for container in templates.containers(spec):
        yield from _environment(container)
    for volume in reading.entries(spec, "volumes"):
        yield from _volume(volume)
        for source in reading.entries(volume, "projected", "sources"):
            yield from _volume({**source, "secret": _named(source.get("secret"))})
    for pull in reading.entries(spec, "imagePullSecrets"):
        yield from _one("", "Secret", pull.get("name"))
    yield from _one("", "ServiceAccount", spec.get("serviceAccountName") or spec.get("serviceAccount"))
    yield from _one("scheduling.k8s.io", "PriorityClass", spec.get("priorityClassName"))
    yield from _one("node.k8s.io", "RuntimeClass", spec.get("runtimeClassName"))


def _environment(container: Mapping[str, Json]) -> Iterator[Reference]:
    for source in reading.entries(container, "envFrom"):
        yield from _from(source, "configMapRef", "ConfigMap")
        yield from _from(source, "secretRef", "Secret")
    for variable in reading.entries(container, "env"):
        source = reading.mapping(variable, "valueFrom")
        yield from _from(source, "configMapKeyRef", "ConfigMap")
        yield from _from(source, "secretKeyRef", "Secret")


def _from(source: Mapping[str, Json], field: str, kind: str) -> Iterator[Reference]:
    reference = reading.mapping(source, field)
    if reference.get("optional") is not True:
        yield from _one("", kind, reference.get("name"), key=reading.text(reference, "key"))


def _volume(volume: Mapping[str, Json]) -> Iterator[Reference]:
    for field, kind, name in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
        source = reading.mapping(volume, field)
        if source.get("optional") is True:
            continue
        keys = [reading.text(item, "key") for item in reading.entries(source, "items")]
        for key in keys or [""]:
            yield from _one("", kind, source.get(name), key=key)
    yield from _one("", "PersistentVolumeClaim", reading.at(volume, "persistentVolumeClaim", "claimName"))


def _named(secret: Json) -> Json:
    """A projected Secret names itself as ConfigMaps do."""
    return {**secret, "secretName": secret.get("name")} if isinstance(secret, dict) else None


def _one(group: str, kind: str, name: Json, *, key: str = "") -> Iterator[Reference]:
    if isinstance(name, str) and name:
        yield group, kind, name, key
