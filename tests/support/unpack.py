"""Unpacks an image's layers into a directory, as a container runtime does, without ever leaving it."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath

import orjson

from lockstep.sites import ends, oci
from lockstep.values import Json

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


def image(store: ends.ImageStore, repository: str, digest: str, into: Path) -> Json:
    """Unpack all layers of an image, in order; its configuration."""
    manifest = store.manifest(repository, digest)
    assert manifest is not None
    config, *layers = oci.contents(manifest).blobs
    into.mkdir(parents=True, exist_ok=True)
    for layer in layers:
        unpack(_bytes(store, repository, layer), into)
    return orjson.loads(_bytes(store, repository, config))


def unpack(layer: bytes, into: Path) -> None:
    """Apply one layer (image specification 1.1, "Applying Changesets")."""
    plain = gzip.decompress(layer) if layer[:2] == b"\x1f\x8b" else layer
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        for entry in tar:
            _apply(tar, entry, into)


def _apply(tar: tarfile.TarFile, entry: tarfile.TarInfo, into: Path) -> None:
    place = _place(into, entry.name)
    if place == into:
        return
    if place.name == _OPAQUE:
        for old in place.parent.iterdir():
            _remove(old)
        return
    if place.name.startswith(_WHITEOUT):
        _remove(place.with_name(place.name.removeprefix(_WHITEOUT)))
        return
    if not (entry.isdir() and place.is_dir() and not place.is_symlink()):
        _remove(place)
    if entry.isdir():
        place.mkdir(exist_ok=True)
        place.chmod(entry.mode & 0o777)
    elif entry.issym():
        place.symlink_to(entry.linkname)
    elif entry.islnk():
        os.link(_place(into, entry.linkname), place, follow_symlinks=False)
    elif entry.isfile():
        content = tar.extractfile(entry)
        assert content is not None
        place.write_bytes(content.read())
        place.chmod(entry.mode & 0o777)
    else:
        raise ValueError(f"{entry.name} is a device")


def _place(into: Path, name: str) -> Path:
    """Where a name belongs; a link on the way is replaced by a directory rather than followed."""
    parts = PurePosixPath(name.lstrip("/")).parts
    if ".." in parts:
        raise ValueError(f"{name} leads out")
    place = into
    for part in parts[:-1]:
        place /= part
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            place.unlink()
        place.mkdir(exist_ok=True)
    return place / parts[-1] if parts else into


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _bytes(store: ends.ImageStore, repository: str, blob: ends.Descriptor) -> bytes:
    with store.read_blob(repository, blob) as chunks:
        return b"".join(chunks)
