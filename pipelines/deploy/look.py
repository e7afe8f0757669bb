"""Reading what a deploy needs to know of a site."""

from __future__ import annotations

from lockstep.manifests import applyset, desired, scope
from lockstep.sites import ends
from lockstep.values import ObjectKey
from pipelines.deploy.models import Live


def look(cluster: ends.Cluster, wanted: desired.Desired) -> Live:
    """What a site has in the namespaces of an application, those that it had before too, and beside them.

    What runs is read by the kinds that the application has or had, as the specification of ApplySets has it: a
    server has many more, and whoever deploys to it may not read them all. What lies on a disk is read whole.

    Raises:
        UnreachableError, RefusedError: Nothing can be read at all.
    """
    set_ = wanted.applyset
    objects = (*wanted.objects, *wanted.full)
    record = cluster.get(set_.parent_key, api_version="v1")
    namespaces = {wanted.namespace, *(ObjectKey.of(manifest).namespace for manifest in objects)} - {""}
    selection = ends.Selection(
        namespaces=frozenset(namespaces | applyset.namespaces_of(record or {})),
        cluster_scoped=None,
        kinds=_kinds(wanted, applyset.kinds_of(record or {})) if cluster.runs else None,
        versions=frozenset((manifest["apiVersion"], manifest["kind"]) for manifest in objects),
    )
    inventory = cluster.read(selection)
    return Live(
        objects={ObjectKey.of(manifest): manifest for manifest in inventory.objects},
        gaps=tuple(sorted(inventory.gaps)),
        exact=not cluster.runs,
    )


def _kinds(wanted: desired.Desired, before: frozenset[scope.GroupKind]) -> frozenset[scope.GroupKind]:
    parent = wanted.applyset.parent_key
    now = {scope.group_kind(manifest) for manifest in (*wanted.objects, *wanted.full)}
    return frozenset(now | before | {(parent.group, parent.kind)})
