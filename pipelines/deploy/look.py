"""Reading what a deploy needs to know of a site."""

from __future__ import annotations

from lockstep.manifests import applyset, desired
from lockstep.sites import ends
from lockstep.values import ObjectKey
from pipelines.deploy.models import Live


def look(cluster: ends.Cluster, wanted: desired.Desired) -> Live:
    """What a site has in the namespaces of an application, those that it had before too, and beside them.

    Raises:
        UnreachableError, RefusedError: Nothing can be read at all.
    """
    set_ = wanted.applyset
    objects = (*wanted.objects, *wanted.full)
    namespaces = {wanted.namespace, *(ObjectKey.of(manifest).namespace for manifest in objects)} - {""}
    first = cluster.read(ends.Selection(namespaces=frozenset(namespaces), cluster_scoped=None))
    inventories = [first]
    record = next((one for one in first.objects if ObjectKey.of(one) == set_.parent_key), None)
    before = applyset.namespaces_of(record) - namespaces if record is not None else frozenset()
    if before:
        inventories.append(cluster.read(ends.Selection(namespaces=before)))
    return Live(
        objects={ObjectKey.of(manifest): manifest for inventory in inventories for manifest in inventory.objects},
        gaps=tuple(sorted({gap for inventory in inventories for gap in inventory.gaps})),
        exact=not cluster.runs,
    )
