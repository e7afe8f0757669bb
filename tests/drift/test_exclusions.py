"""What no comparison of sites is about."""

from __future__ import annotations

import pytest

from drift import exclusions, inventory
from lockstep.values import Json


def reason(api_version: str, kind: str, name: str, namespace: str = "shop", **more: Json) -> str:
    """Why an object is left out."""
    metadata = {"name": name, "namespace": namespace, **more.pop("metadata", {})}
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}
    key = inventory.key_of(manifest)
    assert key is not None
    return exclusions.reason(manifest, key, own_set="applyset-mine-v1")


@pytest.mark.parametrize(
    ("api_version", "kind", "name"),
    [
        ("v1", "Event", "web.1"),
        ("events.k8s.io/v1", "Event", "web.1"),
        ("metrics.k8s.io/v1beta1", "PodMetrics", "web"),
        ("v1", "Endpoints", "web"),
        ("discovery.k8s.io/v1", "EndpointSlice", "web-4zv2v"),
        ("coordination.k8s.io/v1", "Lease", "leader"),
        ("v1", "Node", "node-1"),
        ("certificates.k8s.io/v1", "CertificateSigningRequest", "csr-1"),
        ("cert-manager.io/v1", "CertificateRequest", "web-1"),
        ("cilium.io/v2", "CiliumEndpoint", "web"),
        ("wgpolicyk8s.io/v1alpha2", "PolicyReport", "web"),
        ("v1", "ConfigMap", "kube-root-ca.crt"),
        ("v1", "ConfigMap", "openshift-service-ca.crt"),
        ("v1", "Namespace", "kube-system"),
        ("scheduling.k8s.io/v1", "PriorityClass", "system-node-critical"),
    ],
)
def test_what_every_cluster_has_of_its_own_is_left_out(api_version: str, kind: str, name: str) -> None:
    """Kinds and objects of row 2.5."""
    assert reason(api_version, kind, name)


@pytest.mark.parametrize(
    ("api_version", "kind", "name"),
    [
        ("v1", "ConfigMap", "settings"),
        ("v1", "Secret", "db"),
        ("v1", "Service", "kubernetes"),
        ("v1", "ServiceAccount", "default"),
        ("v1", "Namespace", "shop"),
        ("apps/v1", "Deployment", "web"),
        ("example.com/v1", "Node", "mine"),
        ("scheduling.k8s.io/v1", "PriorityClass", "urgent"),
    ],
)
def test_what_belongs_to_an_application_is_compared(api_version: str, kind: str, name: str) -> None:
    """A name that looks like a cluster's own is not enough."""
    assert not reason(api_version, kind, name)


def test_secrets_that_are_made_are_left_out_and_others_are_not() -> None:
    """By type and by the shape of a name that a controller makes up."""
    token = "kubernetes.io/service-account-token"
    assert reason("v1", "Secret", "web-token-2k9fx", type=token)
    assert not reason("v1", "Secret", "web-token", type=token)
    assert not reason("v1", "Secret", "web-token-2k9fx", type="Opaque")
    assert reason("v1", "Secret", "sh.helm.release.v1.web.v3", type="helm.sh/release.v1")


def test_what_is_made_from_another_object_is_left_out() -> None:
    """Its owner is compared."""
    assert reason("v1", "Pod", "web-1", metadata={"ownerReferences": [{"uid": "a"}]})
    assert not reason("v1", "Pod", "web-1", metadata={"ownerReferences": []})


def test_a_member_of_another_set_is_another_application() -> None:
    """One of ours, or of nobody's, is compared; the record of a deploy is not."""
    label = "applyset.kubernetes.io/part-of"
    assert reason("v1", "ConfigMap", "a", metadata={"labels": {label: "applyset-theirs-v1"}})
    assert not reason("v1", "ConfigMap", "a", metadata={"labels": {label: "applyset-mine-v1"}})
    assert reason("v1", "ConfigMap", "lockstep.shop", metadata={"labels": {"applyset.kubernetes.io/id": "x"}})
