"""Applications keep out of each other's way, and say nothing of sites that they do not have."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from lockstep import errors
from lockstep.topology import draft, kinds
from lockstep.topology.kinds.application import HelmSource


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """Overlays that are never rendered or overlap, images listed twice, applications that deploy the same."""
    for entry, application in documents.each(kinds.Application):
        yield from _elsewhere(documents, entry, application)
        yield from _overlays(entry, application.spec.source)
        yield from _images(entry, application)
    yield from _same_objects(documents)


def _elsewhere(documents: draft.Draft, entry: draft.Entry, application: kinds.Application) -> Iterator[errors.Problem]:
    """Overlays and values for sites that the application is never deployed to."""
    sites = documents.sites_of(application)
    if sites is None:
        return
    source = application.spec.source
    tables = {("overlays",): source.overlays, ("helm", "siteValues"): source.helm.site_values}
    for where, table in tables.items():
        for site in table:
            if site not in sites and ("Site", site) in documents.entries:
                yield entry.problem(
                    ("spec", "source", *where, site),
                    f"{entry.name} is not deployed to {site}.",
                    f"Take it out, or protect the application in a Pair with {site}.",
                )


def _overlays(entry: draft.Entry, source: kinds.Source) -> Iterator[errors.Problem]:
    """Two sites may share an overlay; one inside another would be rendered with it."""
    path = posixpath.normpath(source.path)
    folders = {site: posixpath.normpath(folder) for site, folder in source.overlays.items()}
    for site, folder in folders.items():
        where = ("spec", "source", "overlays", site)
        outer = next((other for other, around in folders.items() if around != path and _within(folder, around)), None)
        if folder == path:
            yield entry.problem(where, "is the path itself, so it overlays nothing.", "Take it out.")
        elif _within(path, folder):
            yield entry.problem(where, f"holds the path {source.path}.", "Give the overlay a folder of its own.")
        elif outer is not None:
            yield entry.problem(where, f"is inside the overlay of {outer}.", "Give each a folder of its own.")


def _within(inner: str, outer: str) -> bool:
    """Whether a folder is inside another one and not the same."""
    return inner != outer and (outer == "." or inner.startswith(f"{outer}/"))


def _images(entry: draft.Entry, application: kinds.Application) -> Iterator[errors.Problem]:
    seen = set[str]()
    for position, image in enumerate(application.spec.images):
        if image.name in seen:
            yield entry.problem(("spec", "images", position, "name"), f"lists {image.name} twice.", "Keep one of them.")
        seen.add(image.name)


def _same_objects(documents: draft.Draft) -> Iterator[errors.Problem]:
    """Two applications that render one folder into one namespace would delete each other's objects."""
    first: dict[tuple[str, ...], draft.Entry] = {}
    for entry, application in documents.each(kinds.Application):
        source = application.spec.source
        if source.render == "helm" or source.helm != HelmSource():
            continue  # one chart may be installed twice, as two releases
        for site in documents.sites_of(application) or ():
            folder = posixpath.normpath(source.overlays.get(site, source.path))
            other = first.setdefault((source.repository, folder, application.spec.namespace, site), entry)
            if other is not entry:
                yield entry.problem(
                    ("spec", "source"),
                    f"puts the same objects into {site} as the Application {other.name} in {other.where}.",
                    "Give one of them another path, namespace or site.",
                )
                break
