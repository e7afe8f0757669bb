"""Secrets of the cluster that Lockstep itself runs in, read with the service account of its Pod."""

from __future__ import annotations

import base64
import binascii
import threading
from pathlib import Path

from lockstep import clock, errors
from lockstep.sites.cluster import reading
from lockstep.sites.cluster.access import Source
from lockstep.sites.cluster.api import Api
from lockstep.sites.cluster.discovery import Resource
from lockstep.sites.cluster.limits import Limits
from lockstep.topology import kinds

# Where the kubelet writes down the namespace of a Pod (documentation of Kubernetes, "Accessing the API from a Pod").
_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_SECRETS = Resource(group="", version="v1", kind="Secret", plural="secrets", namespaced=True, verbs=frozenset({"get"}))


class OwnSecrets:
    """Reads keys of Secrets. Safe to share between threads; nobody is asked before the first one is read.

    Args:
        source: How the cluster is reached.
        namespace: The file that names our own namespace.
    """

    def __init__(self, source: Source, *, namespace: Path = _NAMESPACE) -> None:
        self._source = source
        self._namespace = namespace
        self._lock = threading.Lock()
        self._api: Api | None = None

    def __call__(self, ref: kinds.KubernetesSecretRef) -> bytes:
        """The bytes of one key.

        Raises:
            NotFoundError: There is no such Secret or key.
            LockstepError: It cannot be read.
        """
        namespace = ref.namespace or self._own_namespace()
        secret = reading.get(self._opened(), _SECRETS, namespace, ref.name)
        data = (secret or {}).get("data") or {}
        if not isinstance(data, dict) or ref.key not in data:
            what = f"Secret {ref.name}" if secret is None else f"key {ref.key} in the Secret {ref.name}"
            raise errors.NotFoundError(
                f"There is no {what} in {namespace}.", remedy="Create it, or correct the reference."
            )
        try:
            return base64.b64decode(data[ref.key], validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise errors.InputError(
                f"The key {ref.key} of the Secret {ref.name} is no base64.", remedy="Create the Secret again."
            ) from None

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._api is not None:
                self._api.close()

    def _opened(self) -> Api:
        with self._lock:
            if self._api is None:
                self._api = Api(self._source, Limits(), clock=clock.SystemClock())
            return self._api

    def _own_namespace(self) -> str:
        try:
            return self._namespace.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise errors.UnsupportedError(
                "Nobody says in which namespace Lockstep runs.", remedy="Name the namespace of the Secret."
            ) from error
