"""What the mirrors of the configuration name, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from lockstep import clock, errors, values
from lockstep.sites import ends, line
from lockstep.store.database import Database
from lockstep.topology import kinds, patterns
from lockstep.topology.model import Topology
from lockstep.values import Stance
from sync import selection
from sync.fan import Bounds
from sync.platforms import Views
from sync.stock import Shelf


class Doors(Protocol):
    """Opens the ends of the configuration."""

    def images(self, site: str) -> ends.ImageStore:
        """A site's registry. Raises UnsupportedError when it has none."""
        ...

    def line_to(self, site: str) -> line.Pace | None:
        """The line to a site, one for all that is on its way there; None when it has no rate."""
        ...

    def image_source(self, mirror: kinds.ImageMirror) -> ends.ImageStore:
        """Where a mirror's images come from."""
        ...

    def signers(self, mirror: kinds.ImageMirror) -> Mapping[str, str]:
        """The public keys, PEM, that a mirror wants images to be signed with, by where they are kept."""
        ...

    def trusted_root(self, keyless: kinds.Keyless) -> str:
        """The certificates and keys, JSON, by which an identity is believed to have signed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirroring:
    """What mirroring images works with."""

    database: Database
    topology: Callable[[], Topology]
    doors: Doors
    stances: Callable[[], Mapping[str, Stance]]
    clock: clock.Clock = field(default_factory=clock.SystemClock)
    bounds: Bounds = field(default_factory=Bounds)
    views: Views = field(default_factory=Views)


def named(topology: Topology, name: str) -> list[kinds.ImageMirror]:
    """The mirrors that a name means: that of the name, or those of the repository; all when it is empty.

    Raises:
        NotFoundError: There is no such mirror, and no mirror covers such a repository.
    """
    listed = topology.image_mirrors
    found = [listed[name]] if name in listed else list(listed.values()) if not name else topology.image_mirrors_of(name)
    if name and not found:
        raise errors.NotFoundError(
            f"There is no ImageMirror {name!r}, and none covers such a repository.",
            remedy=f"There are: {', '.join(sorted(listed)) or 'none'}.",
        )
    return found


def source(context: Mirroring, one: kinds.ImageMirror) -> ends.ImageStore:
    """Where a mirror's images come from, seen through its platforms."""
    source = context.doors.image_source(one)
    if not one.spec.platforms:
        return source
    return context.views.of(one.name, source, one.spec.platforms)


def listed(source: ends.ImageStore, repository: str) -> dict[str, str]:
    """The tags of a repository at its source. Raises NotFoundError when the source has no such repository."""
    listed = source.tags(repository)
    if listed is None:
        raise errors.NotFoundError(
            f"{source.address} has no repository {repository}.", remedy="Push it there, or mend the mirror."
        )
    return listed


def without(source: ends.ImageStore, reference: str) -> errors.NotFoundError:
    """The error for a tag or digest that a source has not, or not whole."""
    return errors.NotFoundError(
        f"{source.address} has no whole {reference}.", remedy="Push it there again, or mend the mirror."
    )


def unmeant(source: ends.ImageStore, one: kinds.ImageMirror, repositories: str) -> errors.NotFoundError:
    """The error for repositories of which a mirror's rules choose no tag at all."""
    return errors.NotFoundError(
        f"{source.address} has no tag of {repositories} that the ImageMirror {one.name} means.",
        remedy="Look at its tags, versions and expression.",
    )


def chosen(context: Mirroring, one: kinds.ImageMirror, source: Shelf, listed: Mapping[str, str]) -> dict[str, str]:
    """The tags that a mirror chooses of those listed, with the digest at the source where that is known already."""
    known = dict(listed)
    unknown = [tag for tag in selection.tags(one, known) if not known[tag]]
    if unknown and any(values.companion_of(tag) for tag in known):
        # Whose companions they are is known by digest only.
        known |= source.digests(unknown, looks=context.bounds.looks).digests
    return {tag: known[tag] for tag in selection.tags(one, known)}


def known(topology: Topology) -> set[str]:
    """The images of all applications."""
    return {image.name for application in topology.applications.values() for image in application.spec.images}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a mirror names: repositories, sorted, and the patterns of which nobody knows that these are all.

    A pattern is ``unclear`` when its source does not answer, and when it names nothing; each is given with the reason.
    """

    repositories: tuple[str, ...]
    unclear: Mapping[str, errors.LockstepError] = field(default_factory=dict)


def repositories(context: Mirroring, one: kinds.ImageMirror, mirrored: Collection[str]) -> Named:
    """The repositories of a mirror: what its source lists, what is named, and what was mirrored before.

    A source need not list: then the images of applications stand in for its list.
    """
    named = set(selection.names(one))
    lacking: errors.LockstepError | None = None
    try:
        source = context.doors.image_source(one)
        listed, where = set(source.repositories()), source.address
    except errors.LockstepError as error:  # it cannot list, or does not answer: the mirror of each name says more
        listed, where, lacking = known(context.topology()), "", error
    # What was mirrored and is listed no longer is asked for all the same, so that somebody hears of it, unless it may
    # have come by another mirror.
    topology = context.topology()
    before = {repository for repository in mirrored if topology.image_mirrors_of(repository) == [one]}
    found = sorted(repository for repository in listed | named | before if patterns.covers(one, repository))
    unclear: dict[str, errors.LockstepError] = {}
    for pattern in sorted({*one.spec.repositories} - named):
        if lacking is not None and not isinstance(lacking, errors.UnsupportedError):
            unclear[pattern] = lacking
        elif _means_nothing(pattern, found, is_empty=lacking is None and not listed):
            unclear[pattern] = lacking or errors.NotFoundError(
                f"{where} has no repository that {pattern} names{_and_matches(one)}.",
                remedy="Push one there, or mend the mirror.",
            )
    return Named(repositories=tuple(found), unclear=unclear)


def _means_nothing(pattern: str, found: Collection[str], *, is_empty: bool) -> bool:
    """Whether a pattern names nothing of what was found, and nobody could have meant that.

    Nothing is wrong with a source that ``is_empty`` as yet, nor with ``*`` beside ``*/*`` when the latter names all.
    """
    if is_empty or any(fnmatchcase(repository, pattern) for repository in found):
        return False
    return not found or any(sign.isalnum() for sign in pattern)


def _and_matches(one: kinds.ImageMirror) -> str:
    return f" and {one.spec.repository_expression} matches" if one.spec.repository_expression else ""
