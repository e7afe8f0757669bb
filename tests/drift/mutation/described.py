"""The kinds that servers and definitions describe, each with a whole object of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from drift import exclusions
from drift.normalise import NO_SCHEMAS, Schemas, collect
from lockstep.values import Json
from tests.drift.mutation.filling import Filling, Place

# What says which object it is: with another one there it is another object.
_IDENTITY = (
    *((), ("apiVersion",), ("kind",), ("metadata",)),
    *(("metadata", name) for name in ("name", "namespace")),
)
_REFERENCE = "x-kubernetes-group-version-kind"
# What a CRD's schema says of metadata: nothing, the server has its own.
_META = "meta.v1.ObjectMeta"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind in one version. ``custom`` is the definition that brought it."""

    group: str
    version: str
    kind: str
    schema: Mapping[str, Json]
    components: Mapping[str, Mapping[str, Json]]
    custom: Mapping[str, Json] | None = None

    @property
    def title(self) -> str:
        """``apps/v1 Deployment``."""
        return f"{self.group}/{self.version} {self.kind}".removeprefix("/")

    @functools.cached_property
    def whole(self) -> tuple[dict[str, Json], tuple[Place, ...]]:
        """An object with every field set, and its places; those that say what it is are left out."""
        filling = Filling(components=self.components, is_structural=self.custom is not None)
        value = filling.fill(self.schema) or {}
        value |= {"apiVersion": f"{self.group}/{self.version}".removeprefix("/"), "kind": self.kind}
        return value, tuple(place for place in filling.places if place.path not in _IDENTITY)

    @functools.cached_property
    def schemas(self) -> Schemas:
        """What is known of it while it is compared: its definition, if it has one."""
        return collect([dict(self.custom)]) if self.custom is not None else NO_SCHEMAS


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a server serves: kinds that are compared, names of those that are not, and of those without a schema."""

    kinds: tuple[Kind, ...]
    excluded: tuple[str, ...]
    undescribed: tuple[str, ...]


def served(get: Callable[[str], Json]) -> Served:
    """Everything that can be listed at a server, by its discovery and its ``/openapi/v3``.

    Args:
        get: The JSON at a path of the server.
    """
    kinds: list[Kind] = []
    excluded: list[str] = []
    undescribed: list[str] = []
    for place, index in sorted(get("/openapi/v3")["paths"].items()):
        if not (place.startswith("apis/") and place.count("/") == 2) and place != "api/v1":
            continue
        listed = [one["kind"] for one in get(f"/{place}")["resources"] if "list" in one.get("verbs", ())]
        components = get(index["serverRelativeURL"])["components"]["schemas"]
        found = {
            (one["group"], one["kind"]): name for name, one_ in components.items() for one in one_.get(_REFERENCE, ())
        }
        group, _, version = place.partition("/")[2].rpartition("/")
        for kind in listed:
            title = f"{group}/{version} {kind}".removeprefix("/")
            if exclusions.is_excluded(group, kind):
                excluded.append(title)
            elif (group, kind) not in found:
                undescribed.append(title)
            else:
                schema = components[found[group, kind]]
                kinds.append(Kind(group=group, version=version, kind=kind, schema=schema, components=components))
    return Served(kinds=tuple(kinds), excluded=tuple(excluded), undescribed=tuple(undescribed))


def defined(manifests: Iterable[Mapping[str, Json]]) -> Iterator[Kind]:
    """The kinds that some CustomResourceDefinitions bring, in every version that is served."""
    for manifest in manifests:
        if manifest.get("kind") != "CustomResourceDefinition":
            continue
        spec = manifest["spec"]
        if exclusions.is_excluded(spec["group"], spec["names"]["kind"]):
            continue
        for version in spec.get("versions", ()):
            schema = version.get("schema", {}).get("openAPIV3Schema")
            if schema:
                properties = {**schema.get("properties", {}), "metadata": {"$ref": f"#/components/schemas/{_META}"}}
                yield Kind(
                    group=spec["group"],
                    version=version["name"],
                    kind=spec["names"]["kind"],
                    schema={**schema, "properties": properties},
                    components={_META: _METADATA},
                    custom=manifest,
                )


_MARKS = {"type": "object", "additionalProperties": {"type": "string"}}
_METADATA: Mapping[str, Json] = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in ("name", "namespace")},
        **dict.fromkeys(("labels", "annotations"), _MARKS),
    },
}
