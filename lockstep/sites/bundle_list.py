"""What a bundle of images holds: the transfer list, and the members of the archive that follow from it. Pure.

The list decides every byte of the archive that is not content: names, sizes, order. So whoever reads an archive
knows what must come, and nothing that an archive says of itself is ever taken for a path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from lockstep import errors, values
from lockstep.sites import layout, layout_index, oci
from lockstep.sites.ends import Descriptor
from lockstep.values import Json

NAME = "LOCKSTEP-transfer.json"
"""The first member. No repository can be called so: their names are lower case."""
LIST_BYTES = 256 * 2**20
"""A longer list is refused; it has about a million blobs."""
_VERSION = 1
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """One repository of a bundle.

    ``references`` are tags, with the digest of each; ``sizes`` say of each digest how large its image is in all,
    in bytes. ``blobs`` are in the archive, by digest with their sizes in bytes; ``left`` are not, because the
    site was known to have them.
    """

    references: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    manifests: Mapping[str, Descriptor] = field(default_factory=dict)
    blobs: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)


TransferList = Mapping[str, Shelved]
"""The repositories of a bundle, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of the archive: its own bytes (``data``), those of a digest, or another name (``link``) for these."""

    name: str
    size: int
    repository: str = ""
    digest: str = ""
    link: str = ""
    data: bytes | None = None


def members(listed: TransferList) -> Iterator[Member]:
    """The files of the archive in their order; without the list itself, which comes first."""
    named: dict[str, str] = {}
    for repository in sorted(listed):
        shelved, home = listed[repository], layout.folder(repository)
        for name, data in (("oci-layout", layout_index.LAYOUT_FILE), ("index.json", _index(shelved))):
            yield Member(name=f"{home}/{name}", size=len(data), data=data)
        sizes = {**shelved.blobs, **{digest: one.size for digest, one in shelved.manifests.items()}}
        for digest in sorted(sizes):
            name = f"{home}/blobs/{digest.replace(':', '/')}"
            first = named.setdefault(digest, name)
            link = "" if first == name else first
            yield Member(name=name, size=0 if link else sizes[digest], repository=repository, digest=digest, link=link)


def dump(listed: TransferList, *, archive: Mapping[str, Json] | None = None) -> bytes:
    """The list as it is written, the same bytes for the same content; beside an archive with what that one is."""
    images = [
        {"repository": name, "reference": reference, "digest": digest, "size": shelved.sizes[digest]}
        for name, shelved in listed.items()
        for reference, digest in shelved.references.items()
    ]
    repositories = {
        name: {
            "manifests": {d: {"mediaType": m.media_type, "size": m.size} for d, m in shelved.manifests.items()},
            "blobs": dict(shelved.blobs),
            "left": dict(shelved.left),
        }
        for name, shelved in listed.items()
    }
    body = {
        "lockstepTransfer": _VERSION,
        "images": sorted(images, key=lambda one: (one["repository"], one["reference"])),
        "repositories": repositories,
    }
    whole = body | ({"archive": dict(archive)} if archive else {})
    return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2) + b"\n"


def parse(raw: bytes, *, place: str) -> dict[str, Shelved]:
    """Read a transfer list.

    Raises:
        IntegrityError: It is none, or something in it cannot be.
        UnsupportedError: It was written by a later version.
    """
    try:
        body: Any = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise _wrong(place, f"is not JSON ({error})") from error
    version = body.get("lockstepTransfer") if isinstance(body, dict) else None
    if isinstance(version, int) and version > _VERSION:
        raise errors.UnsupportedError(f"{place} is of the version {version}.", remedy="Use a newer Lockstep.")
    if version != _VERSION or isinstance(version, bool):
        raise _wrong(place, "is no transfer list")
    try:
        images: dict[str, dict[str, _Image]] = {}
        for one in map(_image, body["images"]):
            if images.setdefault(one.repository, {}).setdefault(one.tag, one) is not one:
                raise ValueError(f"{one.repository}:{one.tag} is named twice")
        listed = {_named(name): _shelved(entry, images.pop(name, {})) for name, entry in body["repositories"].items()}
        if images:
            raise ValueError(f"{min(images)} has images and is not listed")
        _require_one_size(listed)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _wrong(place, f"cannot be: {str(error)[:200]}") from error
    return listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What an archive is as a whole: its size in bytes, and the SHA-256 of all of it, in hexadecimal."""

    size: int
    sha256: str


def sum_of(raw: bytes, *, place: str) -> Sum | None:
    """What the list beside an archive says of it; None when it says nothing. ``raw`` was parsed before.

    Raises:
        IntegrityError: What it says cannot be.
    """
    said = orjson.loads(raw).get("archive")
    if said is None:
        return None
    try:
        return Sum(size=_size(said["size"]), sha256=_digest(f"sha256:{said['sha256']}").removeprefix("sha256:"))
    except (KeyError, TypeError, ValueError) as error:
        raise _wrong(place, f"cannot be: {str(error)[:200]}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    repository: str
    tag: str
    digest: str
    size: int


def _image(entry: Any) -> _Image:
    tag = entry["reference"]
    if not values.is_tag(tag):
        raise ValueError(f"{tag!r} is not a tag")
    return _Image(
        repository=_named(entry["repository"]), tag=tag, digest=_digest(entry["digest"]), size=_size(entry["size"])
    )


def _shelved(entry: Any, images: Mapping[str, _Image]) -> Shelved:
    manifests = {_digest(digest): _manifest(digest, said) for digest, said in entry["manifests"].items()}
    lost = [one.digest for one in images.values() if one.digest not in manifests]
    if lost:
        raise ValueError(f"{lost[0]} is named and has no manifest")
    return Shelved(
        references={tag: one.digest for tag, one in images.items()},
        sizes={one.digest: one.size for one in images.values()},
        manifests=manifests,
        blobs={_digest(digest): _size(size) for digest, size in entry["blobs"].items()},
        left={_digest(digest): _size(size) for digest, size in entry["left"].items()},
    )


def _require_one_size(listed: TransferList) -> None:
    """What has one digest has one size, wherever it is named."""
    sizes: dict[str, int] = {}
    for shelved in listed.values():
        manifests = {digest: one.size for digest, one in shelved.manifests.items()}
        for named in (manifests, shelved.blobs, shelved.left):
            for digest, size in named.items():
                if sizes.setdefault(digest, size) != size:
                    raise ValueError(f"{digest} is named with {sizes[digest]} and with {size} bytes")


def _manifest(digest: str, said: Any) -> Descriptor:
    if said["mediaType"] not in oci.MANIFESTS or _size(said["size"]) > oci.MANIFEST_BYTES:
        raise ValueError(f"{digest} is no manifest that can be mirrored")
    return Descriptor(media_type=said["mediaType"], digest=digest, size=said["size"])


def _named(name: str) -> str:
    if not values.is_repository(name):
        raise ValueError(f"{name!r} is not the name of a repository")
    return name


def _digest(text: str) -> str:
    if not values.is_digest(text):
        raise ValueError(f"{text!r} is not a digest")
    return text


def _size(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        raise ValueError(f"{value!r} is not a size")
    return value


def _index(shelved: Shelved) -> bytes:
    """The layout's index: every tag, and by its digest every manifest that no tag names."""
    tagged = dict(sorted(shelved.references.items()))
    bare = sorted(shelved.manifests.keys() - set(tagged.values()))
    return layout_index.listing_of(
        [(shelved.manifests[digest], tag) for tag, digest in tagged.items()]
        + [(shelved.manifests[digest], "") for digest in bare]
    )


def _wrong(place: str, what: str) -> errors.IntegrityError:
    return errors.IntegrityError(f"{place} {what}.", remedy="Export the images again, and carry both files.")
