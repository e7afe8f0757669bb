"""The note that lies beside an archived rendering: what it is, and how a person starts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lockstep import documents, errors
from lockstep.values import Json

NAME = "LOCKSTEP.txt"
"""Not a name that kubectl takes for a manifest."""

_HEAD = """\
# {application} at {site}, at full size. Lockstep writes this folder whole; what is changed here by hand is lost.
#
# To start it by hand, with a kubeconfig of the cluster and this folder as the working directory:
#   kubectl create namespace {namespace}    (where the manifests do not bring it along)
#   kubectl apply --server-side --force-conflicts -R -f .
# Where the manifests define kinds of their own, apply a second time once those are established.
#
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What an archived rendering is. ``content`` is the digest of its objects."""

    application: str
    site: str
    namespace: str
    revision: str
    images: Mapping[str, tuple[str, ...]]
    written_at: datetime
    objects: int = 0
    content: str = ""


def write(record: Record) -> bytes:
    """The note as it is written."""
    head = _HEAD.format(application=record.application, site=record.site, namespace=record.namespace)
    body = {
        "application": record.application,
        "site": record.site,
        "namespace": record.namespace,
        "revision": record.revision,
        "written": record.written_at.isoformat(timespec="seconds"),
        "objects": record.objects,
        "content": record.content,
        "images": {name: list(digests) for name, digests in sorted(record.images.items())},
    }
    return f"{head}{documents.dump(body)}".encode()


def read(data: bytes, *, file: str) -> Record:
    """The record of a note.

    Raises:
        InputError: Somebody has written something else there.
    """
    try:
        (document,) = documents.read(data, file=file)
        body: dict[str, Json] = document.value
        written_at = datetime.fromisoformat(body["written"])
        return Record(
            application=str(body["application"]),
            site=str(body["site"]),
            namespace=str(body["namespace"]),
            revision=str(body["revision"]),
            images={str(name): tuple(digests) for name, digests in body["images"].items()},
            written_at=written_at,
            objects=int(body["objects"]),
            content=str(body["content"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, errors.DocumentError) as error:
        raise errors.InputError(
            f"{file} is damaged.", remedy="Deploy the application again: the archive is written anew."
        ) from error
