"""From the configuration to a Kubernetes API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lockstep import clock
from lockstep.sites.cluster.access import InCluster, Kubeconfig, Source
from lockstep.sites.cluster.api import Api
from lockstep.sites.cluster.end import KubernetesCluster
from lockstep.sites.cluster.limits import Limits
from lockstep.topology import kinds, secrets


def open_cluster(
    end: kinds.ClusterEnd,
    *,
    reader: secrets.Reader,
    path: Callable[[str], Path],
    limits: Limits | None = None,
) -> KubernetesCluster:
    """The API server that a site names: by kubeconfig, or the one that Lockstep runs in. Nobody is asked yet.

    Args:
        end: How it is configured.
        reader: Reads the kubeconfig, again whenever its credentials have ended.
        path: Makes a path of the configuration one of this machine.
        limits: Its bounds, where they are others than the configuration's.
    """
    reference = end.kubeconfig
    if reference is None:
        source: Source = InCluster(environ=reader.environ)
        address = "in-cluster"
    else:
        base = path(reference.file).absolute().parent if reference.file is not None else None
        title = secrets.title(reference)
        source = Kubeconfig(
            read=lambda: reader.data(reference),
            title=title[:1].upper() + title[1:],
            base=base,
            context=end.context or "",
            environ=reader.environ,
        )
        address = end.context or title
    return KubernetesCluster(Api(source, limits or Limits.of(end.limits), clock=clock.SystemClock()), address=address)
