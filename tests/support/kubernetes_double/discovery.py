"""What the server says that it serves, in the old way and in the aggregated one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

from tests.support.kubernetes_double.catalogue import GroupVersion, Resource
from tests.support.kubernetes_double.requests import Answer, Request, answer
from tests.support.kubernetes_double.types import Object

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


def answered(request: Request, groups: list[GroupVersion], address: str, *, aggregated: Sequence[str]) -> Answer | None:
    """The answer to a question about what is served; None when it is none.

    ``aggregated`` are the versions of aggregated discovery that are spoken.
    """
    path = request.path.rstrip("/")
    if path in {"/api", "/apis"}:
        mine = [one for one in groups if bool(one.group) == (path == "/apis")]
        return _aggregated(request, mine, aggregated) or (_versions(address) if path == "/api" else _group_list(mine))
    parts = path.split("/")[1:]
    if parts[:1] == ["api"] and len(parts) == 2:
        return _resource_list(groups, "", parts[1])
    if parts[:1] == ["apis"] and len(parts) == 2:
        found = [one for one in groups if one.group == parts[1]]
        return answer({"kind": "APIGroup", "apiVersion": "v1"} | _group(found)) if found else None
    return _resource_list(groups, parts[1], parts[2]) if parts[:1] == ["apis"] and len(parts) == 3 else None


def _versions(address: str) -> Answer:
    where = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return answer({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": where})


def _by_group(groups: Iterable[GroupVersion]) -> list[list[GroupVersion]]:
    found: dict[str, list[GroupVersion]] = {}
    for one in groups:
        found.setdefault(one.group, []).append(one)
    return list(found.values())


def _group(versions: list[GroupVersion]) -> Object:
    shown = [{"groupVersion": f"{one.group}/{one.version}", "version": one.version} for one in versions]
    return {"name": versions[0].group, "versions": shown, "preferredVersion": shown[0]}


def _group_list(groups: list[GroupVersion]) -> Answer:
    found = [_group(versions) for versions in _by_group(groups)]
    return answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": found})


def _resource_list(groups: list[GroupVersion], group: str, version: str) -> Answer | None:
    found = next((one for one in groups if (one.group, one.version) == (group, version)), None)
    if found is None:
        return None
    entries = [entry for one in found.resources for entry in _entries(one)]
    name = f"{group}/{version}" if group else version
    head = {"kind": "APIResourceList"} | ({"apiVersion": "v1"} if group else {})
    return answer(head | {"groupVersion": name, "resources": entries})


def _entries(resource: Resource) -> Iterable[Object]:
    entry: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    more = {
        "shortNames": list(resource.short_names),
        "categories": list(resource.categories),
        "storageVersionHash": resource.hash,
    }
    yield entry | {name: one for name, one in more.items() if one}
    for name, facts in resource.subresources.items():
        yield {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            **facts,
        }


def _aggregated(request: Request, groups: list[GroupVersion], spoken: Sequence[str]) -> Answer | None:
    """The whole of it at once, where the caller understands that."""
    accepted = request.headers.get("accept", "").replace(" ", "")
    wanted = next((v for v in spoken if _AGGREGATED.format(version=v) in accepted), None)
    if wanted is None:
        return None
    items = [_discovered(versions) for versions in _by_group(groups)]
    body = {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{wanted}",
        "metadata": {},
        "items": items,
    }
    tag = hashlib.sha512(json.dumps(body, sort_keys=True).encode()).hexdigest().upper()
    headers = {"Content-Type": _AGGREGATED.format(version=wanted), "ETag": f'"{tag}"', "Vary": "Accept"}
    if request.headers.get("if-none-match") == f'"{tag}"':
        return Answer(status=304, headers=headers)
    return answer(body, headers=headers)


def _discovered(versions: list[GroupVersion]) -> Object:
    metadata = {"name": versions[0].group} if versions[0].group else {}
    shown = [
        {"version": one.version, "resources": [_discovered_resource(r) for r in one.resources], "freshness": "Current"}
        for one in versions
    ]
    return {"metadata": metadata, "versions": shown}


def _discovered_resource(resource: Resource) -> Object:
    entry: Object = {
        "resource": resource.plural,
        "responseKind": _kind(resource, {"kind": resource.kind}),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [
            {"subresource": name, "responseKind": _kind(resource, facts), "verbs": list(facts["verbs"])}
            for name, facts in resource.subresources.items()
        ]
    return entry


def _kind(resource: Resource, facts: Object) -> Object:
    """Built-in kinds are named without their group, custom ones with it."""
    own = {"group": resource.group, "version": resource.version} if resource.custom else {"group": "", "version": ""}
    return own | {key: facts[key] for key in ("group", "version") if key in facts} | {"kind": facts["kind"]}
