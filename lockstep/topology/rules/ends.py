"""Sites have the ends that mirrors and applications need, and every end is a place of its own."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep import errors
from lockstep.topology import draft, kinds
from lockstep.values import Tier


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """What mirrors and applications ask of sites that these do not have."""
    for entry, mirror in documents.each(kinds.GitMirror):
        yield from _receivers(documents, entry, mirror.spec.sites, end="git")
    for entry, images in documents.each(kinds.ImageMirror):
        yield from _receivers(documents, entry, images.spec.sites, end="registry")
        source = images.spec.source.site
        if source is not None and _lacks(documents, source, "registry"):
            yield entry.problem(("spec", "source", "site"), f"{source} has no registry.", _give(source, "a registry"))
    for entry, application in documents.each(kinds.Application):
        said = set[tuple[str, str]]()  # many pairs share a site
        for pair, protection in documents.pairs_of(application):
            for words in _tier(documents, pair, protection.tier, delivered=bool(application.spec.pipeline)):
                if words not in said:
                    said.add(words)
                    yield entry.problem(("spec", "protection", pair.name), *words)


def _lacks(documents: draft.Draft, name: str, end: str) -> bool:
    """Whether a site is known not to have an end."""
    site = documents.find(kinds.Site, name)
    return site is not None and getattr(site.spec, end) is None


def _give(site: str, what: str) -> str:
    return f"Give the Site {site} {what}."


def _receivers(
    documents: draft.Draft, entry: draft.Entry, sites: tuple[str, ...], *, end: str
) -> Iterator[errors.Problem]:
    for position, name in enumerate(sites):
        if _lacks(documents, name, end):
            yield entry.problem(
                ("spec", "sites", position),
                f"{name} has no {end} end, so it can receive nothing.",
                f"Give the Site {name} a {end} end, or take it out here.",
            )


def _tier(documents: draft.Draft, pair: kinds.Pair, tier: Tier, *, delivered: bool) -> Iterator[tuple[str, str]]:
    """What the sites of a pair lack for an application of this tier.

    A git end is not asked for: a site may be compared without mirroring to it, and preflight says what that costs.
    """
    primary = documents.find(kinds.Site, pair.spec.primary)
    standby = documents.find(kinds.Site, pair.spec.standby)
    if primary is not None:
        yield from _cluster(primary, "is the primary", delivered=delivered)
    if standby is None:
        return
    if tier is not Tier.WARM:
        yield from _cluster(standby, f"is a standby of the tier {tier.value}", delivered=delivered)
    elif not standby.spec.archive:
        if not standby.spec.cluster:
            yield (
                f"{standby.name} has neither an archive nor a cluster to be a warm standby with.",
                _give(standby.name, "an archive"),
            )
        elif standby.spec.cluster.kubeconfig or standby.spec.cluster.in_cluster:
            yield (
                f"{standby.name} is a warm standby whose cluster gets the ground alone, and has no archive.",
                _give(standby.name, "an archive"),
            )
        else:
            yield from _cluster(standby, "is a warm standby without an archive", delivered=delivered)


def _cluster(site: kinds.Site, role: str, *, delivered: bool) -> Iterator[tuple[str, str]]:
    if not site.spec.cluster:
        yield f"{site.name} {role} and has no cluster.", _give(site.name, "a cluster")
    elif site.spec.cluster.archive and delivered:
        yield (
            f"{site.name} {role}, and its cluster is a backup, to which nothing can be deployed.",
            f"Give the Site {site.name} another cluster, or take pipeline out of the Application.",
        )
