"""What the schema of a custom resource says: its defaults and what its lists are (G1, G2, N10, N21).

The source is the CustomResourceDefinition as a site or git has it. Structural schemas only
(``apiextensions.k8s.io/v1``); what a schema does not say is compared as it is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import orjson

from drift.normalise import reading, tame
from drift.normalise.pods import POD_SPEC
from drift.normalise.shapes import METADATA, QUANTITY, Order, Shape
from lockstep.values import Json

# A schema that refers to itself cannot be written in a CRD, so this only bounds hostile ones.
_DEEPEST = 60
# What controller-tools writes for resource.Quantity (k8s.io/apimachinery, Quantity.OpenAPISchemaType).
_QUANTITY_PATTERN = "(([KMGTPE]i)|[numkMGTPE]|"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
# What every object has, an embedded one too.
_OBJECT = ("apiVersion", "kind", "metadata")


@dataclass(frozen=True)
class Schema:
    """The schema of one version of a custom resource."""

    body: dict[str, Json]

    @cached_property
    def shape(self) -> Shape:
        """The shape that the schema gives."""
        inner = _shape(self.body, 0)
        return Shape(fields={**inner.fields, "metadata": METADATA}, values=inner.values)

    @cached_property
    def has_defaults(self) -> bool:
        """Whether there is anything to fill in."""
        return b'"default":' in orjson.dumps(self.body)

    def without_nulls(self, manifest: dict[str, Json]) -> dict[str, Json]:
        """Without the nulls that say what an absent field says (structural-schema/defaulting/prune.go).

        Those are kept that hold off a default, and those among fields that the schema leaves to whoever writes them.
        """
        pruned: dict[str, Json] = _pruned(manifest, self.body, 0, is_free=False)
        return {**pruned, "metadata": reading.without_nulls(pruned["metadata"])} if "metadata" in pruned else pruned

    def fill(self, manifest: dict[str, Json]) -> None:
        """Set the defaults that the schema has, as the API server does (structural-schema/defaulting)."""
        if self.has_defaults:
            _fill(manifest, self.body, 0)


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schemas that are known, by group, version and kind. ``digest`` changes when any of them does."""

    known: Mapping[tuple[str, str, str], Schema] = field(default_factory=dict)
    digest: bytes = b""

    def of(self, api_version: str, kind: str) -> Schema | None:
        """The schema of a kind in a version; None when no site told."""
        group, _, version = api_version.rpartition("/")
        return self.known.get((group, version, kind))


NO_SCHEMAS = Schemas()


def collect(manifests: Iterable[dict[str, Json]]) -> Schemas:
    """The schemas in the CustomResourceDefinitions among some manifests; of two for one version the first counts."""
    known: dict[tuple[str, str, str], Schema] = {}
    for manifest in manifests:
        if manifest.get("kind") != "CustomResourceDefinition":
            continue
        group, kind = reading.text(manifest, "spec", "group"), reading.text(manifest, "spec", "names", "kind")
        for version in reading.entries(manifest, "spec", "versions"):
            body = reading.mapping(version, "schema", "openAPIV3Schema")
            if body:
                known.setdefault((group, reading.text(version, "name"), kind), Schema(_sound(body)))
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(known):
        digest.update(orjson.dumps([name, known[name].body], option=orjson.OPT_SORT_KEYS))
    return Schemas(known, digest.digest() if known else b"")


def _sound(body: dict[str, Json]) -> dict[str, Json]:
    """A schema that can be written down: nobody's comparison ends because of a number of more than 64 bits in one."""
    try:
        orjson.dumps(body)
    except TypeError:
        tamed: dict[str, Json] = tame.tame(body)
        return tamed
    return body


def _shape(schema: dict[str, Json], depth: int) -> Shape:
    if depth > _DEEPEST:
        return Shape()
    if _QUANTITY_PATTERN in reading.text(schema, "pattern"):
        return QUANTITY
    if "items" in schema:
        return _list(schema, depth)
    properties = reading.mapping(schema, "properties")
    fields = {name: _shape(inner, depth + 1) for name, inner in properties.items() if isinstance(inner, dict)}
    if "containers" in fields:
        # N10: wherever containers are, there is a Pod's specification.
        fields.update({name: shape for name, shape in POD_SPEC.fields.items() if name in fields})
    extra = schema.get("additionalProperties")
    return Shape(fields=fields, values=_shape(extra, depth + 1) if isinstance(extra, dict) else None)


def _list(schema: dict[str, Json], depth: int) -> Shape:
    inner = _shape(reading.mapping(schema, "items"), depth + 1)
    kind = schema.get("x-kubernetes-list-type")
    if kind == "map":
        keys = schema.get("x-kubernetes-list-map-keys")
        names = tuple(key for key in keys if isinstance(key, str)) if isinstance(keys, list) else ()
        return Shape(items=inner, order=Order.MAP, keys=names)
    return Shape(items=inner, order=Order.BAG if kind == "set" else Order.SEQUENCE)


def _pruned(value: Json, schema: dict[str, Json], depth: int, *, is_free: bool) -> Json:
    """``is_free``: the schema leaves what it does not name to whoever writes it."""
    if depth > _DEEPEST or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return [_pruned(item, reading.mapping(schema, "items"), depth + 1, is_free=is_free) for item in value]
    properties, extra = reading.mapping(schema, "properties"), reading.mapping(schema, "additionalProperties")
    is_free = is_free or schema.get(_PRESERVE) is True
    kept = {}
    for name, item in value.items():
        inner = reading.mapping(properties, name) or extra
        holds_off = inner.get("nullable") is True and inner.get("default") is not None
        is_ours = is_free and not inner and not (name in _OBJECT and schema.get(_EMBEDDED) is True)
        if item is not None or holds_off or is_ours:
            kept[name] = _pruned(item, inner, depth + 1, is_free=is_ours)
    return kept


def _fill(value: Json, schema: dict[str, Json], depth: int) -> None:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        properties = reading.mapping(schema, "properties")
        for name, inner in properties.items():
            default = reading.at(inner, "default")
            if name not in value and default is not None:
                value[name] = orjson.loads(orjson.dumps(default))
        extra = reading.mapping(schema, "additionalProperties")
        for name, item in value.items():
            _fill(item, reading.mapping(properties, name) or extra, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _fill(item, reading.mapping(schema, "items"), depth + 1)
