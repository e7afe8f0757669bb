"""What the doctor asks a registry: whether it answers, and whether it believes our credentials. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lockstep import errors
from lockstep.sites import ends
from lockstep.topology import patterns
from lockstep.topology.model import Topology
from sync import selection, sources


def asked_about(topology: Topology, *, site: str = "", mirror: str = "") -> list[str]:
    """The image repositories that are named for a site, or for the source of a mirror, sorted. Pure."""
    mirrors = [
        one
        for one in topology.image_mirrors.values()
        if one.name == mirror or (site and site in (one.spec.source.site, *one.spec.sites))
    ]
    used = [name for name in sources.known(topology) if any(patterns.covers(one, name) for one in mirrors)]
    return sorted({*used, *(name for one in mirrors for name in selection.names(one))})


def look(store: Callable[[], ends.ImageStore], names: Sequence[str]) -> str:
    """What a registry says when it is asked for its repositories, or else for the tags of one that is named.

    Raises:
        UnsupportedError: It does not list, and nothing is named that it could be asked for.
        LockstepError: It does not answer, does not know us, or may not be asked.
    """
    opened = store()
    try:
        return f"{len(opened.repositories())} repositories"
    except errors.UnsupportedError as error:
        if not names:
            raise errors.UnsupportedError(
                f"Whether it believes us is unknown: {error.message}", remedy="Name a repository in a mirror."
            ) from error
        # Names come from the configuration and from events, so a registry need not list what it has. Many refuse that
        # to everybody; what it refuses to us alone is found by a question that it answers to whoever may read.
        tags = opened.tags(names[0])
        count = "is not there yet" if tags is None else f"has {len(tags)} tags"
        return f"it does not list what it has; {names[0]} {count}"
