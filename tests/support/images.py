"""Images of every shape that the specifications allow, made in any image store."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from lockstep.sites import ends, oci
from lockstep.sites.layout import LayoutStore
from lockstep.values import Json

LAYER = f"{oci.OCI_LAYER}+gzip"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
FOREIGN_LAYER = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


def new_store(root: Path) -> LayoutStore:
    """An empty registry on disk."""
    root.mkdir(parents=True, exist_ok=True)
    return LayoutStore(root)


def digest(data: bytes, algorithm: str = "sha256") -> str:
    """The digest of some bytes."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """A layer with these files."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=0)


def blob(data: bytes, media_type: str = LAYER, *, algorithm: str = "sha256", **more: Json) -> ends.Descriptor:
    """The descriptor of some bytes."""
    return ends.Descriptor(media_type=media_type, digest=digest(data, algorithm), size=len(data), **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes images in one repository of a store. Every method gives the descriptor of what it made."""

    store: ends.ImageStore
    repository: str
    algorithm: str = "sha256"

    def put(self, data: bytes, media_type: str = LAYER) -> ends.Descriptor:
        """A blob."""
        made = blob(data, media_type, algorithm=self.algorithm)
        self.store.write_blob(self.repository, made, [data])
        return made

    def image(
        self,
        *layers: bytes,
        tag: str = "",
        child: bool = False,
        architecture: str = "amd64",
        docker: bool = False,
        **more: Json,
    ) -> ends.Descriptor:
        """An image of these layers, each the bytes of a blob."""
        kept = [self.put(layer, DOCKER_LAYER if docker else LAYER) for layer in layers]
        diff_ids = [digest(gzip.decompress(layer) if layer[:2] == b"\x1f\x8b" else layer) for layer in layers]
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }
        described = self.put(orjson.dumps(config), DOCKER_CONFIG if docker else oci.OCI_CONFIG)
        body = {"config": oci.as_json(described), "layers": [oci.as_json(layer) for layer in kept], **more}
        return self.manifest(body, oci.DOCKER_MANIFEST if docker else oci.OCI_MANIFEST, tag=tag, child=child)

    def index(
        self, children: Sequence[ends.Descriptor], *, tag: str = "", child: bool = False, docker: bool = False
    ) -> ends.Descriptor:
        """An index of these."""
        body = {"manifests": [oci.as_json(one) for one in children]}
        return self.manifest(body, oci.DOCKER_LIST if docker else oci.OCI_INDEX, tag=tag, child=child)

    def platforms(self, *layers: bytes, tag: str = "") -> ends.Descriptor:
        """An index of two images that share these layers and have one more each."""
        children = []
        for architecture in ("amd64", "arm64"):
            own = tar_gz({"etc/arch": architecture.encode() + b"-" + tag.encode()})
            made = self.image(*layers, own, child=True, architecture=architecture)
            children.append(
                ends.Descriptor(
                    media_type=made.media_type,
                    digest=made.digest,
                    size=made.size,
                    platform={"architecture": architecture, "os": "linux"},
                )
            )
        return self.index(children, tag=tag)

    def artifact(self, subject: ends.Descriptor | None, payload: bytes, *, tag: str = "") -> ends.Descriptor:
        """An artifact about a subject: a signature, say."""
        empty = self.put(b"{}", "application/vnd.oci.empty.v1+json")
        layer = self.put(payload, "application/vnd.example.signature")
        body = {
            "artifactType": "application/vnd.example.signature",
            "config": oci.as_json(empty),
            "layers": [oci.as_json(layer)],
            "annotations": {"signed-by": "us"},
        }
        if subject is not None:
            body["subject"] = {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size}
        return self.manifest(body, oci.OCI_MANIFEST, tag=tag)

    def manifest(
        self, body: Mapping[str, Json], media_type: str, *, tag: str = "", child: bool = False
    ) -> ends.Descriptor:
        """A manifest with this body."""
        raw = orjson.dumps({"schemaVersion": 2, "mediaType": media_type, **body})
        made = ends.Manifest(media_type=media_type, digest=digest(raw, self.algorithm), raw=raw)
        self.store.write_manifest(self.repository, made, tag=tag, child=child)
        return ends.Descriptor(media_type=media_type, digest=made.digest, size=len(raw))


def read(store: ends.ImageStore, repository: str, described: ends.Descriptor) -> bytes:
    """A blob's bytes, verified."""
    with store.read_blob(repository, described) as chunks:
        return b"".join(chunks)


def corpus(maker: Maker) -> dict[str, ends.Descriptor]:
    """One of everything, by the tag that it got (an untagged referrer by a name in angle brackets)."""
    shared = tar_gz({"usr/bin/base": b"base" * 1000})
    made = {
        "plain": maker.image(shared, tar_gz({"app": b"1"}), tag="plain"),
        "docker": maker.image(shared, tag="docker", docker=True),
        "platforms": maker.platforms(shared, tag="platforms"),
        "no-layers": maker.image(tag="no-layers"),
        "empty-layer": maker.image(b"", tag="empty-layer"),
        "artifact": maker.artifact(None, b"alone", tag="artifact"),
        "annotated": maker.image(shared, tag="annotated", annotations={"ключ": "값"}, custom={"kept": True}),
    }
    made["nested"] = maker.index([maker.index([made["plain"]], child=True), made["docker"]], tag="nested")
    made["docker-list"] = maker.index([made["docker"]], tag="docker-list", docker=True)
    made["again"] = maker.image(shared, tar_gz({"app": b"1"}), tag="again")
    made["<signature>"] = maker.artifact(made["platforms"], b"signature")
    made["<signature of the signature>"] = maker.artifact(made["<signature>"], b"countersigned")
    return made
