"""Which objects an application has deployed: labels and a parent object, as Kubernetes specifies ApplySets.

Source: KEP-3659 "ApplySet: kubectl apply --prune redesign", and "Well-Known Labels, Annotations and Taints" in the
documentation of Kubernetes. Every object of an application carries its set's id. The parent is a ConfigMap in
the application's namespace: it needs no definition of its own, and no right to read Secrets.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import lockstep
from lockstep.manifests import edit
from lockstep.values import Json, ObjectKey, is_digest

PART_OF = "applyset.kubernetes.io/part-of"
"""Label of a member: the id of its set."""
ID = "applyset.kubernetes.io/id"
"""Label of a parent: the id of its set."""
TOOLING = "applyset.kubernetes.io/tooling"
"""Annotation of a parent: who manages the set. Nobody else may."""
KINDS = "applyset.kubernetes.io/contains-group-kinds"
"""Annotation of a parent: the kinds of its members, ``<kind>.<group>``, sorted."""
NAMESPACES = "applyset.kubernetes.io/additional-namespaces"
"""Annotation of a parent: the namespaces of its members beside its own, sorted."""
_TOOL = "lockstep"
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySet:
    """The set of one application, the same at every site."""

    application: str
    namespace: str

    @property
    def parent_key(self) -> ObjectKey:
        """Which object is the parent."""
        return ObjectKey(group="", kind="ConfigMap", namespace=self.namespace, name=f"lockstep.{self.application}")

    @property
    def id(self) -> str:
        """``applyset-<base64url(sha256(<name>.<namespace>.<kind>.<group>))>-v1`` of the parent, without padding."""
        key = self.parent_key
        digest = hashlib.sha256(f"{key.name}.{key.namespace}.{key.kind}.{key.group}".encode()).digest()
        return f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"

    def stamped(self, manifest: dict[str, Json]) -> dict[str, Json]:
        """The object as a member of this set."""
        stamped: dict[str, Json] = edit.replaced(manifest, ("metadata", "labels", PART_OF), self.id)
        return stamped

    def parent(
        self, members: Iterable[ObjectKey], *, revision: str, deploying: str = "", images: Mapping[str, str] = _NONE
    ) -> dict[str, Json]:
        """The parent object of some members.

        Args:
            members: Their keys.
            revision: The commit that was deployed last, whole.
            deploying: The commit that is being deployed: a deploy that ended half-way leaves it here.
            images: What the names of images in git meant in it, digests by ``name:tag``: whoever has nothing but the
                site can deploy the same again.
        """
        keys = list(members)
        kinds = sorted({f"{key.kind}.{key.group}" if key.group else key.kind for key in keys})
        namespaces = sorted({key.namespace for key in keys} - {"", self.namespace})
        annotations = {TOOLING: f"{_TOOL}/v{lockstep.__version__}", KINDS: ",".join(kinds)}
        if namespaces:
            annotations[NAMESPACES] = ",".join(namespaces)
        key = self.parent_key
        return {
            "apiVersion": "v1",
            "kind": key.kind,
            "metadata": {
                "name": key.name,
                "namespace": key.namespace,
                "labels": {ID: self.id},
                "annotations": annotations,
            },
            "data": {
                "application": self.application,
                "revision": revision,
                "deploying": deploying,
                # Lines that a person can read, when there is nothing left but the site.
                **({"images": "".join(f"{name} {images[name]}\n" for name in sorted(images))} if images else {}),
            },
        }


def member_of(manifest: Mapping[str, Json]) -> str:
    """The id of the set that an object belongs to; ``""`` when it belongs to none."""
    return str(edit.at(manifest, ("metadata", "labels", PART_OF)) or "")


def is_parent(manifest: Mapping[str, Json]) -> bool:
    """Whether an object is the parent of a set, which no manifest in git describes."""
    return bool(edit.at(manifest, ("metadata", "labels", ID)))


def managed_by_another(parent: Mapping[str, Json]) -> str:
    """The tool that manages a parent when it is not Lockstep, as the specification has every tool respect."""
    tool = str(edit.at(parent, ("metadata", "annotations", TOOLING)) or "")
    return "" if tool.partition("/")[0] == _TOOL else tool or "nobody"


def namespaces_of(parent: Mapping[str, Json]) -> frozenset[str]:
    """The namespaces beside its own in which a parent has members."""
    told = str(edit.at(parent, ("metadata", "annotations", NAMESPACES)) or "")
    return frozenset(name for name in told.split(",") if name)


def kinds_of(parent: Mapping[str, Json]) -> frozenset[tuple[str, str]]:
    """The kinds, by group, of which a parent has members."""
    told = str(edit.at(parent, ("metadata", "annotations", KINDS)) or "")
    named = (name.partition(".") for name in told.split(",") if name)
    return frozenset((group, kind) for kind, _, group in named)


def revision_of(parent: Mapping[str, Json]) -> str:
    """The commit that was deployed last, whole; ``""`` when the parent does not say."""
    return str(edit.at(parent, ("data", "revision")) or "")


def images_of(parent: Mapping[str, Json]) -> dict[str, str]:
    """What the names of images in git meant in the last deploy, digests by ``name:tag``; what is none is left out."""
    lines = (line.partition(" ") for line in str(edit.at(parent, ("data", "images")) or "").splitlines())
    return {name: digest for name, _, digest in lines if name and is_digest(digest)}
