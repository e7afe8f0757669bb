"""What git no longer has, and what becomes of it. Pure.

Only what carries the label of the application's own set is ever deleted. What would take data or other
applications' objects along stays unless it is allowed by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from lockstep.manifests import applyset, edit, scope
from lockstep.topology.kinds.application import Deletion
from lockstep.topology.objects import ObjectPattern
from lockstep.values import Json, ObjectKey
from pipelines.deploy.models import Approval, Kept, Live, Why

# A namespace takes everything in it along, a volume its data, a definition every object of its kind, whoever's.
_PRECIOUS = frozenset(
    {
        ("", "Namespace"),
        ("", "PersistentVolume"),
        ("", "PersistentVolumeClaim"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
    }
)
# Kubernetes copies the labels of a Service to these; nobody deployed them.
_COPIES = frozenset({("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")})
# Annotations by which an object asks its tool to keep it.
_KEEP = (
    ("lockstep.dev/prune", "false"),
    ("argocd.argoproj.io/sync-options", "Prune=false"),
    ("helm.sh/resource-policy", "keep"),
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """What is deleted, what stays, and whether the number of deletes has to be approved."""

    deletes: tuple[ObjectKey, ...]
    kept: tuple[Kept, ...]
    approvals: tuple[Approval, ...]


def prune(
    live: Live, wanted: Collection[ObjectKey], *, set_id: str, deletion: Deletion, spared_by: str = ""
) -> Pruning:
    """Decide about the members of a set that are not wanted any more.

    Args:
        live: What the site has.
        wanted: The keys of what it is to have.
        set_id: The set of the application.
        deletion: What a deploy of it may delete by itself.
        spared_by: Why nothing is deleted at this site now; empty where it may be.
    """
    members = {key: manifest for key, manifest in live.objects.items() if _is_member(manifest, set_id)}
    deletes, kept = [], []
    for key in sorted(members.keys() - set(wanted)):
        why = spared_by or ("" if live.whole else _why_kept(key, members[key], deletion))
        if why:
            kept.append(Kept(key=key, why=why))
        else:
            deletes.append(key)
    return Pruning(
        deletes=tuple(deletes),
        kept=tuple(kept),
        approvals=tuple(_approvals(len(deletes), len(members), deletion.most)),
    )


def _is_member(manifest: Mapping[str, Json], set_id: str) -> bool:
    """Whether the application deployed the object: what a controller made of it carries its label, and an owner."""
    owned = edit.at(manifest, ("metadata", "ownerReferences"))
    copied = scope.group_kind(manifest) in _COPIES
    return applyset.member_of(manifest) == set_id and not owned and not copied


def _why_kept(key: ObjectKey, manifest: Mapping[str, Json], deletion: Deletion) -> str:
    if not deletion.prune:
        return "deletion.prune is off"
    for name, value in _KEEP:
        told = str(edit.at(manifest, ("metadata", "annotations", name)) or "")
        if value in (part.strip() for part in told.split(",")):
            return f"its annotation {name} says so"
    if (key.group, key.kind) in _PRECIOUS and not _allowed(key, deletion.allow):
        return f"it is only deleted when deletion.allow names {key.kind}/{key.name}"
    return ""


def _allowed(key: ObjectKey, allow: Iterable[str]) -> bool:
    return any(ObjectPattern.parse(text).selects(group=key.group, kind=key.kind, name=key.name) for text in allow)


def _approvals(deletes: int, members: int, most: str) -> Iterable[Approval]:
    """More than a share of all (to the letter: one of nine is more than a tenth), or more than a number."""
    share = most.endswith("%")
    if deletes * 100 > int(most[:-1]) * members if share else deletes > int(most):
        yield Approval(why=Why.DELETES, what=f"{deletes} of {members}")
