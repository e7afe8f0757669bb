"""Reading what a selection asks for: many lists at once, and a gap for each that could not be read."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lockstep import errors
from lockstep.sites.cluster import listing
from lockstep.sites.cluster.api import Api, Call
from lockstep.sites.cluster.discovery import Resource, Served
from lockstep.sites.ends import Counted, Gap, Inventory, Selection
from lockstep.values import Json, ObjectKey

_METHOD = "list"
# So many objects of one kind are asked for one by one; more are cheaper to list.
_MOST_ALONE = 10

Keep = Callable[[dict[str, Json]], dict[str, Json] | None]
"""What is kept of an object of a page before the next page is taken up; None keeps nothing. Called in many threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One list, or the one object of a name."""

    resource: Resource
    namespace: str
    name: str = ""

    def gap(self, error: errors.LockstepError) -> Gap:
        where = f" in {self.namespace}" if self.namespace else ""
        which = f" {self.name}" if self.name else ""
        return Gap(
            what=f"{self.resource.plural}{which}{where}",
            why=str(error),
            group=self.resource.group,
            kind=self.resource.kind,
            # A kind without namespace has only what is in none.
            namespace=self.resource.gap_of(self.namespace),
            name=self.name or "*",
            denied=isinstance(error, errors.RefusedError),
        )


def read(api: Api, served: Served, selection: Selection, *, keep: Keep | None = None) -> Inventory:
    """What is there of a selection.

    No more pages are in memory than two of each list that is being walked: one that is looked at, and one that
    comes. What ``keep`` gives for the objects of a page is what is left of it.

    Args:
        api: The server.
        served: What it serves.
        selection: What to read.
        keep: What to keep of each object; all of it by default.

    Raises:
        UnreachableError, RefusedError: Nothing at all could be read.
    """
    now = api.clock.now()
    reader = _Reader(api=api, selection=selection, keep=keep, until=time.monotonic() + api.limits.read_seconds)
    tasks = list(_tasks(served, selection))
    with ThreadPoolExecutor(max_workers=api.limits.at_once, thread_name_prefix="read") as pool:
        found = list(pool.map(reader.done, tasks))
    failures = [one for one in found if isinstance(one, errors.LockstepError)]
    if failures and len(failures) == len(found):
        raise failures[0]
    gaps = list(served.gaps)
    objects: list[dict[str, Json]] = []
    for task, one in zip(tasks, found, strict=True):
        if isinstance(one, errors.LockstepError):
            gaps.append(task.gap(one))
        else:
            objects += one
    return Inventory(
        objects=tuple(objects),
        read_at=now,
        method=_METHOD,
        gaps=tuple(sorted(set(gaps))),
        ahead_seconds=api.skew_seconds,
    )


def count(api: Api, served: Served, selection: Selection) -> Counted:
    """How many objects there are of a selection, by a look at each list.

    Raises:
        UnreachableError, RefusedError: Nothing at all could be listed.
    """
    until = time.monotonic() + api.limits.read_seconds

    def done(task: _Task) -> int | errors.LockstepError:
        try:
            if not task.name:
                return listing.count(api, task.resource, task.namespace, until=until)
            return get(api, task.resource, task.namespace, task.name, until=until) is not None
        except errors.LockstepError as error:
            return error

    tasks = list(_tasks(served, selection))
    with ThreadPoolExecutor(max_workers=api.limits.at_once, thread_name_prefix="count") as pool:
        found = list(pool.map(done, tasks))
    failures = {task: one for task, one in zip(tasks, found, strict=True) if isinstance(one, errors.LockstepError)}
    if failures and len(failures) == len(found):
        raise next(iter(failures.values()))
    gaps = {*served.gaps, *(task.gap(error) for task, error in failures.items())}
    return Counted(
        objects=sum(one for one in found if isinstance(one, int)),
        method=_METHOD,
        gaps=tuple(sorted(gaps)),
        ahead_seconds=api.skew_seconds,
    )


def _tasks(served: Served, selection: Selection) -> Iterator[_Task]:
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key in sorted(selection.cluster_scoped or ()):
        names[key.group, key.kind].append(key.name)
    for resource in served.kinds(selection.versions):
        kind = (resource.group, resource.kind)
        if not resource.is_readable or not selection.has_kind(*kind):
            continue
        if resource.namespaced and selection.namespaces is not None:
            yield from (_Task(resource=resource, namespace=one) for one in sorted(selection.namespaces))
        elif resource.namespaced or selection.cluster_scoped is None or len(names[kind]) > _MOST_ALONE:
            yield _Task(resource=resource, namespace="")
        else:
            yield from (_Task(resource=resource, namespace="", name=name) for name in names[kind])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """How all the lists of a selection are read."""

    api: Api
    selection: Selection
    keep: Keep | None
    until: float

    def done(self, task: _Task) -> list[dict[str, Json]] | errors.LockstepError:
        """What a task found, or why it could not."""
        try:
            if not task.name:
                return self._listed(task)
            there = get(self.api, task.resource, task.namespace, task.name, until=self.until)
            return self._kept(listing.whole([there] if there is not None else [], task.resource), task)
        except errors.LockstepError as error:
            return error

    def _listed(self, task: _Task) -> list[dict[str, Json]]:
        api, resource = self.api, task.resource
        listed = listing.walk(api, resource, task.namespace, until=self.until, keep=lambda page: self._kept(page, task))
        newest = api.newest(resource.group, resource.plural, task.namespace)
        patience = api.limits.stale_seconds
        newest.take(listed.resource_version, what=resource.plural, now=time.monotonic(), patience=patience)
        return listed.objects

    def _kept(self, objects: list[dict[str, Json]], task: _Task) -> list[dict[str, Json]]:
        wanted = _wanted(objects, task, self.selection)
        if self.keep is None:
            return wanted
        return [kept for kept in map(self.keep, wanted) if kept is not None]


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
    metadata = found.get("metadata")
    named = metadata.get("name") if isinstance(metadata, dict) else None
    if (found.get("kind"), named) != (resource.kind, name):
        raise errors.UnreachableError(
            f"What answers at {api.server} is no Kubernetes API (asked for {resource.kind}, got something else).",
            remedy="Look whether a proxy or a login page stands before it.",
        )
    return found


def _wanted(objects: list[dict[str, Json]], task: _Task, selection: Selection) -> list[dict[str, Json]]:
    """What was asked for, and nothing that a server adds of its own."""
    where, chosen = task.resource.gap_of(task.namespace), selection.cluster_scoped
    if where != "*":
        objects = [one for one in objects if (one["metadata"].get("namespace") or "") == where]
    if where not in ("", "*") or chosen is None:
        return objects
    return [one for one in objects if one["metadata"].get("namespace") or ObjectKey.of(one) in chosen]
