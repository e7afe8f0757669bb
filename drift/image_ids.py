"""Which image a container runs, as its runtime writes it in the status of a Pod. Pure.

``imageID`` has no one form. docker (``cri-dockerd``) writes ``docker-pullable://<repository>@<digest>``, or
``docker://<id>`` for an image that no registry knows; containerd ``<repository>@<digest>``, or ``<id>``; CRI-O
``<repository>@<digest>``, or the bare hex of the id. An id is the digest of the image's configuration, another one for
each platform. CRI-O may name the index of an image or the manifest of its platform; docker and containerd name what
the reference was resolved to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lockstep import errors
from lockstep.manifests import images
from lockstep.values import ImageReference, is_digest

_SCHEMES = ("docker-pullable://", "docker://")
_HEX = re.compile(r"[a-f0-9]{64}")
# The runtimes that name the digest that a reference was resolved to, as ``containerID`` begins.
_RESOLVING = frozenset({"containerd", "docker"})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Ran:
    """What one container runs. ``digest`` is ``""`` where nobody can read it.

    ``named``: it is that of an index or of a manifest, which a registry has, and no id. ``resolved``: it is known to be
    what the reference in the spec was resolved to, so that two of these may be held against each other.
    """

    digest: str
    named: bool = False
    resolved: bool = False

    @classmethod
    def of(cls, image_id: str, *, image: str, container_id: str = "") -> Ran:
        """Read what a runtime wrote.

        Args:
            image_id: ``imageID`` of the container's status.
            image: The reference in the Pod's spec.
            container_id: ``containerID`` of the status, which begins with the name of the runtime.
        """
        scheme = next((one for one in _SCHEMES if image_id.startswith(one)), "")
        text = image_id[len(scheme) :]
        if is_digest(text):
            return cls(digest=text)
        if _HEX.fullmatch(text):
            return cls(digest=f"sha256:{text}")
        ran = _reference(text)
        if ran is None or not ran.digest:
            return cls(digest="")
        wanted = _reference(image)
        ours = wanted is not None and images.full_name(wanted) == images.full_name(ran)
        return cls(digest=ran.digest, named=True, resolved=ours and container_id.partition("://")[0] in _RESOLVING)


def pin(image: str) -> str:
    """The digest by which a spec pins an image; ``""`` when it names none, or is no reference."""
    reference = _reference(image)
    return reference.digest if reference is not None else ""


def _reference(text: str) -> ImageReference | None:
    try:
        return ImageReference.parse(text)
    except errors.InputError:
        return None
