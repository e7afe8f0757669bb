"""The rights that Lockstep asks of a Kubernetes API, as RBAC objects to apply there. Pure.

They are made of the verbs that the door uses and the kinds that a server has of its own. Kinds are named one by
one, because ``resources: ["*"]`` would give their parts too: whoever may get ``pods/exec`` or ``nodes/proxy`` may
run programs. Groups of custom resources are added by those who have them.

``python -m lockstep.sites.cluster.rights reader`` writes ``deploy/kubernetes/reader.yaml``; ``deployer`` likewise.
"""

from __future__ import annotations

import sys

from lockstep import documents
from lockstep.sites.ends import MOMENTS
from lockstep.topology import objects
from lockstep.values import Json

READING = ("get", "list", "watch")
"""What reading, comparing and watching ask for."""
WRITING = ("create", "patch", "delete")
"""What a deploy asks for beside: an object that is applied for the first time is created by a patch."""

_NAMESPACE = "lockstep-system"
_RBAC = "rbac.authorization.k8s.io"
# Questions to a server that keeps nothing of them: there is nothing to read.
_UNREADABLE = frozenset({("", "Binding")})
# What a cluster says of itself: nobody deploys it.
_ITS_OWN = frozenset(
    {
        ("", "Endpoints"),
        ("", "Node"),
        ("apps", "ControllerRevision"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
        ("discovery.k8s.io", "EndpointSlice"),
        ("networking.k8s.io", "IPAddress"),
        ("resource.k8s.io", "ResourceSlice"),
        ("storage.k8s.io", "CSINode"),
        ("storage.k8s.io", "CSIStorageCapacity"),
        ("storage.k8s.io", "VolumeAttachment"),
    }
)


def readable() -> dict[str, tuple[str, ...]]:
    """The resources that are read, by group, in the plural."""
    return _resources(MOMENTS | _UNREADABLE)


def deployable() -> dict[str, tuple[str, ...]]:
    """The resources that may be deployed, by group, in the plural."""
    return _resources(MOMENTS | _UNREADABLE | _ITS_OWN)


def reader() -> list[dict[str, Json]]:
    """A service account that may read and watch, and nothing else."""
    return _account("lockstep-reader", _rules(readable(), READING))


def deployer() -> list[dict[str, Json]]:
    """A service account that may read, watch, apply and delete."""
    return _account("lockstep-deployer", [*_rules(readable(), READING), *_rules(deployable(), WRITING)])


def _resources(without: frozenset[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for kind, group in objects.BUILT_IN.items():
        if (group, kind) not in without:
            found.setdefault(group, []).append(_plural(kind))
    return {group: tuple(sorted(found[group])) for group in sorted(found)}


def _plural(kind: str) -> str:
    """The name in paths of a kind of Kubernetes itself."""
    name = kind.lower()
    if kind == "Endpoints":
        return name
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


def _rules(resources: dict[str, tuple[str, ...]], verbs: tuple[str, ...]) -> list[dict[str, Json]]:
    return [
        {"apiGroups": [group], "resources": list(listed), "verbs": list(verbs)} for group, listed in resources.items()
    ]


def _account(name: str, rules: list[dict[str, Json]]) -> list[dict[str, Json]]:
    metadata = {"name": name, "labels": {"app.kubernetes.io/part-of": "lockstep"}}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {**metadata, "namespace": _NAMESPACE}},
        {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": _NAMESPACE}],
        },
    ]


ACCOUNTS = {"reader": reader, "deployer": deployer}
"""Who can be made, by name."""


def text(name: str) -> str:
    """An account's objects as YAML, with lines that say what it is."""
    account = ACCOUNTS[name]
    head = (
        f"# {(account.__doc__ or '').strip()} Made by: make docs",
        '# Custom resources: add a rule with their group, and resources by name or "*".',
    )
    return "\n".join([*head, documents.dump_all(account())])


if __name__ == "__main__":
    sys.stdout.write(text(sys.argv[1]))
