"""Reading what a selection asks for: many lists at once, and a gap for each that could not be read."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lockstep import errors
from lockstep.sites.cluster import listing
from lockstep.sites.cluster.api import Api, Call
from lockstep.sites.cluster.discovery import Resource, Served
from lockstep.sites.ends import Gap, Inventory, Selection
from lockstep.values import Json, ObjectKey

_METHOD = "list"
# So many objects of one kind are asked for one by one; more are cheaper to list.
_MOST_ALONE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One list, or the one object of a name."""

    resource: Resource
    namespace: str
    name: str = ""

    def gap(self, why: str) -> Gap:
        where = f" in {self.namespace}" if self.namespace else ""
        which = f" {self.name}" if self.name else ""
        return Gap(
            what=f"{self.resource.plural}{which}{where}",
            why=why,
            group=self.resource.group,
            kind=self.resource.kind,
            # A kind without namespace has only what is in none.
            namespace=self.resource.gap_of(self.namespace),
            name=self.name or "*",
        )


def read(api: Api, served: Served, selection: Selection) -> Inventory:
    """What is there of a selection.

    Raises:
        UnreachableError, RefusedError: Nothing at all could be read.
    """
    now = api.clock.now()
    until = time.monotonic() + api.limits.read_seconds
    tasks = list(_tasks(served, selection))
    with ThreadPoolExecutor(max_workers=api.limits.at_once, thread_name_prefix="read") as pool:
        found = list(pool.map(lambda task: _done(api, task, until), tasks))
    failures = [one for one in found if isinstance(one, errors.LockstepError)]
    if failures and len(failures) == len(found):
        raise failures[0]
    gaps = list(served.gaps)
    objects: list[dict[str, Json]] = []
    for task, one in zip(tasks, found, strict=True):
        if isinstance(one, errors.LockstepError):
            gaps.append(task.gap(str(one)))
        else:
            objects += _wanted(one, task, selection)
    return Inventory(objects=tuple(objects), read_at=now, method=_METHOD, gaps=tuple(sorted(set(gaps))))


def _tasks(served: Served, selection: Selection) -> Iterator[_Task]:
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key in sorted(selection.cluster_scoped or ()):
        names[key.group, key.kind].append(key.name)
    for resource in served.kinds(selection.versions):
        kind = (resource.group, resource.kind)
        if not {"get", "list"} <= resource.verbs or not selection.has_kind(*kind):
            continue
        if resource.namespaced and selection.namespaces is not None:
            yield from (_Task(resource=resource, namespace=one) for one in sorted(selection.namespaces))
        elif resource.namespaced or selection.cluster_scoped is None or len(names[kind]) > _MOST_ALONE:
            yield _Task(resource=resource, namespace="")
        else:
            yield from (_Task(resource=resource, namespace="", name=name) for name in names[kind])


def _done(api: Api, task: _Task, until: float) -> list[dict[str, Json]] | errors.LockstepError:
    """What a task found, or why it could not."""
    try:
        if not task.name:
            return listing.walk(api, task.resource, task.namespace, until=until).objects
        there = get(api, task.resource, task.namespace, task.name, until=until)
    except errors.LockstepError as error:
        return error
    if there is not None:
        there["metadata"].pop("managedFields", None)
    return [] if there is None else [there]


def get(
    api: Api, resource: Resource, namespace: str, name: str, *, until: float | None = None
) -> dict[str, Json] | None:
    """One object, with everything that the server says of it; None when it is not there.

    Raises:
        LockstepError: It cannot be read.
    """
    call = Call(
        method="GET",
        segments=resource.one_of(namespace, name),
        right=resource.right("get", namespace, name),
    )
    try:
        found = api.json(call, until=until)
    except errors.NotFoundError:
        return None
    if not isinstance(found.get("metadata"), dict) or found.get("kind") != resource.kind:
        raise errors.UnreachableError(
            f"What answers at {api.server} is no Kubernetes API (asked for {resource.kind}, got something else).",
            remedy="Look whether a proxy or a login page stands before it.",
        )
    return found


def _wanted(objects: list[dict[str, Json]], task: _Task, selection: Selection) -> Iterator[dict[str, Json]]:
    """What was asked for, and nothing that a server adds of its own."""
    where = task.resource.gap_of(task.namespace)
    for one in objects:
        metadata = one["metadata"]
        namespace = metadata.get("namespace") or ""
        if not isinstance(metadata.get("name"), str) or where not in ("*", namespace):
            continue
        if namespace or selection.cluster_scoped is None or ObjectKey.of(one) in selection.cluster_scoped:
            yield one
