"""What applications are made of is brought to their sites, from one source."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep import errors
from lockstep.topology import draft, kinds, suggest
from lockstep.topology.model import git_mirrors_covering, image_mirrors_covering

_WILD = frozenset("*?[")


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """Repositories without a mirror or with two sources, images that nothing brings to a site."""
    yield from _two_sources(documents)
    for entry, application in documents.each(kinds.Application):
        yield from _without_source(documents, entry, application)
        if application.spec.unmirrored == "refuse":
            yield from _unmirrored(documents, entry, application)


def _without_source(
    documents: draft.Draft, entry: draft.Entry, application: kinds.Application
) -> Iterator[errors.Problem]:
    repository = application.spec.source.repository
    mirrors = [mirror for _, mirror in documents.each(kinds.GitMirror)]
    if git_mirrors_covering(mirrors, repository) or not documents.complete(kinds.GitMirror):
        return
    named = [name for mirror in mirrors for name in mirror.spec.repositories if not _WILD & set(name)]
    yield entry.problem(
        ("spec", "source", "repository"),
        f"no GitMirror covers {repository}, so nobody knows where it comes from.",
        suggest.remedy(repository, named, otherwise="Add it to the repositories of a GitMirror."),
    )


def _two_sources(documents: draft.Draft) -> Iterator[errors.Problem]:
    mirrors = [mirror for _, mirror in documents.each(kinds.GitMirror)]
    entries = {entry.name: entry for entry, _ in documents.each(kinds.GitMirror)}
    # A pattern stands for repositories that nobody has named yet: two mirrors with the same one do cover the same.
    named = [application.spec.source.repository for _, application in documents.each(kinds.Application)]
    named += [name for mirror in mirrors for name in mirror.spec.repositories]
    told = set[tuple[str, str]]()
    for repository in dict.fromkeys(named):
        covering = git_mirrors_covering(mirrors, repository)
        for other in covering[1:]:
            both = (covering[0].name, other.name)
            if other.spec.source == covering[0].spec.source or both in told:
                continue
            told.add(both)
            yield entries[other.name].problem(
                _place_of(other, repository),
                f"{repository} already comes from another source, by the GitMirror {both[0]} in "
                f"{entries[both[0]].where}.",
                "Cover each repository from one source; one that is named exactly is left to its own mirror.",
            )


def _place_of(mirror: kinds.GitMirror, repository: str) -> tuple[str | int, ...]:
    for position, pattern in enumerate(mirror.spec.repositories):
        if pattern == repository:
            return ("spec", "repositories", position)
    return ("spec", "repositories")


def _unmirrored(documents: draft.Draft, entry: draft.Entry, application: kinds.Application) -> Iterator[errors.Problem]:
    """Images of an application that no deploy could find at a site: only an ImageMirror brings one there.

    What the application's own pipeline builds it pushes to the primary, and a mirror takes it from there. Which
    other images the manifests run is known when they are rendered: the deploy looks then.
    """
    sites = documents.sites_of(application)
    if sites is None or not documents.complete(kinds.ImageMirror, kinds.Site):
        return
    primaries = {pair.spec.primary for pair, _ in documents.pairs_of(application)}
    mirrors = [mirror for _, mirror in documents.each(kinds.ImageMirror)]
    first = {image.name: position for position, image in reversed(list(enumerate(application.spec.images)))}
    for position in sorted(first.values()):
        image, path = application.spec.images[position], ("spec", "images", position)
        homeless = [site for site in sites if not _has_registry(documents, site)]
        if homeless:
            yield entry.problem(
                path,
                f"{image.name} has no registry to be kept in at {' and '.join(homeless)}.",
                "Give the Site a registry, or set unmirrored to warn.",
            )
        pushed = primaries if image.from_ is None and application.spec.pipeline else set()
        reached = {
            site
            for mirror in image_mirrors_covering(mirrors, image.name)
            for site in (*mirror.spec.sites, mirror.spec.source.site)
        }
        unreached = [site for site in sites if site not in {*pushed, *reached, *homeless}]
        if unreached:
            yield entry.problem(
                path,
                f"no ImageMirror brings {image.name} to {' and '.join(unreached)}.",
                "Add it to the repositories and the sites of an ImageMirror, or set unmirrored to warn.",
            )


def _has_registry(documents: draft.Draft, name: str) -> bool:
    site = documents.find(kinds.Site, name)
    return site is None or site.spec.registry is not None
