"""Taking a tag away without taking away what other tags need.

Deleting a digest removes every tag that names it (distribution 2.8). Where a registry cannot delete a tag by
itself, the tag is first pointed to a manifest that nothing else names, and that manifest is deleted: tried
beforehand with one that no tag names, so that no tag is moved in vain.
"""

from __future__ import annotations

import secrets

import orjson

from lockstep.sites import oci
from lockstep.sites.ends import Descriptor, Manifest
from lockstep.sites.registry import manifests
from lockstep.sites.registry.conversation import Conversation
from lockstep.sites.registry.uploads import Uploads

# OCI image specification 1.1, "Guidance for an Empty Descriptor".
_EMPTY = b"{}"
_EMPTY_KIND = "application/vnd.oci.empty.v1+json"


def untag(said: Conversation, uploads: Uploads, repository: str, tag: str) -> bool:
    """Take a tag away; False when this registry deletes nothing. What it named stays.

    Raises:
        LockstepError: What the registry says.
    """
    if manifests.resolve(said, repository, tag) is None or manifests.delete(said, repository, tag):
        return True
    empty = Descriptor(media_type=_EMPTY_KIND, digest=oci.digest_of(_EMPTY, like="sha256:"), size=len(_EMPTY))
    uploads.send(repository, empty, [_EMPTY])
    trial = _nothing(empty)
    manifests.write(said, repository, trial)
    if not manifests.delete(said, repository, trial.digest):
        return False
    stand_in = _nothing(empty)
    manifests.write(said, repository, stand_in, tag=tag)
    return manifests.delete(said, repository, stand_in.digest)


def _nothing(empty: Descriptor) -> Manifest:
    """A manifest that nobody else has."""
    body = {
        "schemaVersion": 2,
        "mediaType": oci.OCI_MANIFEST,
        "artifactType": "application/vnd.lockstep.removed",
        "config": oci.as_json(empty),
        "layers": [oci.as_json(empty)],
        "annotations": {"dev.lockstep.nonce": secrets.token_hex(16)},
    }
    raw = orjson.dumps(body)
    return Manifest(media_type=oci.OCI_MANIFEST, digest=oci.digest_of(raw, like="sha256:"), raw=raw)
