"""In which order objects are applied."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.values import Json, ObjectKey
from pipelines.deploy import order


def _object(api_version: str, kind: str) -> dict[str, Json]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}}


def _wave(manifest: dict[str, Json], wave: str, name: str = order.WAVES[0]) -> dict[str, Json]:
    return {**manifest, "metadata": {**manifest["metadata"], "annotations": {name: wave}}}


def _kinds(objects: list[dict[str, Json]]) -> list[list[str]]:
    return [[manifest["kind"] for manifest in stage] for stage in order.stages(objects)]


ADMISSION = _object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration")
KINDS = [
    _object("v1", "Namespace"),
    _object("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    _object("networking.k8s.io/v1", "NetworkPolicy"),
    _object("v1", "ServiceAccount"),
    _object("v1", "Secret"),
    _object("v1", "ConfigMap"),
    _object("scheduling.k8s.io/v1", "PriorityClass"),
    _object("v1", "PersistentVolumeClaim"),
    _object("rbac.authorization.k8s.io/v1", "ClusterRole"),
    _object("rbac.authorization.k8s.io/v1", "RoleBinding"),
    _object("v1", "Service"),
    _object("apps/v1", "DaemonSet"),
    _object("apps/v1", "Deployment"),
    _object("autoscaling/v2", "HorizontalPodAutoscaler"),
    _object("apps/v1", "StatefulSet"),
    _object("batch/v1", "Job"),
    _object("networking.k8s.io/v1", "Ingress"),
    _object("apiregistration.k8s.io/v1", "APIService"),
    _object("serving.knative.dev/v1", "Service"),
    ADMISSION,
]


def test_kinds_come_in_the_order_of_argo_cd() -> None:
    """Namespaces and definitions first, kinds that nobody knows after those that are known, admission last."""
    wanted = [[manifest["kind"]] for manifest in KINDS]
    assert _kinds(KINDS) == wanted
    assert _kinds(KINDS[::-1]) == wanted


def test_a_wave_comes_before_the_kind() -> None:
    """A lower wave first, whatever its kinds; none is wave 0."""
    late, early = _wave(_object("v1", "ConfigMap"), "1"), _wave(_object("batch/v1", "Job"), "-1")
    assert _kinds([late, _object("apps/v1", "Deployment"), early]) == [["Job"], ["Deployment"], ["ConfigMap"]]


def test_the_wave_of_argo_cd_is_understood_and_ours_goes_before_it() -> None:
    """Manifests that were made for it keep their order."""
    theirs = _wave(_object("v1", "Secret"), "5", order.WAVES[1])
    assert order.stage(theirs)[1] == 5
    both = {**theirs, "metadata": {"name": "x", "annotations": {order.WAVES[0]: "-3", order.WAVES[1]: "5"}}}
    assert order.stage(both)[1] == -3


def test_namespaces_and_definitions_come_first_whatever_their_wave() -> None:
    """Nothing can be in a namespace that is not there."""
    late = [_wave(manifest, "9") for manifest in KINDS[:2]]
    assert _kinds([_wave(_object("v1", "Secret"), "-9"), *late])[:2] == [["Namespace"], ["CustomResourceDefinition"]]


def test_admission_comes_after_all_waves_unless_it_has_one() -> None:
    """With a wave it is last of that wave."""
    late = _wave(_object("acme.dev/v1", "Widget"), "3")
    assert _kinds([ADMISSION, late])[-1] == ["ValidatingWebhookConfiguration"]
    assert _kinds([_wave(ADMISSION, "2"), late, _wave(_object("v1", "Secret"), "2")]) == [
        ["Secret"],
        ["ValidatingWebhookConfiguration"],
        ["Widget"],
    ]


@pytest.mark.parametrize("text", ["", "first", "1.5", "1e3"])
def test_a_wave_that_is_no_whole_number_is_said(text: str) -> None:
    """With the object and the annotation."""
    with pytest.raises(errors.InputError, match=r"Secret x: the annotation lockstep\.dev/wave is"):
        order.stages([_wave(_object("v1", "Secret"), text)])


_OBJECTS = st.builds(
    lambda kind, name, namespace, wave: _wave(
        {**kind, "metadata": {"name": name, **({"namespace": namespace} if kind["kind"] != "Namespace" else {})}},
        str(wave),
    ),
    st.sampled_from(KINDS),
    st.sampled_from(["a", "b", "pay"]),
    st.sampled_from(["pay", "a"]),
    st.integers(-2, 2),
)


@given(st.lists(_OBJECTS, max_size=12, unique_by=ObjectKey.of), st.randoms())
def test_the_order_is_total_and_puts_namespaces_before_what_is_in_them(
    objects: list[dict[str, Json]], random: Random
) -> None:
    """However the objects are given: the same stages, no two objects in one place, a namespace before its objects."""
    shuffled = list(objects)
    random.shuffle(shuffled)
    assert order.stages(shuffled) == order.stages(objects)
    positions = [order.position(manifest) for manifest in objects]
    assert len(set(positions)) == len(positions)
    made: set[str] = set()
    names = {manifest["metadata"]["name"] for manifest in objects if manifest["kind"] == "Namespace"}
    for stage in order.stages(objects):
        for manifest in stage:
            assert manifest["metadata"].get("namespace") not in names - made
        made |= {manifest["metadata"]["name"] for manifest in stage if manifest["kind"] == "Namespace"}
