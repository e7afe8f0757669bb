"""Which kinds live in a namespace, and where each object goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.manifests import scope
from lockstep.values import Json


def _object(api_version: str, kind: str, **metadata: str) -> dict[str, Json]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", **metadata}}


def _definition(kind: str, reach: str) -> dict[str, Json]:
    definition = _object("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    return {**definition, "spec": {"group": "acme.dev", "scope": reach, "names": {"kind": kind, "plural": "x"}}}


@pytest.mark.parametrize(
    ("manifest", "namespace"),
    [
        (_object("v1", "ConfigMap"), "pay"),
        (_object("v1", "ConfigMap", namespace="other"), "other"),
        (_object("v1", "ConfigMap", namespace=""), "pay"),
        (_object("v1", "Namespace", namespace="other"), None),
        (_object("rbac.authorization.k8s.io/v1", "ClusterRole"), None),
        (_object("rbac.authorization.k8s.io/v1", "Role"), "pay"),
        (_object("acme.dev/v1", "ClusterRole"), "pay"),
        (_object("acme.dev/v1", "Unknown"), "pay"),
    ],
)
def test_an_object_is_put_where_its_kind_belongs(manifest: dict[str, Json], namespace: str | None) -> None:
    """Without a namespace it gets the application's; a kind without one loses it; an unknown kind has one (N01)."""
    (placed,) = scope.place([manifest], namespace="pay")
    assert placed["metadata"].get("namespace") == namespace


def test_a_definition_in_the_rendering_decides_about_its_kind() -> None:
    """Wherever it stands among the objects, and whatever else is said."""
    objects = [_object("acme.dev/v1", "Wide"), _object("acme.dev/v1", "Narrow"), _definition("Wide", "Cluster")]
    wide, narrow, _ = scope.place(objects, namespace="pay")
    assert "namespace" not in wide["metadata"]
    assert narrow["metadata"]["namespace"] == "pay"
    (said,) = scope.place([_object("acme.dev/v1", "Narrow")], namespace="pay", also=frozenset({("acme.dev", "Narrow")}))
    assert "namespace" not in said["metadata"]


@pytest.mark.parametrize("spec", [None, [], {}, {"names": []}, {"names": {"kind": 3}}])
def test_a_definition_that_is_none_decides_nothing(spec: Json) -> None:
    """The API server will say what is wrong with it."""
    broken = {**_object("apiextensions.k8s.io/v1", "CustomResourceDefinition"), "spec": spec}
    assert scope.cluster_scoped([broken]) == scope.CLUSTER_SCOPED


_OBJECTS = st.builds(
    _object,
    st.sampled_from(["v1", "apps/v1", "acme.dev/v1", "rbac.authorization.k8s.io/v1"]),
    st.sampled_from(["Namespace", "Deployment", "ClusterRole", "Widget"]),
    namespace=st.sampled_from(["", "pay", "other"]),
)


@given(st.lists(_OBJECTS, max_size=8))
def test_placing_twice_is_placing_once(objects: list[dict[str, Json]]) -> None:
    """What is in its place stays there, and what was given is not changed."""
    before = [dict(manifest["metadata"]) for manifest in objects]
    once = scope.place(objects, namespace="pay")
    assert scope.place(once, namespace="elsewhere") == once
    assert [manifest["metadata"] for manifest in objects] == before
