"""A site beneath its applications: what belongs to the cluster as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from drift import inventory
from drift.checks.facts import Ground, Unread
from drift.gathering.doors import Gathering
from lockstep import errors
from lockstep.sites import ends
from lockstep.topology import kinds

_READ = ends.Selection(
    namespaces=None,
    cluster_scoped=None,
    kinds=frozenset(
        {
            ("", "LimitRange"),
            ("", "Node"),
            ("", "Pod"),
            ("", "ResourceQuota"),
            ("", "Service"),
            ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
            ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
            ("discovery.k8s.io", "EndpointSlice"),
            ("node.k8s.io", "RuntimeClass"),
            ("scheduling.k8s.io", "PriorityClass"),
        }
    ),
)
NO_SERVER = "nothing runs at {site}: there is no API server to ask"

_Found = TypeVar("_Found")


def ground(gathering: Gathering, site: kinds.Site) -> Ground:
    """What is there of a site beneath its applications."""
    scanning, name = gathering.scanning, site.name
    if site.spec.cluster is None:
        nothing = Unread(why=NO_SERVER.format(site=name), impossible=True)
        return Ground(site=name, runs=False, read=nothing, served=nothing, version=nothing, labels=site.metadata.labels)
    try:
        cluster = scanning.sites.cluster(name)
        runs = cluster.runs
    except errors.LockstepError as error:
        lost = refused(error)
        return Ground(site=name, runs=True, read=lost, served=lost, version=lost, labels=site.metadata.labels)
    read = inventory.read(cluster, _READ, site=name, sealer=scanning.sealer, now=scanning.clock)
    nothing = Unread(why=NO_SERVER.format(site=name), impossible=True)
    serving = cluster if isinstance(cluster, ends.Serving) else None
    return Ground(
        site=name,
        runs=runs,
        read=read,
        served=asked(serving.kinds) if serving else nothing,
        version=asked(serving.version) if serving else nothing,
        labels=site.metadata.labels,
    )


def asked(ask: Callable[[], _Found]) -> _Found | Unread:
    """What somebody answers; why not, where nobody does."""
    try:
        return ask()
    except errors.LockstepError as error:
        return refused(error)


def refused(error: errors.LockstepError) -> Unread:
    """Why something could not be gathered."""
    return Unread(
        why=str(error),
        denied=isinstance(error, errors.RefusedError),
        impossible=isinstance(error, errors.UnsupportedError) and not isinstance(error, errors.NotServedError),
    )
