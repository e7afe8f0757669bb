"""What the API server fills into the built-in kinds, so that git can be compared with what lives.

Facts of ``pkg/apis/*/v1/defaults.go`` of Kubernetes, row 2.6 by row. They are applied to every side alike: a
manifest in a directory has not been through a server, and a default that one release writes and another does
not is no difference. Each function changes the manifest that it is given, which is a private copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from drift.normalise import pod_defaults, reading
from drift.normalise.reading import fill
from lockstep.values import Json

Fill: TypeAlias = Callable[[dict[str, Json]], None]

_RBAC = "rbac.authorization.k8s.io"
_EXPOSED = ("NodePort", "LoadBalancer")


def template(manifest: dict[str, Json]) -> None:
    """2.6.1 to 2.6.3 for every kind that makes Pods from ``spec.template``."""
    spec = reading.mapping(manifest, "spec", "template", "spec")
    if spec:
        pod_defaults.pod_spec(spec)


def pod_template(manifest: dict[str, Json]) -> None:
    """2.6.1 to 2.6.3 for a PodTemplate, which has its template at the top."""
    template({"spec": manifest})


def pod(manifest: dict[str, Json]) -> None:
    """2.6.1 to 2.6.3 for a Pod."""
    spec = reading.mapping(manifest, "spec")
    pod_defaults.pod_spec(spec)
    pod_defaults.pod(spec)


def service(manifest: dict[str, Json]) -> None:
    """2.6.4: Service."""
    spec = reading.mapping(manifest, "spec")
    fill(spec, type="ClusterIP", sessionAffinity="None")
    if spec.get("sessionAffinity") == "ClientIP":
        fill(spec, sessionAffinityConfig={})
        fill(reading.mapping(spec, "sessionAffinityConfig"), clientIP={})
        fill(reading.mapping(spec, "sessionAffinityConfig", "clientIP"), timeoutSeconds=10800)
    for port in reading.entries(spec, "ports"):
        fill(port, protocol="TCP")
        if port.get("targetPort") in (None, "", 0):
            port["targetPort"] = port.get("port")
    kind = spec.get("type")
    if kind == "ExternalName":
        return
    fill(spec, internalTrafficPolicy="Cluster")
    if kind in _EXPOSED or spec.get("externalIPs"):
        fill(spec, externalTrafficPolicy="Cluster")
    if kind == "LoadBalancer":
        fill(spec, allocateLoadBalancerNodePorts=True)
    # The allocator's choice (pkg/registry/core/service/storage/alloc.go).
    everywhere = spec.get("clusterIP") == "None" and not spec.get("selector")
    fill(spec, ipFamilyPolicy="RequireDualStack" if everywhere else "SingleStack")


def secret(manifest: dict[str, Json]) -> None:
    """2.6.4: the type of a Secret."""
    fill(manifest, type="Opaque")


def volume(manifest: dict[str, Json]) -> None:
    """2.6.4: PersistentVolume."""
    fill(reading.mapping(manifest, "spec"), persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")


def volume_claim(manifest: dict[str, Json]) -> None:
    """2.6.4: PersistentVolumeClaim; the two fields for its source of data say the same."""
    spec = reading.mapping(manifest, "spec")
    fill(spec, volumeMode="Filesystem")
    if isinstance(spec.get("dataSource"), dict):
        fill(spec, dataSourceRef=dict(spec["dataSource"]))


def limit_range(manifest: dict[str, Json]) -> None:
    """2.6.4: LimitRange of containers: default from max, defaultRequest from default, then from min."""
    for limit in reading.entries(manifest, "spec", "limits"):
        if limit.get("type") == "Container":
            fill(limit, default={}, defaultRequest={})
            fill(reading.mapping(limit, "default"), **reading.mapping(limit, "max"))
            fill(reading.mapping(limit, "defaultRequest"), **reading.mapping(limit, "default"))
            fill(reading.mapping(limit, "defaultRequest"), **reading.mapping(limit, "min"))


def deployment(manifest: dict[str, Json]) -> None:
    """2.6.5: Deployment."""
    spec = reading.mapping(manifest, "spec")
    fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    _rolling(spec, "strategy", maxUnavailable="25%", maxSurge="25%")


def daemon_set(manifest: dict[str, Json]) -> None:
    """2.6.5: DaemonSet."""
    spec = reading.mapping(manifest, "spec")
    fill(spec, revisionHistoryLimit=10)
    _rolling(spec, "updateStrategy", maxUnavailable=1, maxSurge=0)


def stateful_set(manifest: dict[str, Json]) -> None:
    """2.6.5: StatefulSet and its claim templates."""
    spec = reading.mapping(manifest, "spec")
    fill(
        spec,
        replicas=1,
        revisionHistoryLimit=10,
        podManagementPolicy="OrderedReady",
        persistentVolumeClaimRetentionPolicy={},
    )
    fill(reading.mapping(spec, "persistentVolumeClaimRetentionPolicy"), whenDeleted="Retain", whenScaled="Retain")
    _rolling(spec, "updateStrategy", partition=0)
    for claim in reading.entries(spec, "volumeClaimTemplates"):
        volume_claim(claim)


def replica_set(manifest: dict[str, Json]) -> None:
    """2.6.5: ReplicaSet, ReplicationController."""
    fill(reading.mapping(manifest, "spec"), replicas=1)


def job(manifest: dict[str, Json]) -> None:
    """2.6.6: Job."""
    spec = reading.mapping(manifest, "spec")
    if spec.get("completions") is None and spec.get("parallelism") is None:
        fill(spec, completions=1)
    fill(
        spec,
        parallelism=1,
        backoffLimit=6 if spec.get("backoffLimitPerIndex") is None else 2**31 - 1,
        completionMode="NonIndexed",
        suspend=False,
        manualSelector=False,
        podReplacementPolicy="Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed",
    )
    labels = reading.mapping(spec, "template", "metadata", "labels")
    metadata = reading.mapping(manifest, "metadata")
    if labels and not metadata.get("labels"):
        metadata["labels"] = dict(labels)


def cron_job(manifest: dict[str, Json]) -> None:
    """2.6.6: CronJob; its Jobs get their own defaults when they are made."""
    spec = reading.mapping(manifest, "spec")
    fill(
        spec,
        concurrencyPolicy="Allow",
        suspend=False,
        successfulJobsHistoryLimit=3,
        failedJobsHistoryLimit=1,
    )
    template(reading.mapping(spec, "jobTemplate"))


def autoscaler(manifest: dict[str, Json]) -> None:
    """2.6.7: HorizontalPodAutoscaler v2; its behaviour only when there is some."""
    spec = reading.mapping(manifest, "spec")
    fill(spec, minReplicas=1)
    target = {"type": "Utilization", "averageUtilization": 80}
    fill(spec, metrics=[{"type": "Resource", "resource": {"name": "cpu", "target": target}}])
    behavior = spec.get("behavior")
    if isinstance(behavior, dict) and behavior:
        percent = {"type": "Percent", "value": 100, "periodSeconds": 15}
        pods = {"type": "Pods", "value": 4, "periodSeconds": 15}
        fill(behavior, scaleUp={}, scaleDown={})
        up, down = reading.mapping(behavior, "scaleUp"), reading.mapping(behavior, "scaleDown")
        fill(up, stabilizationWindowSeconds=0, selectPolicy="Max", policies=[pods, percent])
        fill(down, selectPolicy="Max", policies=[percent])


def network_policy(manifest: dict[str, Json]) -> None:
    """2.6.8: NetworkPolicy."""
    spec = reading.mapping(manifest, "spec")
    for direction in ("ingress", "egress"):
        for rule in reading.entries(spec, direction):
            for port in reading.entries(rule, "ports"):
                fill(port, protocol="TCP")
    fill(spec, policyTypes=["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def ingress_class(manifest: dict[str, Json]) -> None:
    """2.6.8: IngressClass."""
    parameters = reading.mapping(manifest, "spec", "parameters")
    if parameters:
        fill(parameters, scope="Cluster")


def binding(manifest: dict[str, Json]) -> None:
    """2.6.8: RoleBinding, ClusterRoleBinding."""
    reference = reading.mapping(manifest, "roleRef")
    if reference:
        fill(reference, apiGroup=_RBAC)
    for subject in reading.entries(manifest, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            fill(subject, apiGroup=_RBAC)


def storage_class(manifest: dict[str, Json]) -> None:
    """2.6.8: StorageClass."""
    fill(manifest, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def csi_driver(manifest: dict[str, Json]) -> None:
    """2.6.8: CSIDriver."""
    fill(
        reading.mapping(manifest, "spec"),
        attachRequired=True,
        podInfoOnMount=False,
        storageCapacity=False,
        requiresRepublish=False,
        seLinuxMount=False,
        fsGroupPolicy="ReadWriteOnceWithFSType",
        volumeLifecycleModes=["Persistent"],
    )


def priority_class(manifest: dict[str, Json]) -> None:
    """2.6.8: PriorityClass."""
    fill(manifest, preemptionPolicy="PreemptLowerPriority")


def webhooks(manifest: dict[str, Json]) -> None:
    """2.6.9: webhook configurations (admissionregistration/v1 defaults.go)."""
    mutating = manifest.get("kind") == "MutatingWebhookConfiguration"
    for hook in reading.entries(manifest, "webhooks"):
        fill(hook, failurePolicy="Fail", matchPolicy="Equivalent", timeoutSeconds=10)
        if mutating:
            fill(hook, reinvocationPolicy="Never")
        for rule in reading.entries(hook, "rules"):
            fill(rule, scope="*")
        _service_reference(reading.mapping(hook, "clientConfig"))


def custom_definition(manifest: dict[str, Json]) -> None:
    """2.6.9, N30: CustomResourceDefinition (apiextensions/v1 defaults.go)."""
    spec = reading.mapping(manifest, "spec")
    names = reading.mapping(spec, "names")
    kind = reading.text(names, "kind")
    if kind:
        fill(names, singular=kind.lower(), listKind=f"{kind}List")
    if spec:
        fill(spec, conversion={"strategy": "None"})
    _service_reference(reading.mapping(spec, "conversion", "webhook", "clientConfig"))


def api_service(manifest: dict[str, Json]) -> None:
    """2.6.9: APIService."""
    _service_reference(reading.mapping(manifest, "spec"))


def endpoints(manifest: dict[str, Json]) -> None:
    """N16: the protocol of an endpoint's port."""
    for subset in reading.entries(manifest, "subsets"):
        for port in reading.entries(subset, "ports"):
            fill(port, protocol="TCP")


def _rolling(spec: dict[str, Json], name: str, **values: Json) -> None:
    """An update strategy: rolling unless said otherwise, and then with these bounds."""
    fill(spec, **{name: {}})
    strategy = reading.mapping(spec, name)
    fill(strategy, type="RollingUpdate")
    if strategy.get("type") == "RollingUpdate":
        fill(strategy, rollingUpdate={})
        fill(reading.mapping(strategy, "rollingUpdate"), **values)


def _service_reference(config: dict[str, Json]) -> None:
    service_reference = reading.mapping(config, "service")
    if service_reference:
        fill(service_reference, port=443)


_HOOKS = "admissionregistration.k8s.io"
BY_KIND: dict[tuple[str, str], tuple[Fill, ...]] = {
    ("", "Endpoints"): (endpoints,),
    ("", "LimitRange"): (limit_range,),
    ("", "PersistentVolume"): (volume,),
    ("", "PersistentVolumeClaim"): (volume_claim,),
    ("", "Pod"): (pod,),
    ("", "PodTemplate"): (pod_template,),
    ("", "ReplicationController"): (replica_set, template),
    ("", "Secret"): (secret,),
    ("", "Service"): (service,),
    ("apps", "DaemonSet"): (daemon_set, template),
    ("apps", "Deployment"): (deployment, template),
    ("apps", "ReplicaSet"): (replica_set, template),
    ("apps", "StatefulSet"): (stateful_set, template),
    ("autoscaling", "HorizontalPodAutoscaler"): (autoscaler,),
    ("batch", "CronJob"): (cron_job,),
    ("batch", "Job"): (job, template),
    ("networking.k8s.io", "IngressClass"): (ingress_class,),
    ("networking.k8s.io", "NetworkPolicy"): (network_policy,),
    (_RBAC, "ClusterRoleBinding"): (binding,),
    (_RBAC, "RoleBinding"): (binding,),
    ("scheduling.k8s.io", "PriorityClass"): (priority_class,),
    ("storage.k8s.io", "CSIDriver"): (csi_driver,),
    ("storage.k8s.io", "StorageClass"): (storage_class,),
    (_HOOKS, "MutatingWebhookConfiguration"): (webhooks,),
    (_HOOKS, "ValidatingWebhookConfiguration"): (webhooks,),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (custom_definition,),
    ("apiregistration.k8s.io", "APIService"): (api_service,),
}
"""Which functions fill in which kind."""
