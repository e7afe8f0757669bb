"""Kubernetes API servers: the door to real clusters.

It receives a site's kubeconfig; it hands on an end that reads, watches and applies objects as plain values, and
errors that say which kind, namespace, field or right they are about. It speaks to the server directly, in bytes:
no client models stand between. It never decides whether something should be written, and never takes what it
could not read for equal, or for gone.
"""

from lockstep.sites.cluster.end import KubernetesCluster
from lockstep.sites.cluster.limits import Limits
from lockstep.sites.cluster.opening import open_cluster

__all__ = ["KubernetesCluster", "Limits", "open_cluster"]
