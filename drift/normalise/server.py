"""What the server owns: nobody can set it by applying, so it is never compared, not even when git has it.

An exported manifest in git often carries these fields; the server takes none of them. This is the one exception
to the law that a field that git sets is compared.
"""

from __future__ import annotations

from drift.normalise import reading
from drift.normalise.target import Target

# X01: set by the API server (metav1.ObjectMeta says so of each: "Read-only", "Populated by the system").
OWNED_METADATA = frozenset(
    {
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    }
)
# N22: a copy of what was last applied, written by kubectl itself.
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_TEMPLATES = (("spec", "template"), ("spec", "jobTemplate"), ("spec", "jobTemplate", "spec", "template"))


def owned(target: Target) -> None:
    """X01, N11, N22, N23, N29, F03, R01: identity, bookkeeping, status and the copy of the last apply."""
    manifest = target.manifest
    manifest.pop("status", None)
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict):
        return
    kept = {key: value for key, value in metadata.items() if key not in OWNED_METADATA}
    annotations = kept.get("annotations")
    if isinstance(annotations, dict) and LAST_APPLIED in annotations:
        kept["annotations"] = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
    manifest["metadata"] = kept


def template_timestamps(target: Target) -> None:
    """X02: ``creationTimestamp: null`` in templates, which exporters and old servers write."""
    for path in _TEMPLATES:
        if target.has(*path, "metadata", "creationTimestamp"):
            metadata = dict(reading.mapping(target.manifest, *path, "metadata"))
            del metadata["creationTimestamp"]
            target.put(metadata, *path, "metadata")
