"""The shapes of the built-in kinds that a site is made of, by group and kind."""

from __future__ import annotations

from collections.abc import Mapping

from drift.normalise import volumes
from drift.normalise.definitions import DEFINITION
from drift.normalise.pods import CLAIM, CLAIM_TEMPLATE, NODE_TERM, POD_SPEC, TEMPLATE, TOLERATIONS, workload
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
    Order,
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
_OBJECT_SOURCE = record(**_METRIC_SOURCE.fields, describedObject=record(apiVersion=TEXT))
_SCALING_POLICY = record(policies=bag(), tolerance=QUANTITY)
_SELECTOR = part(matchLabels=TEXTS, matchExpressions=bag(record(values=bag())))
_ADMITTED = bag(record(apiGroups=bag(), apiVersions=bag(), operations=bag(), resourceNames=bag(), resources=bag()))
_MATCHED = record(
    namespaceSelector=_SELECTOR, objectSelector=_SELECTOR, resourceRules=_ADMITTED, excludeResourceRules=_ADMITTED
)
_POLICY = record(
    metadata=METADATA,
    spec=record(
        matchConditions=listed(UNKNOWN, "name"),
        matchConstraints=_MATCHED,
        auditAnnotations=listed(),
        mutations=listed(record(applyConfiguration=record(expression=TEXT), jsonPatch=record(expression=TEXT))),
        paramKind=record(apiVersion=TEXT, kind=TEXT),
        reinvocationPolicy=TEXT,
        validations=listed(record(message=TEXT, messageExpression=TEXT)),
        # One may refer to those before it.
        variables=listed(UNKNOWN, "name", order=Order.ORDERED_MAP),
    ),
)
_POLICY_BINDING = record(
    metadata=METADATA,
    spec=record(
        matchResources=_MATCHED,
        paramRef=record(name=TEXT, namespace=TEXT, selector=LABEL_SELECTOR),
        validationActions=bag(),
    ),
)
_FLOWS = listed(
    record(
        subjects=listed(),
        nonResourceRules=listed(record(nonResourceURLs=bag(), verbs=bag())),
        resourceRules=listed(
            record(clusterScope=FLAG, apiGroups=bag(), namespaces=bag(), resources=bag(), verbs=bag())
        ),
    )
)
_WEBHOOKS = record(
    metadata=METADATA,
    webhooks=listed(
        record(
            admissionReviewVersions=listed(),
            matchConditions=listed(UNKNOWN, "name"),
            namespaceSelector=_SELECTOR,
            objectSelector=_SELECTOR,
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
    podFailurePolicy=record(rules=listed(record(onExitCodes=record(values=bag()), onPodConditions=listed()))),
)
_DEVICE = record(
    allocationMode=TEXT, count=COUNT, capacity=record(requests=QUANTITIES), selectors=listed(), tolerations=TOLERATIONS
)
_CLAIM = record(
    devices=record(
        config=listed(record(requests=listed())),
        constraints=listed(record(requests=listed())),
        requests=listed(record(exactly=_DEVICE, firstAvailable=listed(_DEVICE))),
    )
)

SHAPES: Mapping[tuple[str, str], Shape] = {
    ("", "ConfigMap"): record(metadata=METADATA, data=TEXTS, binaryData=TEXTS, immutable=FLAG),
    ("", "Secret"): record(metadata=METADATA, data=TEXTS, immutable=FLAG),
    ("", "Service"): record(
        metadata=METADATA,
        spec=record(
            ports=listed(record(targetPort=NUMBER_OR_NAME, name=TEXT, nodePort=COUNT), "port", "protocol"),
            selector=TEXTS,
            clusterIP=TEXT,
            clusterIPs=listed(),
            externalIPs=bag(),
            externalName=TEXT,
            externalTrafficPolicy=TEXT,
            healthCheckNodePort=COUNT,
            loadBalancerIP=TEXT,
            loadBalancerSourceRanges=bag(),
            publishNotReadyAddresses=FLAG,
        ),
    ),
    ("", "ServiceAccount"): record(
        metadata=METADATA, secrets=listed(volumes.REFERENCE, "name"), imagePullSecrets=listed(UNKNOWN, "name")
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
        metadata=METADATA,
        spec=record(
            accessModes=bag(),
            capacity=QUANTITIES,
            mountOptions=listed(),
            nodeAffinity=record(required=record(nodeSelectorTerms=bag(NODE_TERM))),
            claimRef=volumes.REFERENCE,
            storageClassName=TEXT,
            csi=volumes.CSI,
            **volumes.DISKS,
        ),
    ),
    ("", "PersistentVolumeClaim"): record(metadata=METADATA, spec=CLAIM),
    ("", "Pod"): record(metadata=METADATA, spec=POD_SPEC),
    ("", "PodTemplate"): record(metadata=METADATA, template=TEMPLATE),
    ("", "ReplicationController"): record(
        metadata=METADATA, spec=record(template=TEMPLATE, selector=TEXTS, minReadySeconds=COUNT)
    ),
    ("", "ResourceQuota"): record(
        metadata=METADATA,
        spec=record(hard=QUANTITIES, scopes=bag(), scopeSelector=record(matchExpressions=bag(record(values=bag())))),
    ),
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
            scaleTargetRef=record(apiVersion=TEXT),
            metrics=bag(
                record(
                    resource=_METRIC_SOURCE,
                    containerResource=_METRIC_SOURCE,
                    pods=_METRIC_SOURCE,
                    object=_OBJECT_SOURCE,
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
            rules=listed(record(host=TEXT, http=record(paths=listed(record(backend=_BACKEND, path=TEXT))))),
            tls=bag(record(hosts=bag(), secretName=TEXT)),
            defaultBackend=_BACKEND,
        ),
    ),
    ("networking.k8s.io", "IngressClass"): ANY_KIND,
    ("networking.k8s.io", "NetworkPolicy"): record(
        metadata=METADATA,
        spec=record(
            podSelector=_SELECTOR,
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
    ("node.k8s.io", "RuntimeClass"): record(
        metadata=METADATA,
        overhead=record(podFixed=QUANTITIES),
        scheduling=record(nodeSelector=TEXTS, tolerations=TOLERATIONS),
    ),
    ("resource.k8s.io", "ResourceClaim"): record(metadata=METADATA, spec=_CLAIM),
    ("resource.k8s.io", "ResourceClaimTemplate"): record(
        metadata=METADATA, spec=record(metadata=METADATA, spec=_CLAIM)
    ),
    ("scheduling.k8s.io", "PriorityClass"): record(metadata=METADATA, globalDefault=FLAG, description=TEXT),
    ("storage.k8s.io", "StorageClass"): record(
        metadata=METADATA,
        parameters=TEXTS,
        mountOptions=listed(),
        allowVolumeExpansion=FLAG,
        allowedTopologies=listed(record(matchLabelExpressions=listed())),
    ),
    ("storage.k8s.io", "CSIDriver"): record(
        metadata=METADATA, spec=record(tokenRequests=listed(), volumeLifecycleModes=bag())
    ),
    ("storage.k8s.io", "VolumeAttributesClass"): record(metadata=METADATA, parameters=TEXTS),
    ("networking.k8s.io", "ServiceCIDR"): record(metadata=METADATA, spec=record(cidrs=listed())),
    ("resource.k8s.io", "DeviceClass"): record(metadata=METADATA, spec=record(config=listed(), selectors=listed())),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): _WEBHOOKS,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): _WEBHOOKS,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): _POLICY,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): _POLICY,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): _POLICY_BINDING,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): _POLICY_BINDING,
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): record(metadata=METADATA, spec=record(rules=_FLOWS)),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): DEFINITION,
    ("apiregistration.k8s.io", "APIService"): record(
        metadata=METADATA,
        spec=record(caBundle=TEXT, insecureSkipTLSVerify=FLAG, service=record(name=TEXT, namespace=TEXT)),
    ),
}
"""The built-in kinds with a shape of their own."""


# N10, G5: a Pod template inside a custom resource (a Rollout, a Knative service) is one, and resources are resources.
CUSTOM_PARTS = Shape(fields={"template": TEMPLATE, "podTemplate": TEMPLATE, "resources": RESOURCES})
"""What a mapping of unknown shape is taken for inside a kind that is not built in."""


def shape_of(group: str, kind: str) -> Shape:
    """The shape of a kind; only the metadata are known of one that is not built in."""
    return SHAPES.get((group, kind), ANY_KIND)
