"""What git says of an application at a commit, for each of its sites.

Everything is read from our own copy of the repository, so that it works while the forge, or a whole site, is
gone; a copy that lacks the commit is filled from any site that mirrors it.
"""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lockstep import errors, settings
from lockstep.manifests import desired, images, render
from lockstep.sites import asking, checkout, ends, scopes
from lockstep.sites.open import Doors
from lockstep.topology import direction, kinds
from lockstep.topology.model import Topology

# Renderings of the last revisions of a few applications at a few sites; each is some hundred kilobytes.
_KEPT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The commit that git means now, and who said so: ``forge``, or the site that stood in for it."""

    revision: str
    said_by: str


class Renderings:
    """Renders applications at commits, and remembers what it rendered. Safe to share between threads."""

    def __init__(self, doors: Doors, *, places: settings.Places, patience: asking.Asking | None = None) -> None:
        self._doors = doors
        self._asking = patience or asking.Asking()
        self._scopes = scopes.Scopes(doors.cluster)
        self._scratch = places.state / "renderings"
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, ...], render.Rendering] = OrderedDict()

    def desired(
        self,
        topology: Topology,
        application: kinds.Application,
        *,
        place: direction.Place,
        revision: str,
        digests: Mapping[str, str],
    ) -> desired.Desired:
        """What a site is to have of an application at a commit.

        Args:
            topology: The configuration in force.
            application: Whose manifests.
            place: The site, and what it is for the application.
            revision: The commit's whole id.
            digests: Digests of the application's images, by ``name`` or ``name:tag``.

        Raises:
            LockstepError: It cannot be rendered; what is wrong with single objects is in the result's problems.
        """
        raw = self.raw(topology, application, site=place.site, revision=revision)
        asked = dict.fromkeys([place.site, *topology.sites_of(application)])
        return desired.desired(
            raw.objects,
            application=application,
            place=place,
            sites=topology.sites,
            digests=digests,
            cluster_scoped=self._scopes.without_namespace(raw.objects, asked),
        )

    def wanted(self, topology: Topology, application: kinds.Application, revision: str) -> tuple[images.Wanted, ...]:
        """The application's images that a commit names at any of its sites, with tag or digest.

        Raises:
            LockstepError: It cannot be rendered.
        """
        sites = topology.sites.values()
        catalogue = images.Catalogue.of(application, desired.prefixes(sites), desired.renamed(sites))
        found: set[images.Wanted] = set()
        for site in topology.sites_of(application):
            raw = self.raw(topology, application, site=site, revision=revision)
            found.update(images.wanted(raw.objects, catalogue))
        return tuple(sorted(found))

    def raw(self, topology: Topology, application: kinds.Application, *, site: str, revision: str) -> render.Rendering:
        """The rendering of a commit for a site, before anything of the site is applied to it.

        Raises:
            LockstepError: It cannot be rendered.
        """
        key = (topology.digest, application.name, site, revision)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        rendered = self._render(application, site=site, revision=revision, topology=topology)
        with self._lock:
            self._kept[key] = rendered
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return rendered

    def _render(
        self, application: kinds.Application, *, site: str, revision: str, topology: Topology
    ) -> render.Rendering:
        source = application.spec.source
        self.require(topology, application, revision)
        self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=self._scratch) as folder:
            tree = Path(folder) / "tree"
            checkout.extract(self._doors.git_cache(source.repository), revision, tree)
            return render.render(
                tree, source, application=application.name, namespace=application.spec.namespace, site=site
            )

    def require(self, topology: Topology, application: kinds.Application, revision: str) -> None:
        """Have a commit in our own copy, from a site that mirrors it if need be.

        Raises:
            NotFoundError: Nobody who can be asked has it.
        """
        repository = application.spec.source.repository
        cache = self._doors.git_cache(repository)
        if cache.has(revision):
            return
        for site, remote, advertised in self._mirrors(topology, repository):
            cache.fetch(remote, advertised.refs, beside=site)
            if cache.has(revision):
                return
        raise errors.NotFoundError(
            f"The commit {revision[:12]} of {repository} is neither here nor at a site that can be asked.",
            remedy="Bring the forge or a site's git back, and mirror the repository again.",
        )

    def head(self, topology: Topology, application: kinds.Application) -> Head:
        """The commit that the application's branch means: as the forge last said, else as a mirror says.

        Raises:
            NotFoundError: Nobody knows the branch.
        """
        source = application.spec.source
        ref = f"refs/heads/{source.branch}"
        staged = self._doors.git_cache(source.repository).staged()
        if ref in staged:
            return Head(revision=staged[ref], said_by="forge")
        for site, _, advertised in self._mirrors(topology, source.repository):
            if ref in advertised.refs:
                return Head(revision=advertised.refs[ref], said_by=site)
        raise errors.NotFoundError(
            f"Nobody who can be asked knows the branch {source.branch} of {source.repository}.",
            remedy="Push it, or mirror the repository: lockstep sync git.",
        )

    def _mirrors(self, topology: Topology, repository: str) -> list[tuple[str, ends.GitRemote, ends.Advertised]]:
        """The sites that have a mirror of the repository and can be asked for it."""

        def advertised(site: str) -> tuple[ends.GitRemote, ends.Advertised] | None:
            remote = self._doors.git_site(site, repository)
            found = remote.advertised()
            return None if found is None else (remote, found)

        sites = [site for mirror in topology.git_mirrors_of(repository) for site in mirror.spec.sites]
        told = self._asking.answers({site: partial(advertised, site) for site in sites})
        return [(site, *answer) for site, answer in told.items()]
