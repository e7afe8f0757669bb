"""A market of many small services, as people write one for Kubernetes: a kustomization with a file for each service.

Every service has a Deployment, a Service and an account; one is public, one keeps its data in memory, one only asks
the others. Much is left to the server's defaults, and some is written in another way than servers keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from lockstep.values import Json

_REGISTRY = "registry.example/market"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One of them; ``grpc`` says how it is asked whether it lives."""

    name: str
    port: int
    grpc: bool = True
    asks: tuple[str, ...] = ()
    resources: Mapping[str, Json] = field(default_factory=dict)
    spec: Mapping[str, Json] = field(default_factory=dict)


_SMALL = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "0.2", "memory": "128Mi"}}
_LARGE = {"requests": {"cpu": "0.2", "memory": "1024Mi"}, "limits": {"cpu": 1, "memory": "1Gi"}}
_SERVICES = (
    Service(
        name="front",
        port=8080,
        grpc=False,
        asks=("stock", "basket", "till", "rates", "offers"),
        resources=_SMALL,
        spec={"replicas": 3},
    ),
    Service(name="stock", port=3550, resources=_SMALL),
    Service(name="basket", port=7070, asks=("memory",), resources=_SMALL),
    Service(name="till", port=5050, asks=("basket", "stock", "rates", "post", "parcels"), resources=_SMALL),
    Service(name="rates", port=7000, resources=_SMALL),
    Service(name="offers", port=9555, resources=_LARGE),
    Service(name="post", port=5000, resources=_SMALL),
    Service(name="parcels", port=50051, resources=_SMALL),
    Service(name="advice", port=8081, asks=("stock",), resources=_LARGE),
)
_ALONE = {"runAsNonRoot": True, "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000}
_BARE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True}


def files(namespace: str, *, without: str = "", broken: str = "") -> dict[str, str]:
    """The files of the market.

    Args:
        namespace: The namespace that it brings along.
        without: A service that is left out.
        broken: A service whose image is of a version that never runs.
    """
    named = {f"{one.name}.yaml": _objects(one) for one in _SERVICES if one.name != without}
    home: dict[str, Json] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    found = {**named, "memory.yaml": _memory(), "visitors.yaml": _visitors(), "home.yaml": [home]}
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": f"{_REGISTRY}/broken:2"}]
    patches = [{"target": {"kind": "Deployment", "name": broken}, "patch": yaml.safe_dump(patch)}] if broken else []
    whole = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(found),
        "patches": patches,
    }
    texts = {name: yaml.safe_dump_all(objects, sort_keys=False) for name, objects in found.items()}
    return {**texts, "kustomization.yaml": yaml.safe_dump(whole)}


def _objects(service: Service) -> list[dict[str, Json]]:
    container: dict[str, Json] = {
        "name": "server",
        "image": f"{_REGISTRY}/{service.name}:v1.4",
        "securityContext": _BARE,
        "ports": [{"containerPort": service.port}],
        "env": [{"name": "PORT", "value": str(service.port)}, *(_where(name) for name in service.asks)],
        "resources": service.resources,
        **{name: _probe(service) for name in ("readinessProbe", "livenessProbe")},
    }
    pod: dict[str, Json] = {
        "serviceAccountName": service.name,
        "terminationGracePeriodSeconds": 5,
        "securityContext": _ALONE,
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": service.name}}
    pod["containers"] = [container]
    made = [_deployment(service.name, pod, **service.spec), _service(service.name, service.port), account]
    if service.name == "front":
        made.append(_service("front", service.port, name="front-public", kind="LoadBalancer"))
    return made


def _where(name: str) -> dict[str, Json]:
    return {"name": f"{name.upper()}_ADDR", "value": f"{name}:80"}


def _probe(service: Service) -> dict[str, Json]:
    if service.grpc:
        return {"grpc": {"port": service.port}, "periodSeconds": 5}
    header = {"name": "Cookie", "value": "session=probe"}
    return {"httpGet": {"path": "/health", "port": service.port, "httpHeaders": [header]}, "initialDelaySeconds": 10}


def _memory() -> list[dict[str, Json]]:
    container = {
        "name": "memory",
        "image": "memory:alpine",
        "ports": [{"containerPort": 6379}],
        "livenessProbe": {"tcpSocket": {"port": 6379}},
        "volumeMounts": [{"mountPath": "/data", "name": "data"}],
        "resources": {"limits": {"memory": "256Mi", "cpu": "125m"}, "requests": {"cpu": "70m", "memory": "200Mi"}},
    }
    pod = {"containers": [container], "volumes": [{"name": "data", "emptyDir": {}}]}
    return [_deployment("memory", pod), _service("memory", 6379)]


def _visitors() -> list[dict[str, Json]]:
    script = "for i in 1 2 3; do\n  wget -q http://front && exit 0\n  sleep 1\ndone\nexit 1\n"
    first = {"name": "wait", "image": "busybox", "command": ["/bin/sh", "-exc", script]}
    container = {"name": "visitors", "image": f"{_REGISTRY}/visitors", "env": [{"name": "USERS", "value": "10"}]}
    pod = {"initContainers": [first], "containers": [container], "restartPolicy": "Always"}
    return [_deployment("visitors", pod, replicas=1)]


def _deployment(name: str, pod: dict[str, Json], **spec: Json) -> dict[str, Json]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels, "annotations": {"market.example/probe": "true"}}, "spec": pod}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def _service(app: str, port: int, *, name: str = "", kind: str = "ClusterIP") -> dict[str, Json]:
    ports = [{"name": "main", "port": 80, "targetPort": port}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name or app, "labels": {"app": app}},
        "spec": {"type": kind, "selector": {"app": app}, "ports": ports},
    }
