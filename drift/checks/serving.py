"""Which host names an application serves by TLS, and which Secret has the certificate of each. Pure.

Read are an Ingress (networking.k8s.io), a Gateway (gateway.networking.k8s.io) and a Route (route.openshift.io, whose
certificate stands in itself).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drift.checks.facts import Objects
from drift.normalise import reading
from lockstep.values import Json, ObjectKey

INGRESS, GATEWAY, ROUTE = (
    ("networking.k8s.io", "Ingress"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("route.openshift.io", "Route"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A host that an object serves; its certificate is in a Secret of a name space, or stands as ``text``."""

    key: ObjectKey
    host: str
    namespace: str = ""
    secret: str = ""
    text: str = ""


def served(objects: Objects) -> Iterator[Served]:
    """Every host that some objects serve with a certificate that they name, sorted by object."""
    for key in sorted(objects):
        kind = (key.group, key.kind)
        if kind == INGRESS:
            yield from _by_ingress(key, objects[key])
        elif kind == GATEWAY:
            yield from _by_gateway(key, objects[key])
        elif kind == ROUTE:
            text = reading.text(objects[key], "spec", "tls", "certificate")
            host = reading.text(objects[key], "spec", "host")
            if text and host:
                yield Served(key=key, host=host, text=text)


def _by_ingress(key: ObjectKey, manifest: dict[str, Json]) -> Iterator[Served]:
    for tls in reading.entries(manifest, "spec", "tls"):
        secret, hosts = reading.text(tls, "secretName"), tls.get("hosts")
        for host in hosts if isinstance(hosts, list) else ():
            if secret and isinstance(host, str) and host:
                yield Served(key=key, host=host, namespace=key.namespace, secret=secret)


def _by_gateway(key: ObjectKey, manifest: dict[str, Json]) -> Iterator[Served]:
    for listener in reading.entries(manifest, "spec", "listeners"):
        host = reading.text(listener, "hostname")
        for reference in reading.entries(listener, "tls", "certificateRefs") if host else ():
            name = reading.text(reference, "name")
            if name and reference.get("kind", "Secret") == "Secret":
                namespace = reading.text(reference, "namespace") or key.namespace
                yield Served(key=key, host=host, namespace=namespace, secret=name)
