"""What the sites themselves remember of an application: for an installation whose database knows nothing of it.

Each deploy leaves its record at the site, beside what it deployed. A second instance, started at a standby with an
empty database, has nothing else to know by what a tag in git meant.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Protocol

from lockstep import errors
from lockstep.manifests import applyset
from lockstep.sites import archive, ends
from lockstep.topology import kinds


class Places(Protocol):
    """Where applications are."""

    def cluster(self, site: str) -> ends.Cluster:
        """A site's cluster. Raises UnsupportedError when it has none."""
        ...

    def archive(self, site: str) -> archive.Archive | None:
        """Where a site keeps full-size renderings; None when it has no such place."""
        ...


def images(places: Places, application: kinds.Application, sites: Sequence[str]) -> dict[str, str]:
    """What the names of images in git meant in the last deploy that any of some sites remembers.

    Args:
        places: Where the application is.
        application: Which.
        sites: The sites, the one to be believed first; one that cannot be asked is passed over.

    Returns:
        Digests by ``name:tag``; nothing when no site remembers a deploy.
    """
    parent = applyset.ApplySet(application=application.name, namespace=application.spec.namespace).parent_key
    for site in sites:
        for end in _ends(places, application.name, site):
            try:
                there = end.get(parent, api_version="v1")
            except errors.LockstepError:
                continue
            if there is not None and (found := applyset.images_of(there)):
                return found
    return {}


def _ends(places: Places, application: str, site: str) -> list[ends.Cluster]:
    found: list[ends.Cluster] = []
    with contextlib.suppress(errors.LockstepError):
        found.append(places.cluster(site))
    kept = places.archive(site)
    return found if kept is None else [*found, kept.rendering(application)]
