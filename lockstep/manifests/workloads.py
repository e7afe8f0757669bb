"""Where objects keep what runs: the specs of Pods, and the images in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lockstep.manifests import edit, scope
from lockstep.manifests.scope import GroupKind
from lockstep.topology import objects
from lockstep.values import Json

_TEMPLATE = ("spec", "template", "spec")
# Kubernetes' own kinds that hold the spec of a Pod; extensions is where some of them began.
_POD_SPECS: Mapping[GroupKind, edit.Place] = {
    ("", "Pod"): ("spec",),
    ("", "PodTemplate"): ("template", "spec"),
    ("", "ReplicationController"): _TEMPLATE,
    ("apps", "DaemonSet"): _TEMPLATE,
    ("apps", "Deployment"): _TEMPLATE,
    ("apps", "ReplicaSet"): _TEMPLATE,
    ("apps", "StatefulSet"): _TEMPLATE,
    ("batch", "CronJob"): ("spec", "jobTemplate", *_TEMPLATE),
    ("batch", "Job"): _TEMPLATE,
    ("extensions", "DaemonSet"): _TEMPLATE,
    ("extensions", "Deployment"): _TEMPLATE,
    ("extensions", "ReplicaSet"): _TEMPLATE,
}
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedImage:
    """One place that names an image: ``container`` is the container's name, or says what else it is."""

    place: edit.Place
    container: str
    written: str


def pod_spec(group: str, kind: str) -> edit.Place | None:
    """Where the objects of a kind keep the spec of their Pods; None when nobody knows, as of custom resources."""
    return _POD_SPECS.get((group, kind))


def images(manifest: Mapping[str, Json]) -> Iterator[NamedImage]:
    """Every image that an object names where Kubernetes would pull it.

    In custom resources everything is looked at that has the form of a Pod's spec, for most that run something
    (rollouts, clone sets, services of Knative) hold one.
    """
    group, kind = scope.group_kind(manifest)
    place = _POD_SPECS.get((group, kind))
    if place is not None:
        yield from _of_pod_spec(edit.at(manifest, place), place)
    elif objects.BUILT_IN.get(kind) != group:
        yield from _of_anything(dict(manifest), ())


def _of_anything(value: Json, place: edit.Place) -> Iterator[NamedImage]:
    if isinstance(value, dict):
        yield from _of_pod_spec(value, place)
        for key, item in value.items():
            if key not in _CONTAINERS:
                yield from _of_anything(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _of_anything(item, (*place, index))


def _of_pod_spec(spec: Json, place: edit.Place) -> Iterator[NamedImage]:
    if not isinstance(spec, dict):
        return
    for listed in _CONTAINERS:
        for index, container in _mappings(spec.get(listed)):
            name = str(container.get("name", index))
            yield from _named(container.get("image"), (*place, listed, index, "image"), name)
    if "containers" in spec:
        # Volumes that are images: Kubernetes 1.31 and later.
        for index, volume in _mappings(spec.get("volumes")):
            reference = edit.at(volume, ("image", "reference"))
            where = (*place, "volumes", index, "image", "reference")
            yield from _named(reference, where, f"volume {volume.get('name', index)}")


def _mappings(value: Json) -> Iterator[tuple[int, dict[str, Json]]]:
    for index, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, dict):
            yield index, item


def _named(image: Json, place: edit.Place, container: str) -> Iterator[NamedImage]:
    if isinstance(image, str) and image:
        yield NamedImage(place=place, container=container, written=image)
