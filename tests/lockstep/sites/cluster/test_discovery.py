"""What a server serves, as old and new servers tell it."""

from __future__ import annotations

from lockstep.sites.cluster import discovery
from lockstep.values import Json
from tests.lockstep.sites.cluster import calling
from tests.support import scripted
from tests.support.scripted import Asked, Reply, said

_VERBS = ["get", "list", "watch"]


def _resources(version: str, *resources: tuple[str, str]) -> Reply:
    listed = [{"name": name, "kind": kind, "namespaced": True, "verbs": _VERBS} for name, kind in resources]
    return said({"kind": "APIResourceList", "groupVersion": version, "resources": listed})


def _old(asked: Asked) -> Reply:
    """A server without aggregated discovery, one of whose groups is served by nobody."""
    if asked.path == "/api":
        return said({"kind": "APIVersions", "versions": ["v1"]})
    if asked.path == "/apis":
        versions = [{"groupVersion": f"apps/{one}", "version": one} for one in ("v1beta1", "v1")]
        groups: list[Json] = [
            {"name": "apps", "versions": versions, "preferredVersion": versions[1]},
            {"name": "metrics.k8s.io", "versions": [{"version": "v1"}]},
        ]
        return said({"kind": "APIGroupList", "groups": groups})
    if asked.path == "/api/v1":
        return _resources("v1", ("configmaps", "ConfigMap"), ("pods", "Pod"), ("pods/log", "Pod"))
    if asked.path.startswith("/apis/apps/"):
        return _resources("apps", ("deployments", "Deployment"), ("deployments/scale", "Scale"))
    return said(calling.status(503, "no endpoints"), 503)


def test_an_old_server_is_asked_group_by_group_and_its_favourite_version_counts() -> None:
    """A part of another resource, such as a log, is no kind."""
    with scripted.serving(_old) as server:
        served = discovery.discover(calling.api(server, tries=1))
    assert [(one.api_version, one.plural) for one in served.kinds(frozenset())] == [
        ("v1", "configmaps"),
        ("v1", "pods"),
        ("apps/v1", "deployments"),
    ]
    assert served.find("apps/v1beta1", "Deployment") is not None


def test_a_group_that_nobody_answers_for_is_a_gap() -> None:
    """It may hold anything."""
    with scripted.serving(_old) as server:
        served = discovery.discover(calling.api(server, tries=1))
    (gap,) = served.gaps
    assert gap.group == "metrics.k8s.io"
    assert "no endpoints" in gap.why


def _new(asked: Asked) -> Reply:
    if asked.path == "/api":
        return said({"kind": "APIGroupDiscoveryList", "items": []})
    kinds = [
        {"resource": "widgets", "scope": "Namespaced", "responseKind": {"kind": "Widget"}, "verbs": _VERBS},
        {"resource": "zones", "scope": "Cluster", "responseKind": {"kind": "Zone"}, "verbs": _VERBS},
        {"resource": "broken"},
        "nonsense",
    ]
    versions = [{"version": "v1", "resources": kinds, "freshness": "Stale"}, None]
    return said({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": "shop"}, "versions": versions}, 7]})


def test_a_new_server_tells_everything_in_two_answers() -> None:
    """What is stale is used, and said; what is no resource is passed over."""
    with scripted.serving(_new) as server:
        served = discovery.discover(calling.api(server))
        assert len(server.asked) == 2
        assert "apidiscovery.k8s.io" in server.asked[0].headers["accept"]
    assert [(one.kind, one.namespaced) for one in served.resources] == [("Widget", True), ("Zone", False)]
    assert [gap.group for gap in served.gaps] == ["shop"]
