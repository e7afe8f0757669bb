"""Sets of deployed objects, as KEP-3659 specifies them."""

from __future__ import annotations

import base64
import hashlib

from lockstep.manifests import applyset
from lockstep.values import ObjectKey

PAY = applyset.ApplySet(application="pay", namespace="bank")


def _key(kind: str, group: str = "", namespace: str = "bank") -> ObjectKey:
    return ObjectKey(group=group, kind=kind, namespace=namespace, name="x")


def test_an_id_is_made_of_its_parent() -> None:
    """The hash of name, namespace, kind and group in RFC 4648's alphabet for URLs, and it fits into a label."""
    digest = hashlib.sha256(b"lockstep.pay.bank.ConfigMap.").digest()
    assert PAY.id == f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"
    assert len(PAY.id) == 55


def test_a_parent_says_what_its_members_are() -> None:
    """Kinds and further namespaces sorted, the tool that manages it, and the commit that was deployed."""
    members = [
        _key("Service"),
        _key("Deployment", "apps"),
        _key("Service", namespace="dmz"),
        _key("Namespace", namespace=""),
    ]
    parent = PAY.parent(members, revision="1" * 40)
    assert ObjectKey.of(parent) == PAY.parent_key
    assert parent["metadata"]["labels"] == {"applyset.kubernetes.io/id": PAY.id}
    annotations = parent["metadata"]["annotations"]
    assert annotations["applyset.kubernetes.io/contains-group-kinds"] == "Deployment.apps,Namespace,Service"
    assert annotations["applyset.kubernetes.io/additional-namespaces"] == "dmz"
    assert annotations["applyset.kubernetes.io/tooling"].startswith("lockstep/v")
    assert applyset.is_parent(parent)
    assert applyset.namespaces_of(parent) == {"dmz"}
    assert applyset.revision_of(parent) == "1" * 40
    assert applyset.managed_by_another(parent) == ""


def test_a_set_in_one_namespace_names_no_other() -> None:
    """The annotation is left out rather than empty, which the specification reserves."""
    parent = PAY.parent([_key("Service")], revision="")
    assert applyset.NAMESPACES not in parent["metadata"]["annotations"]
    assert applyset.namespaces_of(parent) == frozenset()


def test_a_parent_of_another_tool_is_recognised() -> None:
    """Nobody else may change it; one that nobody claims is not ours either."""
    theirs = {"metadata": {"annotations": {applyset.TOOLING: "kubectl/v1.36"}}}
    assert applyset.managed_by_another(theirs) == "kubectl/v1.36"
    assert applyset.managed_by_another({"metadata": {}}) == "nobody"


def test_a_member_carries_the_id_beside_its_own_labels() -> None:
    """And the manifest that was given stays as it was."""
    manifest = {"metadata": {"name": "x", "labels": {"a": "b"}}}
    stamped = PAY.stamped(manifest)
    assert stamped["metadata"]["labels"] == {"a": "b", applyset.PART_OF: PAY.id}
    assert applyset.member_of(stamped) == PAY.id
    assert applyset.member_of(manifest) == ""
    assert manifest["metadata"]["labels"] == {"a": "b"}
    assert applyset.member_of(PAY.stamped({"metadata": {"name": "x"}})) == PAY.id


def test_a_parent_remembers_what_the_names_of_images_meant() -> None:
    """In lines that a person can read; what somebody wrote into it that is no digest is left out."""
    digest = f"sha256:{'a' * 64}"
    parent = PAY.parent([], revision="1" * 40, images={"pay/web:latest": digest, "pay/api:1.0": digest})
    assert parent["data"]["images"] == f"pay/api:1.0 {digest}\npay/web:latest {digest}\n"
    assert applyset.images_of(parent) == {"pay/api:1.0": digest, "pay/web:latest": digest}
    parent["data"]["images"] += "pay/evil:1 latest\nnonsense\n"
    assert set(applyset.images_of(parent)) == {"pay/api:1.0", "pay/web:latest"}
    assert applyset.images_of({}) == applyset.images_of({"data": {"images": 7}}) == {}
