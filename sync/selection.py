"""Which images a mirror is about, and when it is time to look again. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from fnmatch import fnmatchcase

from lockstep import values
from lockstep.topology import kinds

# Tags under which signatures and the like of an image are kept where a registry has no referrers: the fallback
# of the distribution specification ("Referrers Tag Schema") and cosign's, which adds .sig, .att or .sbom.
_COMPANION = re.compile(r"(sha256|sha512)-([a-f0-9]{64,128})(\.[a-z]+)?")


def covers(mirror: kinds.ImageMirror, repository: str) -> bool:
    """Whether a repository is one of the mirror's."""
    return any(fnmatchcase(repository, pattern) for pattern in mirror.spec.repositories)


def receivers(mirror: kinds.ImageMirror, only: str = "") -> tuple[str, ...]:
    """The sites that receive: not the one that the images come from."""
    sites = tuple(site for site in mirror.spec.sites if site != mirror.spec.source.site)
    return tuple(site for site in sites if not only or site == only)


def names(mirror: kinds.ImageMirror) -> list[str]:
    """The repositories that the mirror names one by one."""
    return [name for name in mirror.spec.repositories if values.is_repository(name)]


def tags(mirror: kinds.ImageMirror, listed: Mapping[str, str]) -> list[str]:
    """Of the tags that a source lists, those that are mirrored, sorted, with the companions of their images."""
    chosen = {tag for tag in listed if any(fnmatchcase(tag, pattern) for pattern in mirror.spec.tags)}
    digests = {listed[tag] for tag in chosen}
    companions = {tag for tag in listed if (digest := companion_of(tag)) and digest in digests}
    return sorted(chosen | companions)


def wanted(mirror: kinds.ImageMirror, references: Iterable[str]) -> list[str]:
    """Of references that somebody named, those that the mirror is about: digests, and tags that it covers."""
    return [
        reference
        for reference in references
        if values.is_digest(reference)
        or (
            values.is_tag(reference)
            and (companion_of(reference) or any(fnmatchcase(reference, pattern) for pattern in mirror.spec.tags))
        )
    ]


def companion_of(tag: str) -> str:
    """The digest of the image that a companion tag belongs to; empty for any other tag."""
    found = _COMPANION.fullmatch(tag)
    return f"{found[1]}:{found[2]}" if found else ""


def is_due(
    mirror: kinds.ImageMirror, repository: str, checked: Mapping[tuple[str, str], datetime], now: datetime
) -> bool:
    """Whether a site of the mirror was not looked at for the mirror's interval."""
    moments = [checked.get((repository, site)) for site in receivers(mirror)]
    return any(moment is None or now - moment >= mirror.spec.interval for moment in moments)
