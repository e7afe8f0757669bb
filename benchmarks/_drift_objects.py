"""Objects for the benchmarks of drift: as git has them, and as they live at a site, with what a server adds.

Each kind is about as large as it is in clusters of Online Boutique that were recorded.
"""

from __future__ import annotations

from lockstep.values import Json

SITES = ("seoul", "sejong")
KINDS = ("Deployment", "ConfigMap", "Service", "Secret")
CHANGED_EVERY = 1_000
"""At the second site every so many objects one is another."""


def manifest(number: int, site: str = "", *, namespace: str = "", lives: bool = True) -> dict[str, Json]:
    """An object: as git has it, or as a site has it; ``lives``: with what a server adds."""
    kind = KINDS[number % len(KINDS)]
    changed = site == SITES[1] and number % CHANGED_EVERY == 0
    made: dict[str, Json] = {
        "Deployment": _deployment,
        "ConfigMap": _config,
        "Service": _service,
        "Secret": _secret,
    }[kind](number, changed)
    made["metadata"] = {
        "name": f"{kind.lower()}-{number}",
        "namespace": namespace or f"team-{number % 20}",
        "labels": {"app": "web"},
    }
    if site and lives:
        made["metadata"] |= {
            "uid": f"{site}-{number:032}",
            "resourceVersion": str(number),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "managedFields": [{"manager": "lockstep", "fieldsV1": {f"f:{name}": {"f:a": {}} for name in "abcdefghij"}}],
        }
        if kind == "Deployment":
            ready = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 3)
            conditions = [{"type": one, "status": "True", "message": "x" * 80} for one in ("Available", "Progressing")]
            made["status"] = {**ready, "conditions": conditions}
    return made


def _deployment(number: int, changed: bool) -> dict[str, Json]:
    def container(name: str) -> dict[str, Json]:
        return {
            "name": name,
            "image": f"registry.example/{name}:{2 if changed else 1}.{number}",
            "env": [{"name": f"NAME_{one}", "value": f"value {one} of {number}"} for one in range(12)],
            "ports": [{"containerPort": 8080 if name == "web" else 9090, "name": name}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "readinessProbe": {"httpGet": {"path": "/healthz", "port": name}},
        }

    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container("web"), container("side")]}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}


def _config(number: int, changed: bool) -> dict[str, Json]:
    lines = "\n".join(f"key{one}: value {one} of {number}" for one in range(40))
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": {"app.yaml": lines, "MODE": "b" if changed else "a"}}


def _service(number: int, changed: bool) -> dict[str, Json]:
    ports = [{"name": f"p{one}", "port": 8000 + one + (number % 7) + (100 if changed else 0)} for one in range(3)]
    return {"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"app": "web"}, "ports": ports}}


def _secret(_number: int, changed: bool) -> dict[str, Json]:
    return {"apiVersion": "v1", "kind": "Secret", "data": {f"key{one}": "c2VjcmV0" for one in range(5 + changed)}}
