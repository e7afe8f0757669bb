"""What an image runs, and the configuration and manifest that say so. Pure.

The rules are those of the OCI image specification 1.1 ("Image Configuration"), and of Docker for what a derived
image inherits: an entrypoint of its own takes the base's command away.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from lockstep import errors, values
from lockstep.sites import ends, oci
from lockstep.values import Json
from pipelines.imaging.layer import Layer

_PORT = re.compile(r"([1-9]\d{0,4})(/(tcp|udp|sctp))?")
_BASE_DIGEST = "org.opencontainers.image.base.digest"
# Docker's media types of layers and OCI's for the same bytes.
_LAYERS = {
    "application/vnd.docker.image.rootfs.diff.tar": oci.OCI_LAYER,
    "application/vnd.docker.image.rootfs.diff.tar.gzip": f"{oci.OCI_LAYER}+gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": f"{oci.OCI_LAYER}+zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    ),
}
# What Python calls processors, and what Go, and therefore images, call them.
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What is put where, and what runs. What is empty is the base's."""

    at: str = "/"
    """Where the directory goes inside the image."""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = ""
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    """Such as ``8080`` or ``53/udp``."""
    architecture: str = ""
    """As Go names it, such as ``amd64``; the base's, or this machine's on nothing."""
    system: str = "linux"
    epoch: int = 0
    """The moment of everything inside, in seconds since 1970 (``SOURCE_DATE_EPOCH``)."""

    def check(self) -> None:
        """Refuse what no image can mean.

        Raises:
            InputError: Saying which part.
        """
        for name, path in (("at", self.at), ("workingDir", self.working_directory)):
            if path and (not path.startswith("/") or ".." in path.split("/") or "\0" in path):
                raise errors.InputError(f"{name} {path!r} is not an absolute path.", remedy="Write it as /app.")
        for key in self.environment:
            if not key or "=" in key or "\0" in key:
                raise errors.InputError(f"{key!r} cannot name an environment variable.")
        for port in self.ports:
            if not (found := _PORT.fullmatch(port)) or int(found[1]) > 65535:
                raise errors.InputError(f"{port!r} is not a port.", remedy="Write it as 8080 or 53/udp.")
        if self.epoch < 0:
            raise errors.InputError("The moment of an image cannot lie before 1970.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a base brings: its digest, its layers and its configuration; nothing at all for ``scratch``."""

    digest: str = ""
    layers: tuple[ends.Descriptor, ...] = ()
    configuration: Mapping[str, Json] = field(default_factory=dict)


def configuration(recipe: Recipe, ground: Ground, layer: Layer) -> bytes:
    """The image's configuration document."""
    base = ground.configuration
    moment = datetime.fromtimestamp(recipe.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    diff_ids = [*base.get("rootfs", {}).get("diff_ids", []), layer.diff_id]
    body: dict[str, Json] = {
        key: base[key] for key in ("variant", "os.version", "os.features", "author") if base.get(key)
    }
    body |= {
        "architecture": recipe.architecture or base.get("architecture") or machine(),
        "os": base.get("os") or recipe.system,
        "created": moment,
        "config": _settings(recipe, base.get("config") or {}),
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    history = base.get("history") or []
    if history or len(diff_ids) == 1:
        body["history"] = [*history, {"created": moment, "created_by": f"lockstep image {recipe.at}"}]
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def manifest(ground: Ground, config: bytes, layer: Layer) -> ends.Manifest:
    """The image's manifest, in OCI's format whatever the base's is."""
    layers = [*(_as_oci(one) for one in ground.layers), layer_descriptor(layer)]
    body: dict[str, Json] = {
        "schemaVersion": 2,
        "mediaType": oci.OCI_MANIFEST,
        "config": oci.as_json(config_descriptor(config)),
        "layers": [oci.as_json(one) for one in layers],
    }
    if ground.digest:
        body["annotations"] = {_BASE_DIGEST: ground.digest}
    raw = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    return ends.Manifest(media_type=oci.OCI_MANIFEST, digest=values.sha256(raw), raw=raw)


def config_descriptor(config: bytes) -> ends.Descriptor:
    """The configuration as a blob."""
    return ends.Descriptor(media_type=oci.OCI_CONFIG, digest=values.sha256(config), size=len(config))


def layer_descriptor(layer: Layer) -> ends.Descriptor:
    """The layer as a blob."""
    return ends.Descriptor(media_type=f"{oci.OCI_LAYER}+gzip", digest=layer.digest, size=layer.size)


def machine() -> str:
    """This machine's processor, as images name it."""
    return _MACHINES.get(platform.machine(), platform.machine())


def _settings(recipe: Recipe, base: Mapping[str, Json]) -> dict[str, Json]:
    settings = dict(base)
    if recipe.entrypoint:
        settings["Entrypoint"] = list(recipe.entrypoint)
        settings.pop("Cmd", None)
    if recipe.command:
        settings["Cmd"] = list(recipe.command)
    environment = _environment(base.get("Env") or ()) | dict(recipe.environment)
    settings |= {
        "Env": [f"{key}={value}" for key, value in environment.items()],
        "Labels": {**(base.get("Labels") or {}), **recipe.labels},
        "ExposedPorts": {
            **(base.get("ExposedPorts") or {}),
            **{port if "/" in port else f"{port}/tcp": {} for port in recipe.ports},
        },
    }
    for key, value in (("WorkingDir", recipe.working_directory), ("User", recipe.user)):
        if value:
            settings[key] = value
    return {key: value for key, value in settings.items() if value not in (None, "", [], {})}


def _environment(listed: Sequence[Json]) -> dict[str, str]:
    pairs = (str(one).partition("=") for one in listed)
    return {key: value for key, _, value in pairs}


def _as_oci(layer: ends.Descriptor) -> ends.Descriptor:
    return ends.Descriptor(
        media_type=_LAYERS.get(layer.media_type, layer.media_type),
        digest=layer.digest,
        size=layer.size,
        annotations=layer.annotations,
        urls=layer.urls,
    )
