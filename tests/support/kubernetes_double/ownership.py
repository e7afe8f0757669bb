"""Who owns which field: ``managedFields``, and what an apply or an update does to it.

(Kubernetes' documentation, "Server-Side Apply"; the rules of pruning: sigs.k8s.io/structured-merge-diff, ``merge``.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.support.kubernetes_double import merging, paths
from tests.support.kubernetes_double.paths import Fields, Path
from tests.support.kubernetes_double.statuses import RefusedError, status
from tests.support.kubernetes_double.types import Object, Type

_NEVER_OWNED = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            [
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            ]
        )
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """Who wrote: an entry of ``managedFields`` without its fields and its time."""

    name: str
    applies: bool
    version: str
    """The ``apiVersion`` that it wrote in."""
    subresource: str = ""

    @property
    def key(self) -> tuple[str, bool, str, str]:
        """What tells managers apart: appliers are the same in every version."""
        return (self.name, self.applies, "" if self.applies else self.version, self.subresource)

    @property
    def shown(self) -> str:
        """As a conflict names it."""
        extra = [f'subresource "{self.subresource}"'] if self.subresource else []
        using = "" if self.applies else f" using {self.version}"
        return f'"{self.name}"' + "".join(f" with {one}" for one in extra) + using


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What one manager owns, and since when."""

    manager: Manager
    fields: Fields
    time: str


Owners = Mapping[tuple[str, bool, str, str], Owned]


def read(entries: Iterable[Object] | None) -> Owners:
    """The owners that an object's ``managedFields`` name."""
    found = {}
    for entry in entries or ():
        manager = Manager(
            name=entry.get("manager", ""),
            applies=entry.get("operation") == "Apply",
            version=entry.get("apiVersion", ""),
            subresource=entry.get("subresource", ""),
        )
        fields = frozenset(paths.decoded(entry.get("fieldsV1", {})))
        found[manager.key] = Owned(manager=manager, fields=fields, time=entry.get("time", ""))
    return found


def written(owners: Owners) -> list[Object]:
    """The ``managedFields`` of owners: appliers first, then by time and name."""
    return [_entry(owned) for owned in sorted(owners.values(), key=_rank) if owned.fields]


def _rank(owned: Owned) -> tuple[bool, str, str, str]:
    manager = owned.manager
    return (not manager.applies, "" if manager.applies else owned.time, manager.name, manager.subresource)


def _entry(owned: Owned) -> Object:
    manager = owned.manager
    entry = {
        "manager": manager.name,
        "operation": "Apply" if manager.applies else "Update",
        "apiVersion": manager.version,
        "time": owned.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": paths.encoded(owned.fields),
    }
    return entry | ({"subresource": manager.subresource} if manager.subresource else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """One write, as ownership sees it."""

    manager: Manager
    of: Type
    now: str
    reset: Fields = frozenset()
    """The top of what this way of writing cannot change, such as ``status``: nobody comes to own it by this."""

    def _counts(self, path: Path) -> bool:
        return path not in _NEVER_OWNED and not any(path[: len(top)] == top for top in self.reset)

    def own(self, fields: Iterable[Path]) -> Fields:
        """Those of the fields that can be owned by this."""
        return frozenset(path for path in fields if self._counts(path))


def updated(old: Object, new: Object, owners: Owners, writing: Writing) -> Owners:
    """The owners after an update: the writer owns what it changed, nobody owns what is gone."""
    changes = merging.compare(old, new, writing.of)
    changed = writing.own(changes.modified | changes.added)
    gone = writing.own(changes.removed)
    left = {key: replace(owned, fields=owned.fields - changed - gone) for key, owned in owners.items()}
    if changed:
        mine = left.get(writing.manager.key)
        fields = changed | (mine.fields if mine else frozenset())
        left[writing.manager.key] = Owned(manager=writing.manager, fields=fields, time=writing.now)
    return {key: owned for key, owned in left.items() if owned.fields}


def applied(live: Object, patch: Object, owners: Owners, writing: Writing, *, force: bool) -> tuple[Object, Owners]:
    """The object and its owners after an apply.

    Raises:
        RefusedError: Somebody else owns a field that it would change, and it is not forced.
    """
    me = writing.manager.key
    last = owners.get(me)
    fields = frozenset(merging.fields_of(patch, writing.of))
    mine = Owned(manager=writing.manager, fields=writing.own(fields), time=writing.now)
    now = dict(owners) | {me: mine}
    merged = merging.merge(live, patch, writing.of)
    if last and last.fields - fields:
        # What nobody can own, such as the name, stays because the patch has it.
        merged = _pruned(merged, last.fields, now | {me: replace(mine, fields=fields)}, writing.of)
    changes = merging.compare(live, merged, writing.of)
    changed = writing.own(changes.modified | changes.added)
    others = {key: owned.fields & changed for key, owned in now.items() if key != me and owned.fields & changed}
    if others and not force:
        raise _conflict({now[key].manager: fields for key, fields in others.items()})
    lost = {key: changed | changes.removed for key in now if key != me}
    left = {key: replace(owned, fields=owned.fields - lost.get(key, frozenset())) for key, owned in now.items()}
    return merged, {key: owned for key, owned in left.items() if owned.fields}


def _pruned(merged: Object, last: Fields, owners: Owners, of: Type) -> Object:
    """Without what the applier set last time and nobody sets now."""
    before = paths.with_named(last, of)
    everything = paths.with_named(merging.fields_of(merged, of), of)
    remaining: Any = merging.without(merged, before, of)
    owned = paths.with_named({path for one in owners.values() for path in one.fields}, of)
    left = paths.with_named(merging.fields_of(remaining, of), of)
    remaining = merging.without(merged, everything - (left | owned), of)
    left = paths.with_named(merging.fields_of(remaining, of), of)
    found: Object = merging.without(merged, (everything - left) & before, of)
    return found


def _conflict(conflicts: Mapping[Manager, Iterable[Path]]) -> RefusedError:
    """Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas."""
    found = sorted((manager.shown, paths.shown(path)) for manager, fields in conflicts.items() for path in fields)
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path} for who, path in found
    ]
    many = f"{len(found)} conflict{'s' if len(found) > 1 else ''}"
    return RefusedError(
        status(409, "Conflict", f"Apply failed with {many}: {_listed(found)}", details={"causes": causes})
    )


def _listed(found: list[tuple[str, str]]) -> str:
    """One conflict in a line, several of one manager below each other."""
    if len(found) == 1:
        return f"conflict with {found[0][0]}: {found[0][1]}"
    managers = list(dict.fromkeys(who for who, _ in found))
    return "\n".join(
        f"conflicts with {who}:\n" + "\n".join(f"- {path}" for name, path in found if name == who) for who in managers
    )
