"""Which of the configured repositories and images an event is about: pure.

A payload chooses only among what the configuration covers. Its URLs are compared and thrown away; a name
that a pattern covers is checked against the grammar of repository names before anybody uses it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from lockstep import values
from lockstep.topology import kinds, patterns, scalars
from lockstep.topology.model import Topology
from webhooks import addresses
from webhooks.events import GitPush, ImagePush

_NAME: TypeAdapter[str] = TypeAdapter(scalars.GitRepository)


def repositories(push: GitPush, topology: Topology, only: tuple[str, ...]) -> tuple[str, ...]:
    """The git repositories that a push is about, as the configuration calls them.

    URLs speak first; where none belongs to the source of a mirror, the names do.

    Args:
        push: What the sender said.
        topology: The configuration.
        only: The names of the mirrors that this sender may wake; empty for all.
    """
    mirrors = [mirror for name, mirror in topology.git_mirrors.items() if not only or name in only]
    known = [application.spec.source.repository for application in topology.applications.values()]
    by_url = [
        _covered(addresses.repository_in(url, _template(mirror, topology)), mirror, known)
        for mirror in mirrors
        for url in push.urls
    ]
    by_name = [_covered(name, mirror, known) for mirror in mirrors for name in push.names]
    return _distinct(by_url) or _distinct(by_name)


def images(push: ImagePush, topology: Topology, only: tuple[str, ...]) -> tuple[str, ...]:
    """The image repositories that a push is about, as the mirrors call them.

    A push by digest wakes only mirrors that take every tag: others could not say that they want it. Those that wait for
    signatures are woken by what may be one.
    """
    mirrors = [mirror for name, mirror in topology.image_mirrors.items() if not only or name in only]
    return _distinct(
        _inside(push.repository, _prefix(mirror, topology))
        for mirror in mirrors
        if _takes(mirror, push.tag) and _lists(mirror, _inside(push.repository, _prefix(mirror, topology)))
    )


def _template(mirror: kinds.GitMirror, topology: Topology) -> str:
    source = mirror.spec.source
    return source.url or f"{topology.path(source.directory or '')}/{addresses.PLACEHOLDER}.git"


def _covered(candidate: str, mirror: kinds.GitMirror, known: Iterable[str]) -> str:
    """The configuration's own spelling of a name that a mirror covers; empty when it covers it not."""
    if not _is_name(candidate):
        return ""
    patterns = mirror.spec.repositories
    spellings = (*patterns, *(name for name in known if _fits(name, patterns)))
    same = [name for name in spellings if name.lower() == candidate.lower()]
    if same:
        return candidate if candidate in same else same[0]
    return candidate if _fits(candidate, patterns) else ""


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_name(text: str) -> bool:
    try:
        _NAME.validate_python(text)
    except ValidationError:
        return False
    return True


def _prefix(mirror: kinds.ImageMirror, topology: Topology) -> str:
    """The path that the source's registry has before the names that mirrors use: ``prod`` of ``host/prod``."""
    source = mirror.spec.source
    site = topology.sites.get(source.site or "")
    if site and site.spec.registry:
        return site.spec.registry.prefix.partition("/")[2]
    return urlsplit(source.url or "").path.strip("/")


def _inside(repository: str, prefix: str) -> str:
    return repository.removeprefix(f"{prefix}/") if prefix else repository


def references(push: ImagePush, name: str, topology: Topology) -> tuple[str, ...]:
    """What is to be looked at for a push to an image repository: what was pushed; empty for all its tags.

    Where a mirror waits for signatures, what has no tag of its own, or is kept about an image, may be the signature
    that lets an image go, or a part that goes with its index: it goes nowhere by itself.
    """
    waits = any(mirror.spec.signed for mirror in topology.image_mirrors_of(name))
    return () if waits and _is_part(push.tag) else (push.tag or push.digest,)


def _is_part(tag: str) -> bool:
    return not tag or bool(values.companion_of(tag))


def _takes(mirror: kinds.ImageMirror, tag: str) -> bool:
    if mirror.spec.signed and _is_part(tag):
        return True
    if not tag:
        return "*" in mirror.spec.tags
    return _fits(tag, mirror.spec.tags)


def _lists(mirror: kinds.ImageMirror, repository: str) -> bool:
    return values.is_repository(repository) and patterns.covers(mirror, repository)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name}))
