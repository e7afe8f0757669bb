"""What is open in each built-in kind, and what stands there then. How to read it: ``defaulting``."""

from __future__ import annotations

from typing import Any

from tests.support.kubernetes_double.pod_defaults import CLAIM, CONTAINER, POD, REQUESTS, TEMPLATE
from tests.support.kubernetes_double.types import Object, Pattern


def _default_request(limit: Object) -> Object | None:
    return limit.get("default") if limit.get("type") == "Container" else None


def _surge(strategy: Object) -> Object | None:
    """Only a rolling update has parameters."""
    return {"maxUnavailable": "25%", "maxSurge": "25%"} if strategy["type"] == "RollingUpdate" else None


_JOB: Pattern = {
    "completions": lambda spec: 1 if spec.get("parallelism") is None else None,
    "parallelism": 1,
    "backoffLimit": lambda spec: 2147483647 if spec.get("backoffLimitPerIndex") is not None else 6,
    "completionMode": "NonIndexed",
    "suspend": False,
    "manualSelector": False,
    "podReplacementPolicy": lambda spec: "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed",
    **TEMPLATE,
}


def _target_port(port: Object) -> Any:
    return port.get("port")


def _service_policy(spec: Object) -> str | None:
    return "Cluster" if spec.get("type") in {"NodePort", "LoadBalancer"} or spec.get("externalIPs") else None


def _internal_policy(spec: Object) -> str | None:
    return "Cluster" if spec.get("type") in {"ClusterIP", "NodePort", "LoadBalancer"} else None


_SERVICE: Pattern = {
    "sessionAffinity": "None",
    "type": "ClusterIP",
    "sessionAffinityConfig": lambda s: (
        {"clientIP": {"timeoutSeconds": 10800}} if s["sessionAffinity"] == "ClientIP" else None
    ),
    "ports[]": {"protocol": "TCP", "targetPort": _target_port},
    "externalTrafficPolicy": _service_policy,
    "internalTrafficPolicy": _internal_policy,
    "allocateLoadBalancerNodePorts": lambda spec: True if spec["type"] == "LoadBalancer" else None,
}
_PORTS: Pattern = {"ports[]": {"protocol": "TCP"}}


def _policy_types(spec: Object) -> list[str]:
    return ["Ingress"] + (["Egress"] if spec.get("egress") else [])


def _subject_group(subject: Object) -> str | None:
    return None if subject.get("kind") == "ServiceAccount" else "rbac.authorization.k8s.io"


_BINDING: Pattern = {
    "roleRef?": {"apiGroup": "rbac.authorization.k8s.io"},
    "subjects[]": {"apiGroup": _subject_group},
}


_METRICS = [
    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
]
_HOOK: Pattern = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "timeoutSeconds": 10,
    "rules[]": {"scope": "*"},
    "clientConfig?": {"service?": {"port": 443}},
}


def _own_key(kind: str) -> Any:
    return lambda names: f"{names['kind']}List" if kind == "list" else names["kind"].lower()


KINDS: dict[tuple[str, str], Pattern] = {
    ("", "Pod"): {
        "spec?": {**POD, "enableServiceLinks": True, "containers[]": {**CONTAINER, **REQUESTS}},
    },
    ("", "PodTemplate"): TEMPLATE,
    ("", "ReplicationController"): {"spec?": {"replicas": 1, **TEMPLATE}},
    ("", "Secret"): {"type": "Opaque"},
    ("", "Service"): {"spec?": _SERVICE},
    ("", "Endpoints"): {"subsets[]": _PORTS},
    ("", "PersistentVolumeClaim"): {"spec?": CLAIM, "status": {"phase": "Pending"}},
    ("", "PersistentVolume"): {
        "spec?": {
            "persistentVolumeReclaimPolicy": "Retain",
            "volumeMode": "Filesystem",
            "hostPath?": {"type": ""},
        },
        "status": {"phase": "Pending"},
    },
    ("", "Namespace"): {"status": {"phase": "Active"}},
    ("", "LimitRange"): {"spec?": {"limits[]": {"defaultRequest": _default_request}}},
    ("apps", "Deployment"): {
        "spec?": {
            "replicas": 1,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": _surge},
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            **TEMPLATE,
        }
    },
    ("apps", "ReplicaSet"): {"spec?": {"replicas": 1, **TEMPLATE}},
    ("apps", "StatefulSet"): {
        "spec?": {
            "replicas": 1,
            "podManagementPolicy": "OrderedReady",
            "revisionHistoryLimit": 10,
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": lambda s: {"partition": 0} if s["type"] == "RollingUpdate" else None,
            },
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "volumeClaimTemplates[]": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "spec?": CLAIM,
                "status": {"phase": "Pending"},
            },
            **TEMPLATE,
        }
    },
    ("apps", "DaemonSet"): {
        "spec?": {
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": lambda s: (
                    {"maxUnavailable": 1, "maxSurge": 0} if s["type"] == "RollingUpdate" else None
                ),
            },
            "revisionHistoryLimit": 10,
            **TEMPLATE,
        }
    },
    ("batch", "Job"): {"spec?": _JOB},
    ("batch", "CronJob"): {
        "spec?": {
            "concurrencyPolicy": "Allow",
            "suspend": False,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
            "jobTemplate?": {"spec?": TEMPLATE},
        }
    },
    ("autoscaling", "HorizontalPodAutoscaler"): {"spec?": {"minReplicas": 1, "metrics": _METRICS}},
    ("networking.k8s.io", "NetworkPolicy"): {
        "spec": {
            "podSelector": {},
            "ingress[]": _PORTS,
            "egress[]": _PORTS,
            "policyTypes": _policy_types,
        }
    },
    ("rbac.authorization.k8s.io", "RoleBinding"): _BINDING,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _BINDING,
    ("storage.k8s.io", "StorageClass"): {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    ("storage.k8s.io", "CSIDriver"): {
        "spec?": {
            "attachRequired": True,
            "podInfoOnMount": False,
            "storageCapacity": False,
            "fsGroupPolicy": "ReadWriteOnceWithFSType",
            "volumeLifecycleModes": ["Persistent"],
            "requiresRepublish": False,
            "seLinuxMount": False,
        }
    },
    ("scheduling.k8s.io", "PriorityClass"): {"preemptionPolicy": "PreemptLowerPriority"},
    ("discovery.k8s.io", "EndpointSlice"): {"ports[]": {"name": "", "protocol": "TCP"}},
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): {
        "spec?": {
            "failurePolicy": "Fail",
            "matchConstraints?": {
                "matchPolicy": "Equivalent",
                "namespaceSelector": {},
                "objectSelector": {},
                "resourceRules[]": {"scope": "*"},
            },
        }
    },
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): {"webhooks[]": _HOOK},
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): {
        "webhooks[]": {**_HOOK, "reinvocationPolicy": "Never"}
    },
    ("apiextensions.k8s.io", "CustomResourceDefinition"): {
        "spec?": {
            "names?": {"singular": _own_key("singular"), "listKind": _own_key("list")},
            "conversion": {"strategy": "None"},
        }
    },
}
