"""What a cluster hands out by itself: addresses, ports, tokens, volumes. Each cluster hands out others."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import TypeAlias

from drift.normalise import reading
from drift.normalise.target import Target
from lockstep.values import Json

_Noise: TypeAlias = Callable[[dict[str, Json]], bool]

# service.spec.clusterIP: "None" asks for no address, which is a choice and not an allocation.
_HEADLESS = "None"
# Names that the token controller (and OpenShift's) makes up: <account>-token-<five letters>.
_GENERATED = r"-(?:token|dockercfg)-[a-z0-9]{5}"
# The labels by which a Job finds its Pods (batch/v1 types.go).
_JOB_LABELS = frozenset(
    {
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
        "job-name",
        "batch.kubernetes.io/job-name",
    }
)
_TOKEN_SECRET = "kubernetes.io/service-account-token"  # noqa: S105 - the name of a type of Secret
_ACCOUNT_UID = "kubernetes.io/service-account.uid"
# The volume that the ServiceAccount admission plugin gives to every Pod, with five letters behind.
_TOKEN_VOLUME = "kube-api-access-"  # noqa: S105 - the name of a volume
# What DefaultTolerationSeconds adds to every Pod.
_DEFAULT_TOLERATIONS = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})


def service(target: Target) -> None:
    """X06: cluster addresses (unless headless), node ports, the health check's port, address families."""
    if reading.at(target.manifest, "spec", "clusterIP") != _HEADLESS:
        target.drop("spec", "clusterIP")
        if not target.sets("spec", "clusterIP"):
            target.drop("spec", "clusterIPs")
    elif not target.sets("spec", "clusterIPs"):
        target.drop("spec", "clusterIPs")
    target.drop("spec", "healthCheckNodePort")
    target.drop("spec", "ipFamilies")
    if any("nodePort" in port for port in reading.entries(target.manifest, "spec", "ports")):
        chosen = [
            port
            for declared in target.declared
            for port in reading.entries(declared, "spec", "ports")
            if port.get("nodePort")
        ]
        # A port that somebody moved keeps the node port that git chose for it.
        keys, numbers = [_port_key(port) for port in chosen], [port["nodePort"] for port in chosen]

        def told(port: dict[str, Json]) -> dict[str, Json]:
            is_chosen = _port_key(port) in keys or port.get("nodePort") in numbers
            return port if is_chosen else _without(port, "nodePort")

        target.rewrite(told, "spec", "ports")


def job(target: Target) -> None:
    """X05: the selector and labels that the Job controller makes from the Job's uid and name."""
    if reading.at(target.manifest, "spec", "manualSelector") is True:
        return
    for path in (
        ("metadata", "labels"),
        ("spec", "selector", "matchLabels"),
        ("spec", "template", "metadata", "labels"),
    ):
        target.drop_keys(*path, noise=_JOB_LABELS.__contains__)
    selector = reading.at(target.manifest, "spec", "selector")
    if isinstance(selector, dict) and not any(selector.values()):
        target.drop("spec", "selector")


def service_account(target: Target) -> None:
    """X07: token and registry secrets that a controller made and listed."""
    made_up = re.compile(re.escape(reading.text(target.manifest, "metadata", "name")) + _GENERATED)
    for part in ("secrets", "imagePullSecrets"):
        chosen = _names(target, part)

        def listed(entry: dict[str, Json], chosen: set[str] = chosen) -> dict[str, Json] | None:
            name = reading.text(entry, "name")
            return None if made_up.fullmatch(name) and name not in chosen else entry

        target.rewrite(listed, part)


def token_secret(target: Target) -> None:
    """X08: a token belongs to its cluster; only that there is one is compared."""
    if target.manifest.get("type") == _TOKEN_SECRET:
        target.drop("data")
        target.drop("metadata", "annotations", _ACCOUNT_UID)


def volume_claim(target: Target) -> None:
    """X09: the volume that a claim was bound to."""
    target.drop("spec", "volumeName")


def volume(target: Target) -> None:
    """X09: the claim that a volume was bound to; which claim it waits for is kept when git says so."""
    if target.sets("spec", "claimRef"):
        target.drop("spec", "claimRef", "uid")
        target.drop("spec", "claimRef", "resourceVersion")
    else:
        target.drop("spec", "claimRef")


def claim_templates(target: Target) -> None:
    """N18: what the server writes into each volume claim template."""

    def plain(template: dict[str, Json]) -> dict[str, Json]:
        slim = _without(template, "apiVersion", "kind", "status")
        metadata = slim.get("metadata")
        if isinstance(metadata, dict) and "creationTimestamp" in metadata:
            slim["metadata"] = _without(metadata, "creationTimestamp")
        return slim

    target.rewrite(plain, "spec", "volumeClaimTemplates")


def pod(target: Target) -> None:
    """X10: where a Pod was put, its token's volume, and what admission adds to every Pod."""
    for name in ("nodeName", "priority", "preemptionPolicy"):
        target.drop("spec", name)
    _drop_entries(target, "volumes", lambda entry: reading.text(entry, "name").startswith(_TOKEN_VOLUME))
    _drop_entries(target, "tolerations", _is_default_toleration)
    for part in ("containers", "initContainers", "ephemeralContainers"):
        if any("volumeMounts" in container for container in reading.entries(target.manifest, "spec", part)):
            target.rewrite(_without_token_mount, "spec", part)


def ca_bundles(target: Target) -> None:
    """X18, R02, F05: authorities that a controller injects; git's own is kept, its placeholder is not."""
    kind = target.manifest.get("kind")
    if kind == "APIService":
        _drop_bundle(target, "spec", placeholder=_is_blank)
    elif kind == "CustomResourceDefinition":
        _drop_bundle(target, "spec", "conversion", "webhook", "clientConfig", placeholder=_is_no_certificate)
    else:
        chosen = {
            reading.text(hook, "name")
            for manifest in target.declared
            for hook in reading.entries(manifest, "webhooks")
            if not _is_blank(reading.at(hook, "clientConfig", "caBundle"))
        }

        def trusted(hook: dict[str, Json]) -> dict[str, Json]:
            config = hook.get("clientConfig")
            if reading.text(hook, "name") in chosen or not isinstance(config, dict):
                return hook
            return {**hook, "clientConfig": _without(config, "caBundle")}

        target.rewrite(trusted, "webhooks")


def namespace(target: Target) -> None:
    """X13, 2.6: the label with its own name, and the finalizer that every name space has."""
    target.drop("metadata", "labels", "kubernetes.io/metadata.name")
    target.drop("spec", "finalizers")


def aggregated_role(target: Target) -> None:
    """N15: the rules of an aggregated role are gathered by a controller."""
    if isinstance(target.manifest.get("aggregationRule"), dict) and not any(
        manifest.get("rules") for manifest in target.declared
    ):
        target.manifest.pop("rules", None)


def _port_key(port: dict[str, Json]) -> tuple[Json, Json]:
    number, protocol = port.get("port"), port.get("protocol") or "TCP"
    return (number if isinstance(number, int | float | str) else None, protocol if isinstance(protocol, str) else None)


def _names(target: Target, *path: str) -> set[str]:
    """The names in the lists that git has at this path."""
    return {reading.text(entry, "name") for manifest in target.declared for entry in reading.entries(manifest, *path)}


def _without(entry: dict[str, Json], *names: str) -> dict[str, Json]:
    return {key: value for key, value in entry.items() if key not in names}


def _drop_entries(target: Target, part: str, noise: _Noise) -> None:
    declared = [entry for manifest in target.declared for entry in reading.entries(manifest, "spec", part)]
    target.rewrite(lambda entry: None if noise(entry) and entry not in declared else entry, "spec", part)


def _is_default_toleration(entry: dict[str, Json]) -> bool:
    return (
        reading.text(entry, "key") in _DEFAULT_TOLERATIONS
        and entry.get("operator") == "Exists"
        and entry.get("effect") == "NoExecute"
        and entry.get("tolerationSeconds") == 300
    )


def _without_token_mount(container: dict[str, Json]) -> dict[str, Json]:
    mounts = container.get("volumeMounts")
    if not isinstance(mounts, list):
        return container
    kept = [mount for mount in mounts if not reading.text(mount, "name").startswith(_TOKEN_VOLUME)]
    return {**container, "volumeMounts": kept} if kept else _without(container, "volumeMounts")


def _drop_bundle(target: Target, *path: str, placeholder: Callable[[Json], bool]) -> None:
    declared = [reading.at(manifest, *path, "caBundle") for manifest in target.declared]
    if all(placeholder(bundle) for bundle in declared) and target.has(*path, "caBundle"):
        target.put(_without(reading.mapping(target.manifest, *path), "caBundle"), *path)


def _is_blank(bundle: Json) -> bool:
    """R02: absent, or the lone line break by which charts say that a controller fills it in."""
    if not isinstance(bundle, str):
        return bundle is None
    decoded = _decoded(bundle)
    return decoded is not None and not decoded.strip()


def _is_no_certificate(bundle: Json) -> bool:
    """F05: a CRD whose bundle is no PEM is refused since 1.31, so deployers leave it out."""
    return _is_blank(bundle) or (isinstance(bundle, str) and b"-----BEGIN " not in (_decoded(bundle) or b""))


def _decoded(bundle: str) -> bytes | None:
    try:
        return base64.b64decode(bundle)
    except ValueError:
        return None
