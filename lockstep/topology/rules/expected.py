"""Rules of expected differences can come true: their values, sites, applications and pairs meet."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep import errors
from lockstep.topology import draft, kinds, suggest, templates


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """Rules that never apply, whole objects without ``onlyAt``, and site values that a site has not."""
    for entry, rule in documents.each(kinds.ExpectedDifference):
        yield from _whole_objects(entry, rule)
        concerned = scope(documents, rule)
        if concerned is None:
            continue
        pairs = [pair for _, pair in documents.each(kinds.Pair) if pair.name in {name for _, name in concerned}]
        if not pairs:
            yield entry.problem(
                ("spec",),
                "never applies: none of its applications is protected by one of its pairs.",
                "Mend applications or pairs.",
            )
            continue
        sites = list(dict.fromkeys(site for pair in pairs for site in (pair.spec.primary, pair.spec.standby)))
        yield from _values(documents, entry, rule, sites)
        yield from _only_at(entry, rule, sites)


def _whole_objects(entry: draft.Entry, rule: kinds.ExpectedDifference) -> Iterator[errors.Problem]:
    if rule.spec.only_at is not None:
        return
    for position, selector in enumerate(rule.spec.selectors):
        if not selector.pointer:
            yield entry.problem(
                ("spec", "at", position),
                "names whole objects, and only onlyAt speaks of those.",
                "Add the field, such as /spec/replicas.",
            )


def scope(documents: draft.Draft, rule: kinds.ExpectedDifference) -> frozenset[tuple[str, str]] | None:
    """The applications and pairs that a rule is about; None when something that it depends on is not known."""
    spec = rule.spec
    if not documents.complete(kinds.Application, kinds.Pair):
        return None
    named = [documents.find(kinds.Application, name) for name in spec.applications]
    applications = named or [application for _, application in documents.each(kinds.Application)]
    if None in applications or any(documents.find(kinds.Pair, name) is None for name in spec.pairs):
        return None
    return frozenset(
        (application.name, pair.name)
        for application in applications
        if application is not None
        for pair, _ in documents.pairs_of(application)
        if not spec.pairs or pair.name in spec.pairs
    )


def _values(
    documents: draft.Draft, entry: draft.Entry, rule: kinds.ExpectedDifference, sites: list[str]
) -> Iterator[errors.Problem]:
    for name in sorted(templates.names(rule.spec.per_site or "")):
        for site in sites:
            found = documents.find(kinds.Site, site)
            if found is not None and name not in found.spec.values:
                yield entry.problem(
                    ("spec", "perSite"),
                    f"{site} has no value {name}.",
                    suggest.remedy(name, found.spec.values, otherwise=f"Add {name} to the values of the Site {site}."),
                )


def _only_at(entry: draft.Entry, rule: kinds.ExpectedDifference, sites: list[str]) -> Iterator[errors.Problem]:
    for position, site in enumerate(rule.spec.only_at or ()):
        if site not in sites:
            yield entry.problem(
                ("spec", "onlyAt", position),
                f"{site} is in none of the pairs that this is about.",
                suggest.remedy(site, sites),
            )
