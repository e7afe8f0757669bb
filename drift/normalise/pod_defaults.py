"""What the API server fills into the specification of a Pod (``pkg/apis/core/v1/defaults.go``).

Each function changes the manifest that it is given, which is a private copy.
"""

from __future__ import annotations

from drift.normalise import reading
from drift.normalise.reading import fill
from lockstep.values import Json

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_DEFAULTS = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
# 0644 in octal, as JSON has it.
_READABLE = 420
_BACKED_BY_FILES = ("secret", "configMap", "downwardAPI", "projected")
_BLOCK_VOLUMES: dict[str, dict[str, Json]] = {
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def pod_spec(spec: dict[str, Json]) -> None:
    """2.6.1: what every specification of a Pod gets."""
    fill(
        spec,
        dnsPolicy="ClusterFirst",
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        schedulerName="default-scheduler",
        # Pods get it filled in, templates mean it (core/v1 DefaultEnableServiceLinks).
        enableServiceLinks=True,
    )
    # core/v1 conversion.go: the deprecated name of the field holds the same value.
    fill(spec, serviceAccountName=spec.get("serviceAccount"))
    if spec.get("serviceAccount") == spec["serviceAccountName"]:
        spec.pop("serviceAccount", None)
    _without_blank(spec, "securityContext")
    on_host = spec.get("hostNetwork") is True
    for part in _CONTAINERS:
        for container in reading.entries(spec, part):
            _container(container)
            if on_host:
                # Validation wants them equal on the host's network.
                for port in reading.entries(container, "ports"):
                    if not port.get("hostPort"):
                        port["hostPort"] = port.get("containerPort")
    for volume in reading.entries(spec, "volumes"):
        _volume(volume)


def pod(spec: dict[str, Json]) -> None:
    """2.6.1: what a Pod of its own gets beyond its template's: requests follow limits, an account, a priority."""
    fill(spec, serviceAccountName="default")
    for part in _CONTAINERS:
        for container in reading.entries(spec, part):
            resources = reading.mapping(container, "resources")
            limits = reading.mapping(resources, "limits")
            if limits:
                fill(resources, requests={})
                fill(reading.mapping(resources, "requests"), **limits)


def _container(container: dict[str, Json]) -> None:
    """2.6.2, F01: containers of all three lists alike."""
    fill(
        container,
        imagePullPolicy=_pull_policy(container.get("image")),
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    for port in reading.entries(container, "ports"):
        fill(port, protocol="TCP")
    for variable in reading.entries(container, "env"):
        # Most have a plain value, and there are many.
        if "valueFrom" in variable:
            _field_reference(variable["valueFrom"])
    for name in _PROBES:
        probe = reading.mapping(container, name) if name in container else {}
        if probe:
            # A zero is as good as nothing there (core/v1 SetDefaults_Probe).
            for field, default in _PROBE_DEFAULTS.items():
                probe[field] = probe.get(field) or default
            _handler(probe)
    if "lifecycle" in container:
        for name in ("postStart", "preStop"):
            _handler(reading.mapping(container, "lifecycle", name))
    _without_blank(container, "resources")
    if reading.at(container, "securityContext", "procMount") == "Default":
        del container["securityContext"]["procMount"]


def _without_blank(owner: dict[str, Json], name: str) -> None:
    """Take out what the server writes as ``{}`` where nobody said anything; the shape of a Pod would do it later."""
    if owner.get(name) == {}:
        del owner[name]


def _pull_policy(image: Json) -> str | None:
    """Always for the tag ``latest``, or for neither tag nor digest (``parsers.ParseImageName``)."""
    if not isinstance(image, str):
        return None
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    latest = tag == "latest" or (not tag and not digest)
    return "Always" if latest else "IfNotPresent"


def _handler(handler: dict[str, Json]) -> None:
    request = reading.mapping(handler, "httpGet")
    if request:
        fill(request, path="/", scheme="HTTP")


def _field_reference(source: Json) -> None:
    reference = reading.mapping(source, "fieldRef")
    if reference:
        fill(reference, apiVersion="v1")


def _volume(volume: dict[str, Json]) -> None:
    """2.6.3: volumes."""
    if all(value is None for key, value in volume.items() if key != "name"):
        volume["emptyDir"] = {}
    for name in _BACKED_BY_FILES:
        _files(volume.get(name))
    for name, defaults in _BLOCK_VOLUMES.items():
        if isinstance(volume.get(name), dict):
            fill(volume[name], **defaults)
    claim = reading.mapping(volume, "ephemeral", "volumeClaimTemplate", "spec")
    if claim:
        fill(claim, volumeMode="Filesystem")


def _files(source: Json) -> None:
    """A volume of files: its mode, its fields, and the tokens projected into it."""
    if not isinstance(source, dict):
        return
    fill(source, defaultMode=_READABLE)
    for item in reading.entries(source, "items"):
        _field_reference(item)
    for projected in reading.entries(source, "sources"):
        token = reading.mapping(projected, "serviceAccountToken")
        if token:
            fill(token, expirationSeconds=3600)
        for item in reading.entries(projected, "downwardAPI", "items"):
            _field_reference(item)
