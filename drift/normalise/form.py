"""One manifest to its normal form: version, noise, defaults, shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from drift.normalise import defaults, noise, reading, tame, tree, versions
from drift.normalise.conform import conform
from drift.normalise.kinds import CUSTOM_PARTS, SHAPES, shape_of
from drift.normalise.schemas import NO_SCHEMAS, Schemas
from drift.normalise.shapes import UNKNOWN, Shape
from drift.normalise.target import Target
from lockstep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """The normal form of one object. ``encoded`` are its bytes: equal bytes, equal objects.

    ``custom``: it is of a kind that nothing is known of but its schema, if that.
    """

    api_version: str
    custom: bool
    tree: tree.Node
    encoded: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One object without noise and with its defaults, and the shape of its kind."""

    manifest: dict[str, Json]
    shape: Shape

    @property
    def encoded(self) -> bytes:
        """Its bytes: equal bytes, equal normal forms."""
        return tree.encode(self.manifest)


def normalise(
    manifest: dict[str, Json], *, declared: Sequence[dict[str, Json]] = (), schemas: Schemas = NO_SCHEMAS
) -> Normal:
    """The normal form of a manifest.

    Args:
        manifest: An object from git or from a site; it is not changed.
        declared: What git says of this object, for any site: a field that git sets is kept.
        schemas: The schemas of custom resources that are known.
    """
    return complete(slim(manifest, declared=declared), schemas=schemas)


def slim(manifest: dict[str, Json], *, declared: Sequence[dict[str, Json]] = ()) -> bytes:
    """The manifest without noise, as bytes: two that are equal have equal normal forms.

    This is the cheap look that comes first: most objects of two sites are equal by it.
    """
    target = Target(dict(versions.convert(manifest)), tuple(map(versions.convert, declared)))
    for strip in noise.rules_for(*_kind_of(target.manifest)):
        strip(target)
    try:
        return tree.encode(target.manifest)
    except TypeError:
        # Nested too deeply, a number of more than 64 bits, half a surrogate: made fit to be compared.
        return tree.encode(tame.tame(target.manifest))


def filled(slimmed: bytes, *, schemas: Schemas = NO_SCHEMAS) -> Filled:
    """What ``slim`` handed back with its defaults filled in: two that are equal have equal normal forms.

    This is the look that comes second: most of what lives is what git says with the server's defaults.
    """
    private = _bare(slimmed, schemas)
    kind = _kind_of(private)
    schema = schemas.of(reading.text(private, "apiVersion"), kind[1])
    for fill in defaults.BY_KIND.get(kind, ()):
        fill(private)
    if schema is not None:
        schema.fill(private)
    return Filled(manifest=private, shape=_shape_of(private, schemas))


def conformed(whole: Filled) -> Normal:
    """The normal form of what ``filled`` handed back: lists by their keys, quantities by their one text."""
    kind = _kind_of(whole.manifest)
    form = conform(whole.manifest, whole.shape, otherwise=UNKNOWN if kind in SHAPES else CUSTOM_PARTS)
    api_version = reading.text(whole.manifest, "apiVersion")
    return Normal(api_version=api_version, custom=kind not in SHAPES, tree=form, encoded=tree.encode(form))


def as_written(slimmed: bytes, *, schemas: Schemas = NO_SCHEMAS) -> Normal:
    """The normal form of what ``slim`` handed back without any default: what it has, somebody wrote."""
    private = _bare(slimmed, schemas)
    return conformed(Filled(manifest=private, shape=_shape_of(private, schemas)))


def complete(slimmed: bytes, *, schemas: Schemas = NO_SCHEMAS) -> Normal:
    """The normal form of what ``slim`` handed back: defaults filled in, lists by their keys."""
    return conformed(filled(slimmed, schemas=schemas))


def _bare(slimmed: bytes, schemas: Schemas) -> dict[str, Json]:
    """What ``slim`` handed back, ours to change, without the nulls that say nothing."""
    private: dict[str, Json] = orjson.loads(slimmed)
    if b"null" not in slimmed:
        return private
    schema = schemas.of(reading.text(private, "apiVersion"), _kind_of(private)[1])
    bare: dict[str, Json] = reading.without_nulls(private) if schema is None else schema.without_nulls(private)
    return bare


def _shape_of(manifest: dict[str, Json], schemas: Schemas) -> Shape:
    kind = _kind_of(manifest)
    schema = schemas.of(reading.text(manifest, "apiVersion"), kind[1])
    return schema.shape if schema is not None else shape_of(*kind)


def _kind_of(manifest: dict[str, Json]) -> tuple[str, str]:
    return reading.text(manifest, "apiVersion").rpartition("/")[0], reading.text(manifest, "kind")
