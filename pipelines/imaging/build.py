"""Builds an image: packs the directory, takes the base's layers over, writes configuration and manifest."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lockstep.settings import Building
from lockstep.sites import ends, oci
from pipelines.imaging import recipe as recipes
from pipelines.imaging.base import Base, ground_of
from pipelines.imaging.layer import Layer, pack
from pipelines.imaging.recipe import Ground, Recipe

_CHUNK = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What was built. ``size`` is that of the new layer as it is stored; ``entries`` counts what is in it."""

    digest: str
    layer: str
    size: int
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The directory to pack: ``path`` below ``root``; no link leads out of the root."""

    root: Path
    path: str = "."


def build(
    recipe: Recipe,
    files: Directory,
    *,
    target: ends.ImageStore,
    repository: str,
    base: Base | None = None,
    limits: Building | None = None,
) -> Built:
    """Build an image into a repository, listed by its digest; ``write_manifest`` gives it a tag.

    Raises:
        InputError: The recipe, the directory or the base cannot make an image.
        NotFoundError: The directory or the base is not there, or has nothing for this platform.
        IntegrityError: The base is damaged, or a file changed while it was read.
    """
    recipe.check()
    limits = limits or Building()
    ground = ground_of(base, recipe) if base else Ground()
    with tempfile.TemporaryFile(dir=limits.scratch) as packed, target.writing(repository):
        layer = pack(files.root, files.path, packed, at=recipe.at, epoch=recipe.epoch, limits=limits)
        if base is not None:
            for inherited in ground.layers:
                _take_over(inherited, base, target, repository)
        _put_layer(packed, layer, target, repository)
        config = recipes.configuration(recipe, ground, layer)
        if not target.has_blob(repository, recipes.config_descriptor(config)):
            target.write_blob(repository, recipes.config_descriptor(config), [config])
        made = recipes.manifest(ground, config, layer)
        target.write_manifest(repository, made)
    return Built(digest=made.digest, layer=layer.digest, size=layer.size, entries=layer.entries)


def _take_over(layer: ends.Descriptor, base: Base, target: ends.ImageStore, repository: str) -> None:
    """Bring a layer of the base to the target: it may be there, it may be mounted, else it is copied."""
    if target.has_blob(repository, layer):
        return
    if base.store.address == target.address and target.mount_blob(repository, layer, origin=base.repository):
        return
    if oci.is_optional(layer) and not base.store.has_blob(base.repository, layer):
        return
    with base.store.read_blob(base.repository, layer) as chunks:
        target.write_blob(repository, layer, chunks)


def _put_layer(packed: IO[bytes], layer: Layer, target: ends.ImageStore, repository: str) -> None:
    described = recipes.layer_descriptor(layer)
    if target.has_blob(repository, described):
        return
    packed.seek(0)
    target.write_blob(repository, described, iter(lambda: packed.read(_CHUNK), b""))
