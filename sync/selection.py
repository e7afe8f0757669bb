"""Which images a mirror is about, and when it is time to look again. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from fnmatch import fnmatchcase

from lockstep import errors, values
from lockstep.topology import kinds, patterns, versions


def receivers(mirror: kinds.ImageMirror, only: str = "") -> tuple[str, ...]:
    """The sites that receive: not the one that the images come from."""
    sites = tuple(site for site in mirror.spec.sites if site != mirror.spec.source.site)
    return tuple(site for site in sites if not only or site == only)


def check_site(mirrors: Iterable[kinds.ImageMirror], site: str) -> None:
    """Let a site pass that one of the mirrors brings images to, and "".

    Raises:
        NotFoundError: None does: its name is mistyped, or it is in no mirror's ``sites``.
    """
    there = sorted({receiver for mirror in mirrors for receiver in receivers(mirror)})
    if site and site not in there:
        raise errors.NotFoundError(
            f"None of these images is mirrored to {site}.", remedy=f"There are: {', '.join(there) or 'none'}."
        )


def mirrored(mirror: kinds.ImageMirror, checked: Iterable[tuple[str, str]]) -> set[str]:
    """Of repositories that were looked at, given each with a site, those at a site that the mirror brings images to."""
    there = receivers(mirror)
    return {repository for repository, site in checked if site in there}


def names(mirror: kinds.ImageMirror) -> list[str]:
    """The repositories that the mirror names one by one."""
    return [name for name in mirror.spec.repositories if values.is_repository(name)]


def tags(mirror: kinds.ImageMirror, listed: Mapping[str, str]) -> list[str]:
    """Of the tags that a source lists, those that are mirrored, sorted, with the companions of their images."""
    chosen = set(chosen_tags(mirror, listed))
    digests = {listed[tag] for tag in chosen}
    companions = {tag for tag in listed if (digest := values.companion_of(tag)) and digest in digests}
    return sorted(chosen | companions)


def chosen_tags(mirror: kinds.ImageMirror, listed: Iterable[str]) -> list[str]:
    """Of some tags, those that the mirror's rules choose, sorted."""
    spec = mirror.spec
    by_name = {tag for tag in listed if any(fnmatchcase(tag, pattern) for pattern in spec.tags)}
    literal = by_name & set(spec.tags)
    found = {tag for tag in by_name if _is_chosen(spec, tag)}
    if spec.newest is not None:
        # Of two tags that are one version (1.2 and v1.2.0) both count: each may be what a site runs.
        dated = sorted((version, tag) for tag in found if (version := versions.Version.parse(tag)) is not None)
        found = {tag for _, tag in dated[-spec.newest :]}
    return sorted(found | literal)


def lacking(mirror: kinds.ImageMirror, repository: str, listed: Collection[str]) -> list[str]:
    """The tags that the mirror names one by one, in a repository that it names so too, and that are not listed, sorted.

    Where a pattern names the repository, not each of those that it names needs to have each tag; and with
    ``deleted: delete`` a tag that is gone is meant to be.
    """
    if repository not in mirror.spec.repositories or mirror.spec.deleted == "delete":
        return []
    return sorted(tag for tag in {*mirror.spec.tags} - {*listed} if values.is_tag(tag))


def _is_chosen(spec: kinds.ImageMirrorSpec, tag: str) -> bool:
    """Whether a tag passes the expression and the range."""
    if spec.expression is not None and not patterns.matches(spec.expression, tag):
        return False
    if spec.versions is None:
        return True
    version = versions.Version.parse(tag)
    return version is not None and versions.Range.parse(spec.versions).holds(version)


def is_immutable(mirror: kinds.ImageMirror, tag: str) -> bool:
    """Whether a tag never moves at a site."""
    return values.is_tag(tag) and any(fnmatchcase(tag, pattern) for pattern in mirror.spec.immutable)


def wanted(mirror: kinds.ImageMirror, references: Iterable[str]) -> list[str]:
    """Of references that somebody named, those that the mirror is about: digests, and tags that it covers."""
    return [
        reference
        for reference in references
        if values.is_digest(reference)
        or (values.is_tag(reference) and (values.companion_of(reference) or chosen_tags(mirror, [reference])))
    ]


def is_due(
    mirror: kinds.ImageMirror, repository: str, checked: Mapping[tuple[str, str], datetime], now: datetime
) -> bool:
    """Whether a site of the mirror was not looked at for the mirror's interval."""
    moments = [checked.get((repository, site)) for site in receivers(mirror)]
    return any(moment is None or now - moment >= mirror.spec.interval for moment in moments)
