"""Every end is a place of its own: two that share one would be compared with themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lockstep import errors
from lockstep.topology import draft, kinds
from lockstep.topology.model import local_path

_PORTS = {"http": 80, "https": 443, "ssh": 22}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an end of a site is. ``server`` tells servers apart; ``disk`` is set for a place on this machine."""

    entry: draft.Entry
    end: str
    server: tuple[str, ...] = ()
    disk: Path | None = None

    @property
    def title(self) -> str:
        """The end as people call it."""
        return f"the {self.end} of {self.entry.name}"


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """Ends that are the same place, or one inside the other; mirrors onto their own source."""
    places = [place for entry, site in documents.each(kinds.Site) for place in _places(documents, entry, site)]
    for place in places:
        yield from _inside_configuration(documents, place)
    yield from _shared([place for place in places if not list(_inside_configuration(documents, place))])
    yield from _onto_itself(documents, {place.entry.name: place for place in places if place.end == "git"})


def _places(documents: draft.Draft, entry: draft.Entry, site: kinds.Site) -> Iterator[Place]:
    spec = site.spec
    if spec.git:
        yield _git(documents, entry, spec.git)
    if spec.registry:
        yield _registry(documents, entry, spec.registry)
    if spec.cluster:
        yield _cluster(documents, entry, spec.cluster)
    if spec.archive:
        yield Place(entry=entry, end="archive", disk=local_path(documents.directory, spec.archive.directory))


def _git(documents: draft.Draft, entry: draft.Entry, end: kinds.GitPlace) -> Place:
    if end.directory:
        return Place(entry=entry, end="git", disk=local_path(documents.directory, end.directory))
    url = end.url or ""
    if url.startswith("file://"):
        folder = url.removeprefix("file://").partition("{repository}")[0]
        return Place(entry=entry, end="git", disk=local_path(documents.directory, folder))
    if "://" not in url:  # user@host:path, as scp writes it
        host, _, path = url.rpartition("@")[2].partition(":")
        url = f"ssh://{host}/{path}"
    return Place(entry=entry, end="git", server=_server(url))


def _server(url: str) -> tuple[str, ...]:
    """Host, port and path of a URL, so that two ways of writing one place give one value."""
    parts = urlsplit(url)
    path = parts.path.strip("/").removesuffix(".git")
    return (parts.hostname or "", str(parts.port or _PORTS.get(parts.scheme, 0)), path)


def _registry(documents: draft.Draft, entry: draft.Entry, end: kinds.RegistryEnd) -> Place:
    if end.layout:
        return Place(entry=entry, end="registry", disk=local_path(documents.directory, end.layout))
    # Two sites may have each its own part of one registry: what stands after the host of the prefix.
    return Place(entry=entry, end="registry", server=(*_server(end.url or ""), end.prefix.partition("/")[2]))


def _cluster(documents: draft.Draft, entry: draft.Entry, end: kinds.ClusterEnd) -> Place:
    on_disk = end.directory or end.archive
    if on_disk:
        return Place(entry=entry, end="cluster", disk=local_path(documents.directory, on_disk))
    if end.kubeconfig is None:
        return Place(entry=entry, end="cluster", server=("in cluster",))
    reference = end.kubeconfig
    file = str(local_path(documents.directory, reference.file)) if reference.file else ""
    return Place(
        entry=entry,
        end="cluster",
        server=(file, reference.env or "", repr(reference.kubernetes_secret), end.context or ""),
    )


def _shared(places: list[Place]) -> Iterator[errors.Problem]:
    """Each place that another one, written before it, takes too. A thousand sites are compared by look-ups."""
    first: dict[tuple[str, ...] | Path, Place] = {}
    for place in places:
        other = first.setdefault(place.disk or (place.end, *place.server), place)
        if other is not place:
            yield place.entry.problem(
                ("spec", place.end),
                f"is the same place as {other.title} in {other.entry.where}, so that they could never differ.",
                "Give each a place of its own.",
            )
    for place in places:
        outer = next((first[folder] for folder in (place.disk.parents if place.disk else ()) if folder in first), None)
        if outer is not None:
            yield place.entry.problem(
                ("spec", place.end),
                f"is inside {outer.title} in {outer.entry.where}.",
                "Give each a place of its own.",
            )


def _inside_configuration(documents: draft.Draft, place: Place) -> Iterator[errors.Problem]:
    if not place.disk:
        return
    directory = local_path(documents.directory, ".")
    within = place.disk.is_relative_to(directory)
    hidden = within and any(part.startswith(".") for part in place.disk.relative_to(directory).parts)
    if (within and not hidden) or place.disk in directory.parents:
        yield place.entry.problem(
            ("spec", place.end),
            "is inside the configuration's own directory, or holds it: what is written there would be read as "
            "configuration.",
            f"Write ../{place.disk.relative_to(directory)}." if within else "Put it beside the directory.",
        )


def _onto_itself(documents: draft.Draft, places: dict[str, Place]) -> Iterator[errors.Problem]:
    for entry, mirror in documents.each(kinds.GitMirror):
        source = _git(documents, entry, mirror.spec.source)
        for position, site in enumerate(mirror.spec.sites):
            place = places.get(site)
            if place and (place.disk, place.server) == (source.disk, source.server):
                yield entry.problem(
                    ("spec", "sites", position),
                    f"{site} keeps git where this mirror reads from.",
                    "Take the site out here, or give it a git of its own.",
                )
    for entry, images in documents.each(kinds.ImageMirror):
        if images.spec.source.site in images.spec.sites:
            yield entry.problem(
                ("spec", "sites", images.spec.sites.index(images.spec.source.site)),
                f"{images.spec.source.site} is where this mirror reads from.",
                "Take the site out here.",
            )
