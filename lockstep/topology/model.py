"""One configuration, whole and checked."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

from lockstep import documents, errors
from lockstep.topology import kinds, patterns

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class TektonDocument:
    """A Tekton document as it was read; ``pipelines.documents`` understands it."""

    kind: str
    name: str
    source: documents.Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """One configuration: every document by kind and name. ``digest`` changes when any byte of it does."""

    directory: Path
    digest: str
    sites: Mapping[str, kinds.Site]
    pairs: Mapping[str, kinds.Pair]
    applications: Mapping[str, kinds.Application]
    git_mirrors: Mapping[str, kinds.GitMirror]
    image_mirrors: Mapping[str, kinds.ImageMirror]
    webhooks: Mapping[str, kinds.Webhook]
    expected_differences: Mapping[str, kinds.ExpectedDifference]
    drills: Mapping[str, kinds.Drill]
    notifications: Mapping[str, kinds.Notification]
    tekton: Mapping[tuple[str, str], TektonDocument]

    @property
    def documents(self) -> Iterator[kinds.Document]:
        """Every document of our own kinds."""
        for table in (
            *(self.sites, self.pairs, self.applications, self.git_mirrors, self.image_mirrors, self.webhooks),
            *(self.expected_differences, self.drills, self.notifications),
        ):
            yield from table.values()

    def path(self, text: str) -> Path:
        """A path of the configuration on this machine: relative ones start at the configuration directory."""
        return local_path(self.directory, text)

    def site(self, name: str) -> kinds.Site:
        """The site of this name. Raises NotFoundError."""
        return _find(self.sites, name, "Site")

    def pair(self, name: str) -> kinds.Pair:
        """The pair of this name. Raises NotFoundError."""
        return _find(self.pairs, name, "Pair")

    def application(self, name: str) -> kinds.Application:
        """The application of this name. Raises NotFoundError."""
        return _find(self.applications, name, "Application")

    def pairs_of(self, application: kinds.Application) -> Iterator[tuple[kinds.Pair, kinds.Protection]]:
        """The pairs that protect an application, with how, in the order in which they are written."""
        for name, protection in application.spec.protection.items():
            yield self.pairs[name], protection

    def sites_of(self, application: kinds.Application) -> tuple[str, ...]:
        """The sites that an application is deployed to: primaries first, each once."""
        pairs = [pair for pair, _ in self.pairs_of(application)]
        return tuple(dict.fromkeys([pair.spec.primary for pair in pairs] + [pair.spec.standby for pair in pairs]))

    def git_mirrors_of(self, repository: str) -> list[kinds.GitMirror]:
        """The mirrors that cover a repository: those that name it exactly, or else those with a pattern for it."""
        return git_mirrors_covering(self.git_mirrors.values(), repository)

    def users_of_repository(self, repository: str) -> list[str]:
        """The names of the applications whose manifests are in a git repository."""
        return [name for name, app in self.applications.items() if app.spec.source.repository == repository]

    def users_of_image(self, repository: str) -> list[str]:
        """The names of the applications that an image repository belongs to."""
        return [
            name
            for name, app in self.applications.items()
            if any(image.name == repository for image in app.spec.images)
        ]

    def image_mirrors_of(self, repository: str) -> list[kinds.ImageMirror]:
        """The mirrors that cover an image repository."""
        return image_mirrors_covering(self.image_mirrors.values(), repository)


def local_path(directory: Path, text: str) -> Path:
    """A path of the configuration on this machine: relative ones start at the configuration directory.

    ``..`` is taken away as text, so that a configuration directory that is a link keeps its neighbours.
    """
    path = Path(text)
    with contextlib.suppress(RuntimeError):  # a user id without a home, as containers have
        path = path.expanduser()
    return Path(os.path.normpath(directory / path))


def git_mirrors_covering(mirrors: Iterable[kinds.GitMirror], repository: str) -> list[kinds.GitMirror]:
    """Of some mirrors, those that name a repository exactly, or else those with a pattern that it matches."""
    listed = list(mirrors)
    return [mirror for mirror in listed if repository in mirror.spec.repositories] or [
        mirror for mirror in listed if any(fnmatchcase(repository, pattern) for pattern in mirror.spec.repositories)
    ]


def image_mirrors_covering(mirrors: Iterable[kinds.ImageMirror], repository: str) -> list[kinds.ImageMirror]:
    """Of some mirrors, those that cover an image repository."""
    return [mirror for mirror in mirrors if patterns.covers(mirror, repository)]


def _find(documents: Mapping[str, _Kind], name: str, kind: str) -> _Kind:
    try:
        return documents[name]
    except KeyError:
        known = ", ".join(sorted(documents)) or "none"
        raise errors.NotFoundError(f"There is no {kind} {name!r}.", remedy=f"There are: {known}.") from None
