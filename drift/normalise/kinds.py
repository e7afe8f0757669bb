"""The shapes of the built-in kinds that a site is made of, by group and kind."""

from __future__ import annotations

from collections.abc import Mapping

from drift.normalise.pods import CLAIM, CLAIM_TEMPLATE, POD_SPEC, TEMPLATE, workload
from drift.normalise.shapes import (
    ANY_KIND,
    COUNT,
    FLAG,
    LABEL_SELECTOR,
    METADATA,
    NUMBER_OR_NAME,
    QUANTITIES,
    QUANTITY,
    RESOURCES,
    TEXT,
    TEXTS,
    UNKNOWN,
    Shape,
    bag,
    listed,
    part,
    record,
)

_ROLLING = record(rollingUpdate=record(maxUnavailable=NUMBER_OR_NAME, maxSurge=NUMBER_OR_NAME))
_ROLE = record(
    metadata=METADATA,
    rules=bag(record(apiGroups=bag(), resources=bag(), verbs=bag(), resourceNames=bag(), nonResourceURLs=bag())),
    aggregationRule=record(clusterRoleSelectors=bag(LABEL_SELECTOR)),
)
_BINDING = record(metadata=METADATA, subjects=bag(record(apiGroup=TEXT, namespace=TEXT)))
_NETWORK_PORTS = bag(record(port=NUMBER_OR_NAME))
_PEERS = bag(record(ipBlock=record(**{"except": bag()}), podSelector=LABEL_SELECTOR, namespaceSelector=LABEL_SELECTOR))
_TARGET = record(value=QUANTITY, averageValue=QUANTITY)
_METRIC_SOURCE = record(target=_TARGET, metric=record(selector=LABEL_SELECTOR))
_SCALING_POLICY = record(policies=bag())
_WEBHOOKS = record(
    metadata=METADATA,
    webhooks=listed(
        record(
            admissionReviewVersions=listed(),
            matchConditions=listed(UNKNOWN, "name"),
            namespaceSelector=part(matchLabels=TEXTS, matchExpressions=bag(record(values=bag()))),
            objectSelector=part(matchLabels=TEXTS, matchExpressions=bag(record(values=bag()))),
            rules=bag(record(apiGroups=bag(), apiVersions=bag(), operations=bag(), resources=bag())),
            clientConfig=record(caBundle=TEXT),
        ),
        "name",
    ),
)
_BACKEND = record(service=record(port=record(name=TEXT, number=COUNT)))
_SUBSET = record(addresses=bag(), notReadyAddresses=bag(), ports=listed(record(name=TEXT), "port", "protocol"))
_JOB = record(
    template=TEMPLATE,
    selector=LABEL_SELECTOR,
    podFailurePolicy=record(rules=listed(record(onExitCodes=record(values=bag())))),
)
_CRD_NAMES = record(shortNames=bag(), categories=bag())

SHAPES: Mapping[tuple[str, str], Shape] = {
    ("", "ConfigMap"): record(metadata=METADATA, data=TEXTS, binaryData=TEXTS, immutable=FLAG),
    ("", "Secret"): record(metadata=METADATA, data=TEXTS, immutable=FLAG),
    ("", "Service"): record(
        metadata=METADATA,
        spec=record(
            ports=listed(record(targetPort=NUMBER_OR_NAME, name=TEXT, nodePort=COUNT), "port", "protocol"),
            selector=TEXTS,
            clusterIP=TEXT,
            externalIPs=bag(),
            externalName=TEXT,
            healthCheckNodePort=COUNT,
            loadBalancerIP=TEXT,
            loadBalancerSourceRanges=bag(),
            publishNotReadyAddresses=FLAG,
        ),
    ),
    ("", "ServiceAccount"): record(
        metadata=METADATA, secrets=listed(UNKNOWN, "name"), imagePullSecrets=listed(UNKNOWN, "name")
    ),
    ("", "Endpoints"): record(metadata=METADATA, subsets=bag(_SUBSET)),
    ("", "LimitRange"): record(
        metadata=METADATA,
        spec=record(
            limits=listed(
                record(
                    max=QUANTITIES,
                    min=QUANTITIES,
                    default=QUANTITIES,
                    defaultRequest=QUANTITIES,
                    maxLimitRequestRatio=QUANTITIES,
                ),
                "type",
            )
        ),
    ),
    ("", "Namespace"): record(metadata=METADATA, spec=part(finalizers=bag())),
    ("", "PersistentVolume"): record(
        metadata=METADATA, spec=record(accessModes=bag(), capacity=QUANTITIES, mountOptions=listed())
    ),
    ("", "PersistentVolumeClaim"): record(metadata=METADATA, spec=CLAIM),
    ("", "Pod"): record(metadata=METADATA, spec=POD_SPEC),
    ("", "PodTemplate"): record(metadata=METADATA, template=TEMPLATE),
    ("", "ReplicationController"): record(
        metadata=METADATA, spec=record(template=TEMPLATE, selector=TEXTS, minReadySeconds=COUNT)
    ),
    ("", "ResourceQuota"): record(metadata=METADATA, spec=record(hard=QUANTITIES, scopes=bag())),
    ("apps", "Deployment"): workload(strategy=_ROLLING, paused=FLAG),
    ("apps", "DaemonSet"): workload(updateStrategy=_ROLLING),
    ("apps", "ReplicaSet"): workload(),
    ("apps", "StatefulSet"): workload(
        updateStrategy=_ROLLING,
        volumeClaimTemplates=listed(CLAIM_TEMPLATE, "metadata.name"),
        ordinals=part(start=COUNT),
    ),
    ("autoscaling", "HorizontalPodAutoscaler"): record(
        metadata=METADATA,
        spec=record(
            metrics=bag(
                record(
                    resource=_METRIC_SOURCE,
                    containerResource=_METRIC_SOURCE,
                    pods=_METRIC_SOURCE,
                    object=_METRIC_SOURCE,
                    external=_METRIC_SOURCE,
                )
            ),
            behavior=record(scaleUp=_SCALING_POLICY, scaleDown=_SCALING_POLICY),
        ),
    ),
    ("batch", "Job"): record(metadata=METADATA, spec=_JOB),
    ("batch", "CronJob"): record(
        metadata=METADATA, spec=record(jobTemplate=record(metadata=METADATA, spec=_JOB), timeZone=TEXT)
    ),
    ("networking.k8s.io", "Ingress"): record(
        metadata=METADATA,
        spec=record(
            rules=listed(record(http=record(paths=listed(record(backend=_BACKEND))))),
            tls=bag(record(hosts=bag())),
            defaultBackend=_BACKEND,
        ),
    ),
    ("networking.k8s.io", "IngressClass"): ANY_KIND,
    ("networking.k8s.io", "NetworkPolicy"): record(
        metadata=METADATA,
        spec=record(
            podSelector=part(matchLabels=TEXTS, matchExpressions=bag(record(values=bag()))),
            policyTypes=bag(),
            ingress=bag(record(**{"from": _PEERS}, ports=_NETWORK_PORTS)),
            egress=bag(record(to=_PEERS, ports=_NETWORK_PORTS)),
        ),
    ),
    ("policy", "PodDisruptionBudget"): record(
        metadata=METADATA,
        spec=record(minAvailable=NUMBER_OR_NAME, maxUnavailable=NUMBER_OR_NAME, selector=LABEL_SELECTOR),
    ),
    ("rbac.authorization.k8s.io", "Role"): _ROLE,
    ("rbac.authorization.k8s.io", "ClusterRole"): _ROLE,
    ("rbac.authorization.k8s.io", "RoleBinding"): _BINDING,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _BINDING,
    ("scheduling.k8s.io", "PriorityClass"): record(metadata=METADATA, globalDefault=FLAG, description=TEXT),
    ("storage.k8s.io", "StorageClass"): record(
        metadata=METADATA, parameters=TEXTS, mountOptions=listed(), allowVolumeExpansion=FLAG
    ),
    ("storage.k8s.io", "CSIDriver"): record(metadata=METADATA, spec=record(volumeLifecycleModes=bag())),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): _WEBHOOKS,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): _WEBHOOKS,
    # The schemas inside the versions have no shape: a property may be called anything.
    ("apiextensions.k8s.io", "CustomResourceDefinition"): record(
        metadata=METADATA,
        spec=record(
            versions=listed(record(additionalPrinterColumns=listed(), subresources=part()), "name"),
            names=_CRD_NAMES,
            preserveUnknownFields=FLAG,
        ),
    ),
    ("apiregistration.k8s.io", "APIService"): record(metadata=METADATA, spec=record(caBundle=TEXT)),
}
"""The built-in kinds with a shape of their own."""


# N10, G5: a Pod template inside a custom resource (a Rollout, a Knative service) is one, and resources are resources.
CUSTOM_PARTS = Shape(fields={"template": TEMPLATE, "podTemplate": TEMPLATE, "resources": RESOURCES})
"""What a mapping of unknown shape is taken for inside a kind that is not built in."""


def shape_of(group: str, kind: str) -> Shape:
    """The shape of a kind; only the metadata are known of one that is not built in."""
    return SHAPES.get((group, kind), ANY_KIND)
