"""Which registries the pull secrets of a site are for. Nothing else of them is ever looked at."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from drift import redact
from drift.normalise import reading
from lockstep.values import Json

# The two forms of a pull secret, with the key that each keeps (documentation of Kubernetes, "Types of Secret").
_FORMS = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}
_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PullSecret:
    """A pull secret, and the hosts of the registries that it is for."""

    namespace: str
    name: str
    hosts: tuple[str, ...]


def of_manifests(manifests: Iterable[dict[str, Json]]) -> Iterator[PullSecret]:
    """The pull secrets among some objects that are not sealed yet. One that cannot be read is for no registry."""
    for manifest in manifests:
        key = _FORMS.get(reading.text(manifest, "type")) if redact.is_secret(manifest) else None
        if key is not None:
            namespace, name = (reading.text(manifest, "metadata", part) for part in ("namespace", "name"))
            hosts = _hosts(reading.text(manifest, "data", key), whole=key == ".dockercfg")
            yield PullSecret(namespace=namespace, name=name, hosts=hosts)


def _hosts(value: str, *, whole: bool) -> tuple[str, ...]:
    try:
        found = orjson.loads(base64.b64decode(value))
    except (binascii.Error, ValueError):
        return ()
    registries = found if whole else reading.mapping(found, "auths")
    names = list(registries)[:_MOST] if isinstance(registries, dict) else []
    return tuple(sorted({_host(name) for name in names}))


def _host(name: str) -> str:
    """The host and port of a registry, which may be written as a URL, or with a path."""
    try:
        return urlsplit(name if "://" in name else f"//{name}").netloc.lower()
    except ValueError:
        return ""
