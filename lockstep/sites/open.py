"""From the configuration in force to open ends: one place that knows which kind of end a site has.

Ends are opened when they are first asked for and kept while the configuration stays as it is; those of an older one
are closed. An end that a site does not have is refused by name; nothing is ever skipped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from lockstep import errors, settings
from lockstep.sites import archive as archives
from lockstep.sites import backup, directory, ends, git, layout, line, registry
from lockstep.topology import amounts, kinds, secrets
from lockstep.topology.model import Topology
from lockstep.values import Json

_End = TypeVar("_End")


def own_secrets(environ: Mapping[str, str]) -> secrets.ReadKubernetes | None:
    """Reads Secrets of the cluster that this process runs in; None when it runs in none.

    Source: documentation of Kubernetes, "Accessing the Kubernetes API from a Pod".
    """
    if not environ.get("KUBERNETES_SERVICE_HOST"):
        return None
    from lockstep.sites.cluster import access, own

    return own.OwnSecrets(access.InCluster(environ=environ))


@runtime_checkable
class _Closing(Protocol):
    """An end that keeps connections, and can be used again after it was closed."""

    def close(self) -> None: ...


class Doors:
    """Opens the ends of a configuration. Safe to share between threads.

    Args:
        topology: Gives the configuration in force at this moment.
        reader: Reads secrets.
        places: Where this process keeps its own things.
    """

    def __init__(self, topology: Callable[[], Topology], *, reader: secrets.Reader, places: settings.Places) -> None:
        self._topology = topology
        self._reader = reader
        self._places = places
        self._lock = threading.Lock()
        self._digest = ""
        self._open: dict[tuple[str, ...], Any] = {}

    def line_to(self, site: str) -> line.Pace | None:
        """The line to a site, when it has a rate: one for all repositories and images that are on their way there."""
        rate = self._topology().site(site).spec.link.rate
        return self._once(("line", site), lambda: line.Pace(amounts.bits_per_second(rate))) if rate else None

    # --- git

    def git_site(self, site: str, repository: str) -> ends.GitRemote:
        """One repository at a site.

        Raises:
            UnsupportedError: The site has no git end.
            LockstepError: A secret cannot be read.
        """
        spec = self._topology().site(site).spec
        if spec.git is None:
            raise _without(site, "git")
        return self._remote(spec.git, repository, pace=self.line_to(site))

    def git_source(self, mirror: kinds.GitMirror, repository: str) -> ends.GitRemote:
        """One repository at its forge. Raises LockstepError when a secret cannot be read."""
        return self._remote(mirror.spec.source, repository)

    def git_cache(self, repository: str) -> git.Cache:
        """Our own copy of a repository."""
        return git.open_cache(self._places.caches, repository)

    def _remote(
        self, end: kinds.GitEnd | kinds.GitSource, repository: str, *, pace: line.Pace | None = None
    ) -> git.Remote:
        return git.open_remote(end, repository, reader=self._reader, path=self._topology().path, pace=pace)

    # --- images

    def images(self, site: str) -> ends.ImageStore:
        """A site's registry.

        Raises:
            UnsupportedError: The site has none.
            LockstepError: A secret cannot be read.
        """
        end = self._topology().site(site).spec.registry
        if end is None:
            raise _without(site, "registry")
        return self._once(("images", site), lambda: self._image_store(end))

    def images_with(self, site: str, pull_secret: Mapping[str, Json]) -> ends.ImageStore:
        """A site's registry as its nodes see it, opened with the data of a pull secret.

        Raises:
            UnsupportedError: The site has none that could be opened.
            LockstepError: A secret cannot be read.
        """
        end = self._topology().site(site).spec.registry
        if end is None or end.url is None:
            raise _without(site, "registry that is served")
        return registry.open_registry(end, reader=self._reader, pull_secret=pull_secret)

    def image_source(self, mirror: kinds.ImageMirror) -> ends.ImageStore:
        """Where a mirror's images come from. Raises UnsupportedError as ``images`` does."""
        source = mirror.spec.source
        if source.site is not None:
            return self.images(source.site)
        return self._once(("source", mirror.name), lambda: self._image_store(source))

    def signers(self, mirror: kinds.ImageMirror) -> dict[str, str]:
        """The public keys, PEM, that a mirror wants images to be signed with, by where they are kept.

        Raises:
            LockstepError: One of them cannot be read.
        """
        refs = mirror.spec.signed.keys if mirror.spec.signed else ()
        return {secrets.title(ref): self._reader.public(ref) for ref in refs}

    def trusted_root(self, keyless: kinds.Keyless) -> str:
        """The certificates and keys, JSON, by which an identity is believed to have signed.

        Raises:
            LockstepError: It cannot be read.
        """
        return self._reader.public(keyless.trusted_root)

    def _image_store(self, end: kinds.RegistryEnd | kinds.ImageSource) -> ends.ImageStore:
        if end.layout is not None:
            return layout.LayoutStore(self._topology().path(end.layout).absolute())
        return registry.open_registry(end, reader=self._reader, uploads=self._places.uploads)

    def built(self) -> layout.LayoutStore:
        """Where images stand between being built and being pushed: ours alone."""
        return self._once(("built",), self._built)

    def _built(self) -> layout.LayoutStore:
        self._places.built.mkdir(parents=True, exist_ok=True, mode=0o700)
        return layout.LayoutStore(self._places.built)

    # --- clusters

    def cluster(self, site: str) -> ends.Cluster:
        """A site's cluster. Nobody is asked yet whether it is there.

        Raises:
            UnsupportedError: The site has none.
        """
        end = self._topology().site(site).spec.cluster
        if end is None:
            raise _without(site, "cluster")
        return self._once(("cluster", site), lambda: self._cluster(end))

    def _cluster(self, end: kinds.ClusterEnd) -> ends.Cluster:
        if end.directory is not None:
            return directory.DirectoryCluster(root=self._topology().path(end.directory).absolute())
        if end.archive is not None:
            return backup.BackupCluster(self._topology().path(end.archive).absolute())
        # The client brings a thousand classes: only who has such a cluster waits for them.
        from lockstep.sites import cluster

        return cluster.open_cluster(end, reader=self._reader, path=self._topology().path)

    def archive(self, site: str) -> archives.Archive | None:
        """Where a site keeps full-size renderings; None when it has no such place."""
        end = self._topology().site(site).spec.archive
        if end is None:
            return None
        path = self._topology().path(end.directory).absolute()
        return self._once(("archive", site), lambda: archives.Archive(root=path))

    def marks(self, site: str) -> ends.Cluster:
        """Where a site remembers the stance of its pairs: its cluster, else its archive.

        Raises:
            UnsupportedError: It has neither, or none that can be written to.
        """
        spec = self._topology().site(site).spec
        if spec.cluster is not None and spec.cluster.archive is None:
            return self.cluster(site)
        archive = spec.archive
        if archive is None:
            raise errors.UnsupportedError(
                f"The site {site} cannot remember a stance: it has no cluster that can be written to, and no archive.",
                remedy="Give it an archive.",
            )
        path = self._topology().path(archive.directory).absolute()
        return self._once(("marks", site), lambda: directory.DirectoryCluster(root=path))

    def close(self) -> None:
        """Close every end; whoever asks for one again gets a new one."""
        with self._lock:
            dropped, self._open = self._open, {}
        _close(dropped.values())

    # --- inside

    def _once(self, key: tuple[str, ...], make: Callable[[], _End]) -> _End:
        digest = self._topology().digest
        dropped: dict[tuple[str, ...], Any] = {}
        try:
            with self._lock:
                if digest != self._digest:
                    dropped, self._open = self._open, {}
                    self._digest = digest
                if key not in self._open:
                    self._open[key] = make()
                return cast("_End", self._open[key])
        finally:
            _close(dropped.values())


def _close(dropped: Iterable[object]) -> None:
    """Close the ends that keep connections open.

    A job that began under the older configuration may still use one: what it is doing goes on, and its next call opens
    a connection again, for itself alone.
    """
    for end in dropped:
        if isinstance(end, _Closing):
            end.close()


def _without(site: str, end: str) -> errors.UnsupportedError:
    return errors.UnsupportedError(f"The site {site} has no {end} end.", remedy=f"Give it one in its Site: spec.{end}.")
