"""What people do to sites: change a field by hand at the standby, and a hot fix at the primary.

It edits the YAML files of a directory cluster the way a person with an editor would, and commits the hot fix
to the application's manifests the way a person should have in the first place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_KUSTOMIZATIONS = {"kustomization.yaml", "kustomization.yml", "Kustomization"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A field that can be changed: the manifest's file in the clone, which document, and the path in it."""

    file: Path
    position: int
    kind: str
    name: str
    path: tuple[str | int, ...]

    @property
    def pointer(self) -> str:
        """The path as a JSON Pointer (RFC 6901)."""
        return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in self.path)


def spots(work: Path) -> list[Spot]:
    """Fields of the application that a person might change, one for each object, best first.

    A value of a ConfigMap is best, an environment variable next, then the port of a Service, then a label.
    """
    found = [spot for file, position, manifest in _manifests(work) if (spot := _spot(file, position, manifest))]
    return sorted(found, key=lambda spot: (_rank(spot), spot.kind, spot.name))


def _manifests(work: Path) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    for file in sorted(work.rglob("*.y*ml")):
        if ".git" in file.parts or file.name in _KUSTOMIZATIONS or "overlays" in file.parts:
            continue
        for position, manifest in enumerate(yaml.safe_load_all(file.read_text(encoding="utf-8"))):
            if isinstance(manifest, dict) and manifest.get("kind") and (manifest.get("metadata") or {}).get("name"):
                yield file, position, manifest


def _spot(file: Path, position: int, manifest: dict[str, Any]) -> Spot | None:
    path = _path(manifest)
    if path is None:
        return None
    name = manifest["metadata"]["name"]
    return Spot(file=file, position=position, kind=manifest["kind"], name=name, path=path)


def _path(manifest: dict[str, Any]) -> tuple[str | int, ...] | None:
    data = manifest.get("data")
    if manifest["kind"] == "ConfigMap" and isinstance(data, dict):
        return next(
            (("data", key) for key, value in data.items() if isinstance(value, str) and "\n" not in value), None
        )
    spec = manifest.get("spec")
    pod = spec.get("template", {}).get("spec", {}) if isinstance(spec, dict) else {}
    for index, container in enumerate(pod.get("containers") or []):
        for place, variable in enumerate(container.get("env") or []):
            if isinstance(variable.get("value"), str):
                return ("spec", "template", "spec", "containers", index, "env", place, "value")
    if manifest["kind"] == "Service" and isinstance(spec, dict) and spec.get("ports"):
        return ("spec", "ports", 0, "port")
    labels = manifest["metadata"].get("labels")
    return ("metadata", "labels", next(iter(labels))) if labels else None


def _rank(spot: Spot) -> int:
    return ("data", "spec", "metadata").index(str(spot.path[0])) * 10 + len(spot.path) % 10 * -1


def change_at_site(cluster: Path, spot: Spot, *, mark: str) -> None:
    """Edit the live object's file at a site.

    Raises:
        FileNotFoundError: The site does not have the object.
    """
    files = [
        file for file in sorted(cluster.rglob(f"{spot.name}.yaml")) if file.parent.name.startswith(f"{spot.kind}.")
    ]
    if not files:
        raise FileNotFoundError(f"{spot.kind} {spot.name} is not at {cluster}")
    manifest = yaml.safe_load(files[0].read_text(encoding="utf-8"))
    _set(manifest, spot, mark)
    files[0].write_text(yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True), encoding="utf-8")


def change_in_git(spot: Spot, *, mark: str) -> None:
    """Make the same change in the application's manifests."""
    manifests = list(yaml.safe_load_all(spot.file.read_text(encoding="utf-8")))
    _set(manifests[spot.position], spot, mark)
    spot.file.write_text(yaml.safe_dump_all(manifests, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _set(manifest: dict[str, Any], spot: Spot, mark: str) -> None:
    place: Any = manifest
    for part in spot.path[:-1]:
        place = place[part]
    old = place[spot.path[-1]]
    place[spot.path[-1]] = old + 1 if isinstance(old, int) else f"{old}-{mark}"
