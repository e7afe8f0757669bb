"""The shape of a Pod's specification, wherever it is a template (core/v1 types.go)."""

from __future__ import annotations

from drift.normalise import volumes
from drift.normalise.shapes import (
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

_HEADERS = listed()
_HANDLER = {
    "httpGet": record(port=NUMBER_OR_NAME, httpHeaders=_HEADERS, host=TEXT),
    "tcpSocket": record(port=NUMBER_OR_NAME, host=TEXT),
    "grpc": record(service=TEXT),
    "exec": record(command=listed()),
}
_PROBE = record(**_HANDLER, initialDelaySeconds=COUNT)
_SECURITY = part(
    capabilities=part(add=bag(), drop=bag()),
    seLinuxOptions=part(level=TEXT, role=TEXT, type=TEXT, user=TEXT),
    supplementalGroups=bag(),
    sysctls=listed(UNKNOWN, "name"),
)
_CONTAINER = record(
    args=listed(),
    command=listed(),
    env=listed(
        record(value=TEXT, valueFrom=record(resourceFieldRef=record(divisor=QUANTITY, containerName=TEXT))),
        "name",
        order=Order.ENVIRONMENT,
    ),
    envFrom=listed(record(prefix=TEXT)),
    image=TEXT,
    lifecycle=part(postStart=record(**_HANDLER), preStop=record(**_HANDLER)),
    livenessProbe=_PROBE,
    readinessProbe=_PROBE,
    startupProbe=_PROBE,
    ports=listed(record(hostPort=COUNT, hostIP=TEXT, name=TEXT), "containerPort", "protocol"),
    resizePolicy=listed(UNKNOWN, "resourceName"),
    resources=RESOURCES,
    restartPolicyRules=listed(record(exitCodes=record(values=bag()))),
    securityContext=_SECURITY,
    stdin=FLAG,
    stdinOnce=FLAG,
    tty=FLAG,
    volumeDevices=listed(UNKNOWN, "devicePath"),
    volumeMounts=listed(record(readOnly=FLAG, subPath=TEXT, subPathExpr=TEXT), "mountPath"),
    workingDir=TEXT,
)
_EPHEMERAL = Shape(fields={**_CONTAINER.fields, "targetContainerName": TEXT})
_FILES = bag()
CLAIM = record(
    accessModes=bag(),
    resources=RESOURCES,
    selector=LABEL_SELECTOR,
    volumeName=TEXT,
)
CLAIM_TEMPLATE = record(metadata=METADATA, spec=CLAIM)
_DOWNWARD = bag(record(resourceFieldRef=record(divisor=QUANTITY, containerName=TEXT)))
_VOLUME = record(
    configMap=record(items=_FILES),
    secret=record(items=_FILES, secretName=TEXT),
    downwardAPI=record(items=_DOWNWARD),
    emptyDir=record(medium=TEXT, sizeLimit=QUANTITY),
    ephemeral=record(volumeClaimTemplate=CLAIM_TEMPLATE),
    hostPath=record(type=TEXT),
    persistentVolumeClaim=record(readOnly=FLAG),
    projected=record(
        sources=bag(
            record(
                configMap=record(items=_FILES),
                secret=record(items=_FILES),
                downwardAPI=record(items=_DOWNWARD),
                clusterTrustBundle=record(labelSelector=LABEL_SELECTOR),
                podCertificate=record(
                    certificateChainPath=TEXT, credentialBundlePath=TEXT, keyPath=TEXT, userAnnotations=TEXTS
                ),
                serviceAccountToken=record(audience=TEXT),
            )
        )
    ),
    csi=record(volumeAttributes=TEXTS, nodePublishSecretRef=volumes.REFERENCE),
    image=record(pullPolicy=TEXT, reference=TEXT),
    **volumes.DISKS,
)
NODE_TERM = record(matchExpressions=bag(record(values=bag())), matchFields=bag(record(values=bag())))
_POD_TERM = record(
    labelSelector=LABEL_SELECTOR,
    matchLabelKeys=listed(),
    mismatchLabelKeys=listed(),
    namespaces=bag(),
    namespaceSelector=LABEL_SELECTOR,
)
TOLERATIONS = bag(record(effect=TEXT, key=TEXT, operator=TEXT, value=TEXT))
"""Which taints a Pod, or a device, puts up with."""
_POD_AFFINITY = part(
    requiredDuringSchedulingIgnoredDuringExecution=bag(_POD_TERM),
    preferredDuringSchedulingIgnoredDuringExecution=bag(record(podAffinityTerm=_POD_TERM)),
)
POD_SPEC = record(
    affinity=part(
        nodeAffinity=part(
            requiredDuringSchedulingIgnoredDuringExecution=record(nodeSelectorTerms=bag(NODE_TERM)),
            preferredDuringSchedulingIgnoredDuringExecution=bag(record(preference=NODE_TERM)),
        ),
        podAffinity=_POD_AFFINITY,
        podAntiAffinity=_POD_AFFINITY,
    ),
    containers=listed(_CONTAINER, "name"),
    dnsConfig=part(nameservers=listed(), searches=listed(), options=listed(UNKNOWN, "name")),
    ephemeralContainers=listed(_EPHEMERAL, "name"),
    hostAliases=listed(record(hostnames=bag()), "ip"),
    hostIPC=FLAG,
    hostNetwork=FLAG,
    hostPID=FLAG,
    hostname=TEXT,
    imagePullSecrets=listed(UNKNOWN, "name"),
    # They run one after another.
    initContainers=listed(_CONTAINER, "name", order=Order.ORDERED_MAP),
    nodeName=TEXT,
    nodeSelector=TEXTS,
    overhead=QUANTITIES,
    priorityClassName=TEXT,
    readinessGates=bag(),
    resourceClaims=listed(UNKNOWN, "name"),
    resources=RESOURCES,
    schedulingGates=listed(UNKNOWN, "name"),
    securityContext=_SECURITY,
    serviceAccountName=TEXT,
    subdomain=TEXT,
    serviceAccount=TEXT,
    tolerations=TOLERATIONS,
    topologySpreadConstraints=listed(
        record(labelSelector=LABEL_SELECTOR, matchLabelKeys=bag()), "topologyKey", "whenUnsatisfiable"
    ),
    volumes=listed(_VOLUME, "name"),
)
TEMPLATE = record(metadata=METADATA, spec=POD_SPEC)
"""A Pod template."""
WORKLOAD = {
    "template": TEMPLATE,
    "selector": LABEL_SELECTOR,
    "minReadySeconds": COUNT,
}
"""The fields that all controllers of Pods share."""


def workload(**fields: Shape) -> Shape:
    """The shape of a kind that makes Pods from a template."""
    return record(metadata=METADATA, spec=record(**WORKLOAD, **fields))
