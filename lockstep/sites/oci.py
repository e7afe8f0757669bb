"""What is written inside manifests and indexes: read once, strictly, for layouts, registries and plans alike.

Pure: bytes in, descriptors out. The formats are the OCI image specification 1.1 (with the artifact manifest
of its release candidates) and Docker's image manifest version 2, schema 2. All are kept byte for byte and
never converted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import orjson

from lockstep import errors, values
from lockstep.sites.ends import Descriptor, Manifest
from lockstep.values import Json

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
IMAGES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
MANIFESTS = INDEXES | IMAGES | {OCI_ARTIFACT}
"""Every kind of manifest that can be mirrored."""

# Layers that their owner does not let others distribute (image specification 1.1, "Non-Distributable Layers").
_FOREIGN = (
    "application/vnd.oci.image.layer.nondistributable.",
    "application/vnd.docker.image.rootfs.foreign.",
)

MANIFEST_BYTES = 8 * 2**20
"""A larger manifest is refused. The distribution specification asks registries for 4 MiB at least."""
# A manifest may name this many things; 8 MiB of descriptors would be more, and no image needs them.
_MOST_DESCRIPTORS = 10_000
_LARGEST_BLOB = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a manifest names: manifests below it, blobs (an image's config first, then its layers), its subject."""

    children: tuple[Descriptor, ...] = ()
    blobs: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)


def digest_of(data: bytes, *, like: str) -> str:
    """The digest of some bytes, by the algorithm of another digest."""
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def is_optional(blob: Descriptor) -> bool:
    """Whether a blob may be absent: it can be had elsewhere, or its owner does not let us distribute it."""
    return bool(blob.urls) or blob.media_type.startswith(_FOREIGN)


def contents(manifest: Manifest) -> Contents:
    """Read a manifest.

    Raises:
        UnsupportedError: It is of a kind that cannot be mirrored (Docker's schema 1), or uses an unknown digest.
        IntegrityError: It is not what its media type says.
    """
    if manifest.media_type not in MANIFESTS:
        raise errors.UnsupportedError(
            f"{manifest.digest} is of the kind {manifest.media_type!r}, which cannot be mirrored.",
            remedy="Push the image again in the format of OCI or of Docker schema 2.",
        )
    body = _object(manifest)
    _one_kind(manifest, body)
    config = body.get("config")
    listed = [entry for key in _LISTS[manifest.media_type] for entry in _list(manifest, body, key)]
    if len(listed) > _MOST_DESCRIPTORS:
        raise _wrong(manifest, f"names more than {_MOST_DESCRIPTORS} things")
    named = [descriptor(entry) for entry in ([config, *listed] if manifest.media_type in IMAGES else listed)]
    kind = body.get("artifactType") or (config.get("mediaType") if isinstance(config, dict) else "")
    return Contents(
        children=tuple(one for one in named if one.media_type in MANIFESTS),
        blobs=tuple(one for one in named if one.media_type not in MANIFESTS),
        subject=descriptor(body["subject"]) if body.get("subject") is not None else None,
        artifact_type=kind if isinstance(kind, str) else "",
        annotations=_texts(body.get("annotations")),
    )


def kind_of(raw: bytes) -> str:
    """The media type of a manifest's bytes, from what it says or else from its shape; empty when it is none.

    ``mediaType`` is optional in OCI documents and required in Docker's; without it the shape decides, as the
    image specification allows.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(body, dict):
        return ""
    said = body.get("mediaType")
    if said is not None:
        return said if isinstance(said, str) and said in MANIFESTS else ""
    if isinstance(body.get("manifests"), list):
        return OCI_INDEX
    return OCI_MANIFEST if isinstance(body.get("layers"), list) and isinstance(body.get("config"), dict) else ""


def descriptor(entry: Json) -> Descriptor:
    """Read one descriptor.

    Raises:
        IntegrityError: It is not a descriptor, or the data that it carries is not its digest's.
        UnsupportedError: Its digest is of an algorithm that is not registered.
    """
    if not isinstance(entry, dict):
        raise errors.IntegrityError(f"A descriptor is not an object: {str(entry)[:80]!r}.")
    kind, digest, size = entry.get("mediaType"), entry.get("digest"), entry.get("size")
    if not isinstance(kind, str) or not kind or not isinstance(digest, str) or not _is_size(size):
        raise errors.IntegrityError(f"A descriptor lacks a media type, a digest or a size: {str(entry)[:200]!r}.")
    if not values.is_digest(digest):
        raise errors.UnsupportedError(
            f"{digest[:140]!r} is not a digest that Lockstep can verify.", remedy="Use sha256 or sha512."
        )
    platform, urls, artifact_type = entry.get("platform"), entry.get("urls"), entry.get("artifactType")
    return Descriptor(
        media_type=kind,
        digest=digest,
        size=size,
        annotations=_texts(entry.get("annotations")),
        platform=platform if isinstance(platform, dict) else None,
        urls=tuple(url for url in urls if isinstance(url, str)) if isinstance(urls, list) else (),
        data=_data(entry.get("data"), digest, size),
        artifact_type=artifact_type if isinstance(artifact_type, str) else "",
    )


def as_json(described: Descriptor) -> dict[str, Json]:
    """Write a descriptor, without the keys that say nothing."""
    entry: dict[str, Json] = {
        "mediaType": described.media_type,
        "digest": described.digest,
        "size": described.size,
        "urls": list(described.urls),
        "annotations": dict(described.annotations),
        "data": base64.b64encode(described.data).decode() if described.data is not None else None,
        "platform": dict(described.platform) if described.platform else None,
        "artifactType": described.artifact_type,
    }
    return {key: value for key, value in entry.items() if value not in (None, [], {}, "")}


# Where each kind lists what it names, beside an image's config.
_LISTS = {
    OCI_INDEX: ("manifests",),
    DOCKER_LIST: ("manifests",),
    OCI_MANIFEST: ("layers",),
    DOCKER_MANIFEST: ("layers",),
    OCI_ARTIFACT: ("blobs",),
}


def _object(manifest: Manifest) -> dict[str, Json]:
    if len(manifest.raw) > MANIFEST_BYTES:
        raise _wrong(manifest, f"is larger than {MANIFEST_BYTES} bytes")
    try:
        body = orjson.loads(manifest.raw)
    except orjson.JSONDecodeError as error:
        raise _wrong(manifest, f"is not JSON ({error})") from error
    if not isinstance(body, dict):
        raise _wrong(manifest, "is not a JSON object")
    return body


def _one_kind(manifest: Manifest, body: dict[str, Json]) -> None:
    """Refuse bytes that one reader takes for an index and another for an image (CVE-2021-41190)."""
    said = body.get("mediaType", manifest.media_type)
    if said != manifest.media_type:
        raise _wrong(manifest, f"calls itself {said!r} and is served as {manifest.media_type!r}")
    others = {"manifests", "layers", "config", "fsLayers", "blobs"} - set(_LISTS[manifest.media_type])
    if manifest.media_type in IMAGES:
        others -= {"config"}
    found = sorted(others & body.keys())
    if found:
        raise _wrong(manifest, f"is served as {manifest.media_type!r} and has {' and '.join(found)} too")


def _list(manifest: Manifest, body: dict[str, Json], key: str) -> list[Json]:
    listed = body.get(key)
    if listed is None and key != "manifests":
        return []
    if not isinstance(listed, list):
        raise _wrong(manifest, f"has no list of {key}")
    return listed


def _is_size(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_BLOB


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: text for key, text in value.items() if isinstance(text, str)}


def _data(text: Any, digest: str, size: int) -> bytes | None:
    if text is None:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise errors.IntegrityError(f"The data inside the descriptor of {digest} is not base64.") from error
    if len(data) != size or digest_of(data, like=digest) != digest:
        raise errors.IntegrityError(f"The data inside the descriptor of {digest} is not that content.")
    return data


def _wrong(manifest: Manifest, what: str) -> errors.IntegrityError:
    return errors.IntegrityError(
        f"The manifest {manifest.digest} {what}.", remedy="Push the image again; it cannot be mirrored as it is."
    )
