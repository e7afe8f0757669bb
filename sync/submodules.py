"""Whether the submodules of a repository are mirrored too: pure.

A submodule's URL comes from the repository: it is compared with the sources of the configuration, and never contacted.
At a fail-over it still leads to where it always did, so one that nothing covers, or that names the primary's forge
itself, is something that the person who will build there has to know.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from lockstep.sites.ends import Submodule
from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.values import Json

_MARK = "{repository}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """A submodule, and the GitMirror that covers it with the sites that receive it; empty when none does."""

    submodule: Submodule
    repository: str = ""
    mirror: str = ""
    sites: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """For machines."""
        return {
            "path": self.submodule.path,
            "url": self.submodule.url,
            "commit": self.submodule.oid,
            "repository": self.repository,
            "mirror": self.mirror,
            "sites": list(self.sites),
        }


def covered(
    topology: Topology, repository: str, mirror: kinds.GitMirror, submodules: Iterable[Submodule]
) -> list[Covered]:
    """How the submodules of a repository that a mirror covers are mirrored themselves."""
    return [_covered(topology, repository, mirror, one) for one in submodules]


def _covered(topology: Topology, repository: str, mirror: kinds.GitMirror, submodule: Submodule) -> Covered:
    url = submodule.url
    for candidate in topology.git_mirrors.values():
        if url.startswith(("./", "../")):
            # "relative to the superproject's default remote" (git-submodule(1)): only within the same source.
            name = _bare(posixpath.normpath(posixpath.join(repository, url)))
            fits = candidate.spec.source == mirror.spec.source
        else:
            name = _named(candidate.spec.source, url)
            fits = bool(name)
        if fits and candidate in topology.git_mirrors_of(name):
            return Covered(submodule=submodule, repository=name, mirror=candidate.name, sites=candidate.spec.sites)
    return Covered(submodule=submodule)


def _named(source: kinds.GitSource, url: str) -> str:
    """The repository of a source that a URL means, whatever the protocol; empty when it is another host's."""
    pattern = source.url or f"file://{source.directory}/{_MARK}"
    (host, path), (there, wanted) = _place(url), _place(pattern)
    before, _, after = wanted.partition(_MARK)
    if host != there or not path.startswith(before) or not path.endswith(after):
        return ""
    return path[len(before) : len(path) - len(after)]


def _place(url: str) -> tuple[str, str]:
    """Host and path of a URL or of ``user@host:path``, without what may be written or left out."""
    if "://" in url:
        try:
            parts = urlsplit(url)
            host, path = parts.hostname or "", parts.path
        except ValueError:
            return "", ""
    else:
        before, separator, after = url.partition(":")
        host, path = (before.rpartition("@")[2], after) if separator and "/" not in before else ("", url)
    return host.lower(), _bare("/" + path.lstrip("/"))


def _bare(path: str) -> str:
    return path.rstrip("/").removesuffix(".git")
