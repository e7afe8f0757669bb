"""The kinds of the configuration, as strict frozen models.

Field names in YAML are camelCase, in Python snake_case. The docstring under a field is its description in
the JSON Schema and in ``docs/configuration.md``.
"""

from lockstep.topology.kinds.application import Application, Flapping, Heal, Image, Protection, Rollout, Source
from lockstep.topology.kinds.base import API_VERSION, Document, KubernetesSecretRef, Metadata, Model, SecretRef
from lockstep.topology.kinds.expected import ExpectedDifference
from lockstep.topology.kinds.mirror import (
    GitGuards,
    GitMirror,
    GitSource,
    ImageMirror,
    ImageMirrorSpec,
    ImageSource,
    Keyless,
)
from lockstep.topology.kinds.protection import Drill, Notification, Pair, StandardWebhook
from lockstep.topology.kinds.site import (
    ClusterEnd,
    ClusterLimits,
    GitCredentials,
    GitEnd,
    GitPlace,
    Proxy,
    RegistryAuth,
    RegistryEnd,
    Site,
)
from lockstep.topology.kinds.webhook import Webhook
from lockstep.topology.objects import SCALABLE

KINDS: dict[str, type[Document]] = {
    "Site": Site,
    "Pair": Pair,
    "Application": Application,
    "GitMirror": GitMirror,
    "ImageMirror": ImageMirror,
    "Webhook": Webhook,
    "ExpectedDifference": ExpectedDifference,
    "Drill": Drill,
    "Notification": Notification,
}
"""Every kind of ours, by name."""

TEKTON_KINDS = frozenset({"Pipeline", "Task"})
"""Tekton's kinds that stand beside ours, as they are."""

__all__ = [
    "API_VERSION",
    "KINDS",
    "SCALABLE",
    "TEKTON_KINDS",
    "Application",
    "ClusterEnd",
    "ClusterLimits",
    "Document",
    "Drill",
    "ExpectedDifference",
    "Flapping",
    "GitCredentials",
    "GitEnd",
    "GitGuards",
    "GitMirror",
    "GitPlace",
    "GitSource",
    "Heal",
    "Image",
    "ImageMirror",
    "ImageMirrorSpec",
    "ImageSource",
    "Keyless",
    "KubernetesSecretRef",
    "Metadata",
    "Model",
    "Notification",
    "Pair",
    "Protection",
    "Proxy",
    "RegistryAuth",
    "RegistryEnd",
    "Rollout",
    "SecretRef",
    "Site",
    "Source",
    "StandardWebhook",
    "Webhook",
]
