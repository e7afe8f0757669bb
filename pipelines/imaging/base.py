"""The image that another is built on: found for the platform, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.values import Json
from pipelines.imaging.recipe import Ground, Recipe, machine

_CONFIGS = frozenset({oci.OCI_CONFIG, "application/vnd.docker.container.image.v1+json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The image to build on: an image, or an index that has one for the recipe's platform."""

    store: ends.ImageStore
    repository: str
    digest: str


def ground_of(base: Base, recipe: Recipe) -> Ground:
    """What a base brings.

    Raises:
        NotFoundError: It is not there, or has nothing for this platform.
        InputError: It is no image that can be run.
        IntegrityError: It is damaged, or contradicts itself.
    """
    manifest = _manifest(base, base.digest)
    for _ in range(3):  # an index may name indexes; nobody nests them deeper
        if manifest.media_type not in oci.INDEXES:
            break
        manifest = _manifest(base, _platform(base, manifest, recipe))
    contents = oci.contents(manifest)
    if manifest.media_type not in oci.IMAGES or contents.blobs[0].media_type not in _CONFIGS:
        raise errors.InputError(
            f"{base.digest} is no image that can be run ({contents.artifact_type or manifest.media_type}).",
            remedy="Name an image as the base.",
        )
    config, *layers = contents.blobs
    settings = _configuration(base, config)
    if len(settings["rootfs"]["diff_ids"]) != len(layers):
        raise errors.IntegrityError(
            f"The base {manifest.digest} has {len(layers)} layers, and its configuration names others.",
            remedy="Push the base again.",
        )
    said = settings.get("architecture")
    if recipe.architecture and said != recipe.architecture:
        raise errors.InputError(
            f"The base {manifest.digest} is for {said}, the image shall be for {recipe.architecture}.",
            remedy="Name a base for that platform.",
        )
    return Ground(digest=manifest.digest, layers=tuple(layers), configuration=settings)


def _manifest(base: Base, digest: str) -> ends.Manifest:
    found = base.store.manifest(base.repository, digest)
    if found is None:
        raise errors.NotFoundError(
            f"{base.store.address} has no {digest} in {base.repository}.", remedy="Mirror the base there first."
        )
    return found


def _platform(base: Base, index: ends.Manifest, recipe: Recipe) -> str:
    wanted = (recipe.system, recipe.architecture or machine())
    children = oci.contents(index).children
    offered = [
        (str(child.platform.get("os")), str(child.platform.get("architecture")), child.digest)
        for child in children
        if child.platform
    ]
    for system, architecture, digest in offered:
        if (system, architecture) == wanted:
            return digest
    names = ", ".join(sorted({f"{system}/{architecture}" for system, architecture, _ in offered})) or "none"
    raise errors.NotFoundError(
        f"The base {base.digest} has nothing for {'/'.join(wanted)}.", remedy=f"It has: {names}."
    )


def _configuration(base: Base, config: ends.Descriptor) -> Mapping[str, Json]:
    if config.size > oci.MANIFEST_BYTES:
        raise errors.IntegrityError(f"The configuration of the base {base.digest} is larger than any.")
    with base.store.read_blob(base.repository, config) as chunks:
        raw = b"".join(chunks)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise errors.IntegrityError(f"The configuration of the base {base.digest} is not JSON.") from error
    if not _is_configuration(body):
        raise errors.IntegrityError(f"The configuration of the base {base.digest} is not a configuration.")
    found: Mapping[str, Json] = body
    return found


def _is_configuration(body: Json) -> bool:
    """Whether the parts that are inherited have the shapes of the specification, where they are there."""
    if not isinstance(body, dict) or not isinstance(body.get("rootfs"), dict):
        return False
    settings = body.get("config") or {}
    shapes = [(body.get("history"), list), (settings, dict), (body["rootfs"].get("diff_ids") or None, list)]
    if isinstance(settings, dict):
        shapes += [(settings.get("Env"), list), (settings.get("Labels"), dict), (settings.get("ExposedPorts"), dict)]
    return "diff_ids" in body["rootfs"] and all(part is None or isinstance(part, kind) for part, kind in shapes)
