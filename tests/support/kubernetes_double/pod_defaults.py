"""What is open in Pods and their templates, and what stands there then. How to read it: ``defaulting``."""

from __future__ import annotations

from tests.support.kubernetes_double.types import Object, Pattern


def _pull_policy(container: Object) -> str:
    """Always for ``latest``, which a reference without tag and digest means; else what is there will do."""
    image = container.get("image", "")
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    return "Always" if tag == "latest" or (not tag and "@" not in image) else "IfNotPresent"


def _volume_source(volume: Object) -> Object | None:
    return {} if set(volume) <= {"name"} else None


def _requests(resources: Object) -> Object | None:
    """What a container is promised at least: what it may have at most."""
    return resources.get("limits") or None


_HTTP_GET: Pattern = {"path": "/", "scheme": "HTTP"}
_PROBE: Pattern = {
    "timeoutSeconds": 1,
    "periodSeconds": 10,
    "successThreshold": 1,
    "failureThreshold": 3,
    "httpGet?": _HTTP_GET,
    "grpc?": {"service": ""},
}
_FIELD_REF: Pattern = {"fieldRef?": {"apiVersion": "v1"}}
CONTAINER: Pattern = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "imagePullPolicy": _pull_policy,
    "resources": {},
    "ports[]": {"protocol": "TCP"},
    "env[]": {"valueFrom?": _FIELD_REF},
    "livenessProbe?": _PROBE,
    "readinessProbe?": _PROBE,
    "startupProbe?": _PROBE,
    "lifecycle?": {"preStop?": {"httpGet?": _HTTP_GET}, "postStart?": {"httpGet?": _HTTP_GET}},
}
_MODE: Pattern = {"defaultMode": 420}
_VOLUME: Pattern = {
    "emptyDir": _volume_source,
    "secret?": _MODE,
    "configMap?": _MODE,
    "downwardAPI?": {**_MODE, "items[]": _FIELD_REF},
    "projected?": {
        **_MODE,
        "sources[]": {
            "serviceAccountToken?": {"expirationSeconds": 3600},
            "downwardAPI?": {"items[]": _FIELD_REF},
        },
    },
    "hostPath?": {"type": ""},
    "ephemeral?": {"volumeClaimTemplate?": {"spec?": {"volumeMode": "Filesystem"}}},
    "iscsi?": {"iscsiInterface": "default"},
    "rbd?": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk?": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO?": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}
POD: Pattern = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
    "serviceAccount": lambda spec: spec.get("serviceAccountName"),
    "serviceAccountName": lambda spec: spec.get("serviceAccount"),
    "containers[]": CONTAINER,
    "initContainers[]": CONTAINER,
    "ephemeralContainers[]": CONTAINER,
    "volumes[]": _VOLUME,
}
TEMPLATE: Pattern = {"template?": {"spec?": POD}}
REQUESTS: Pattern = {"resources": {"requests": _requests}}
CLAIM: Pattern = {"volumeMode": "Filesystem"}
