"""A field that git sets is always compared, whatever the rules about noise say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift import compare, normalise
from drift.normalise import tracking
from lockstep.values import Json

# Noise by kind: a path that some rule drops, and the value that a cluster would put there.
NOISE: list[tuple[str, str, tuple[str, ...], Json, Json]] = [
    ("v1", "Service", ("spec", "clusterIP"), "10.0.0.1", "10.0.0.2"),
    ("v1", "Service", ("spec", "clusterIPs"), ["10.0.0.1"], ["10.0.0.2"]),
    ("v1", "Service", ("spec", "healthCheckNodePort"), 30001, 30002),
    ("v1", "Service", ("spec", "ipFamilies"), ["IPv4"], ["IPv6"]),
    ("v1", "Service", ("spec", "ports"), [{"port": 80, "nodePort": 30080}], [{"port": 80, "nodePort": 30999}]),
    ("v1", "PersistentVolumeClaim", ("spec", "volumeName"), "pv-a", "pv-b"),
    ("v1", "PersistentVolume", ("spec", "claimRef"), {"name": "a"}, {"name": "b"}),
    ("v1", "ServiceAccount", ("secrets",), [{"name": "x-token-aaaaa"}], [{"name": "x-token-bbbbb"}]),
    ("v1", "Namespace", ("spec", "finalizers"), ["kubernetes"], ["example.com/mine"]),
    ("v1", "Namespace", ("metadata", "labels", "kubernetes.io/metadata.name"), "x", "y"),
    ("v1", "Pod", ("spec", "nodeName"), "node-1", "node-2"),
    ("v1", "Pod", ("spec", "priority"), 1, 2),
    ("v1", "ConfigMap", ("metadata", "finalizers"), ["example.com/a"], ["example.com/b"]),
    ("v1", "ConfigMap", ("metadata", "ownerReferences"), [{"name": "a"}], [{"name": "b"}]),
    ("v1", "ConfigMap", ("metadata", "labels", "app.kubernetes.io/instance"), "a", "b"),
    (
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        ("rules",),
        [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
        [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}],
    ),
    ("apiregistration.k8s.io/v1", "APIService", ("spec", "caBundle"), "QQ==", "Qg=="),
    (
        "apps/v1",
        "Deployment",
        ("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"),
        "2026-11-22",
        "2026-11-23",
    ),
    ("batch/v1", "Job", ("spec", "template", "metadata", "labels", "controller-uid"), "a", "b"),
]


def _object(api_version: str, kind: str, path: tuple[str, ...], value: Json) -> dict[str, Json]:
    manifest: dict[str, Json] = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}}
    if kind == "ClusterRole":
        manifest["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    here = manifest
    for key in path[:-1]:
        here = here.setdefault(key, {})
    here[path[-1]] = value
    return manifest


def _pointers(sides: list[dict[str, Json]], git: list[dict[str, Json]]) -> Iterator[str]:
    forms = [normalise.normalise(side, declared=git) for side in sides]
    return (field.pointer for field in compare.fields(forms))


@pytest.mark.parametrize(("api_version", "kind", "path", "mine", "theirs"), NOISE)
def test_noise_is_dropped_until_git_sets_it(
    api_version: str, kind: str, path: tuple[str, ...], mine: Json, theirs: Json
) -> None:
    """Between two sites it is nothing; against git it is a field like any other."""
    sides = [_object(api_version, kind, path, value) for value in (mine, theirs)]
    assert list(_pointers(sides, [])) == []
    pointer = "".join(f"/{key.replace('/', '~1')}" for key in path)
    assert any(found.startswith(pointer) for found in _pointers(sides, [sides[0]]))


@given(
    st.sampled_from([prefix for prefix in tracking.NOISE if prefix.endswith("/")]),
    st.sampled_from(["labels", "annotations"]),
    st.from_regex(r"[a-z]{1,8}", fullmatch=True),
)
def test_a_mark_of_a_tool_that_git_sets_is_compared(prefix: str, part: str, name: str) -> None:
    """Sync waves and hooks of Argo CD are marks where a tool put them, and configuration where git did."""
    path = ("metadata", part, f"{prefix}{name}")
    sides = [_object("v1", "ConfigMap", path, value) for value in ("a", "b")]
    assert list(_pointers(sides, [])) == []
    assert list(_pointers(sides, [sides[0]])) == [f"/metadata/{part}/{prefix.replace('/', '~1')}{name}"]


@given(st.sampled_from(["uid", "resourceVersion", "generation", "managedFields", "creationTimestamp"]))
def test_what_only_the_server_can_set_is_never_compared(name: str) -> None:
    """An exported manifest in git carries these, and no apply can make them so: the one exception."""
    sides = [_object("v1", "ConfigMap", ("metadata", name), value) for value in ("a", "b")]
    assert list(_pointers(sides, [sides[0]])) == []
