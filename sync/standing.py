"""How references stand at sites before anything is brought: equal, held, not to be known, or to be brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from lockstep import errors, values
from lockstep.sites import ends
from sync import beside, sources
from sync.orders import Order, Result
from sync.states import State
from sync.stock import Shelf, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How some references stand.

    ``results`` is what is settled; ``pending`` says by site and reference which digest is to be brought; ``known`` is
    what tags name at the sites that answered.
    """

    results: Sequence[Result]
    pending: Mapping[tuple[str, str], str] = field(default_factory=dict)
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def look(order: Order) -> Standing:
    """Ask the source and all sites about every reference of an order, side by side.

    Raises:
        LockstepError: The source could not be asked at all.
    """
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(_at_source, order)
        said = _at_sites(order, list(order.references))
        source = asked.result()
    named = source.digests
    absent = [reference for reference in order.references if not named[reference]]
    whys = beside.answers(
        lambda one: source.refused.get(one) or _why_absent(order, one), absent, looks=order.bounds.looks
    )
    results = [
        order.result(reference, site, State.HELD, detail=why)
        for site, why in order.held.items()
        for reference in order.references
    ]
    results += [
        order.failed(reference, site, "", why)
        for reference, why in zip(absent, whys, strict=True)
        for site in order.sites
    ]
    pending: dict[tuple[str, str], str] = {}
    for site, standing in said.items():
        results += _sorted_out(order, site, standing, named, pending)
    if order.referrers and not order.deep:
        results = _with_new_referrers(order, results, pending)
    known = {site: _sure(standing) for site, standing in said.items() if isinstance(standing, Told)}
    return Standing(results=results, pending=pending, known=known)


def _sorted_out(
    order: Order,
    site: str,
    standing: Told | errors.LockstepError,
    named: Mapping[str, str],
    pending: dict[tuple[str, str], str],
) -> list[Result]:
    """What is known already of one site; what has to be brought goes to ``pending``."""
    known = {reference: digest for reference, digest in named.items() if digest}
    refused = dict.fromkeys(known, standing) if isinstance(standing, errors.LockstepError) else dict(standing.refused)
    if isinstance(standing, Told):
        refused |= {tag: why for tag, why in standing.damaged.items() if _may_be_another(order, site, tag, known)}
    results = [
        replace(order.failed(reference, site, digest, refused[reference]), seen=False)
        for reference, digest in known.items()
        if reference in refused
    ]
    if isinstance(standing, errors.LockstepError):
        return results
    for reference, digest in known.items():
        if reference in refused:
            continue
        there = standing.digests[reference]
        if there == digest and not order.deep:
            results.append(order.result(reference, site, State.EQUAL, digest=digest))
        elif there and there != digest and order.immutable(reference):
            why = f"The tag is immutable: it names {there} there, and {digest} at the source."
            results.append(order.result(reference, site, State.HELD, digest=there, detail=why))
        else:
            pending[site, reference] = digest
    return results


def _may_be_another(order: Order, site: str, reference: str, known: Mapping[str, str]) -> bool:
    """Whether a reference that cannot be read at a site is a tag that must not move, and may name something else."""
    if not values.is_tag(reference) or not order.immutable(reference):
        return False
    store = order.sites[site]
    try:
        listed = (store.tags(order.repository) or {}) if store.lists_digests else {}
    except errors.LockstepError:
        listed = {}
    return listed.get(reference) != known.get(reference)


def _with_new_referrers(order: Order, results: Sequence[Result], pending: dict[tuple[str, str], str]) -> list[Result]:
    """The results without those of equal images about which the source has more; these go to ``pending``."""
    equal = [result for result in results if result.state is State.EQUAL]
    roots = sorted({result.digest for result in equal})
    looks = order.bounds.looks
    said = beside.answers(lambda root: _about(order.source, order, root), roots, looks=looks)
    about = dict(zip(roots, said, strict=True))
    there = beside.answers(lambda one: _about(order.sites[one.site], order, one.digest), equal, looks=looks)
    lacking = {
        (result.site, result.reference): result
        for result, has in zip(equal, there, strict=True)
        if not about[result.digest] <= has
    }
    pending.update({key: result.digest for key, result in lacking.items()})
    return [result for result in results if (result.site, result.reference) not in lacking]


def _about(store: ends.ImageStore, order: Order, root: str) -> set[str]:
    """What refers to an image, by digest; something that no site has when nobody can say."""
    try:
        return {one.digest for one in store.referrers(order.repository, root)}
    except errors.LockstepError:
        return {"unknown"} if store is order.source else set()


def _sure(said: Told) -> dict[str, str]:
    """What tags name, without those of which nobody knows."""
    return {reference: digest for reference, digest in said.digests.items() if reference not in said.refused}


def _at_source(order: Order) -> Told:
    """What each reference names at the source."""
    asked = [reference for reference, digest in order.references.items() if not digest]
    found = Shelf(store=order.source, repository=order.repository).digests(asked, looks=order.bounds.looks)
    digests = {reference: digest or found.digests[reference] for reference, digest in order.references.items()}
    return Told(digests=digests, refused=found.refused)


def _at_site(order: Order, shelf: Shelf, references: Sequence[str]) -> Told:
    """What references name at one site.

    Some registries deny a repository that is not there yet to whoever may only read (Quay, Docker Hub): whoever is to
    write there asks as such.
    """
    try:
        told = shelf.digests(references, looks=order.bounds.looks)
    except errors.UnauthorisedError:
        if order.dry_run:
            raise
    else:
        denied = any(isinstance(error, errors.ForbiddenError) for error in told.refused.values())
        if order.dry_run or not denied:
            return told
    with shelf.store.writing(shelf.repository):
        return shelf.digests(references, looks=order.bounds.looks)


def _why_absent(order: Order, reference: str) -> errors.LockstepError:
    """Why the source does not have a reference, or has only a damaged one."""
    try:
        order.source.resolve(order.repository, reference)
    except errors.LockstepError as error:
        return error
    return sources.without(order.source, reference)


def _at_sites(order: Order, references: Sequence[str]) -> dict[str, Told | errors.LockstepError]:
    """What each reference names at each site; or why a site cannot say."""
    shelves = {site: Shelf(store=store, repository=order.repository) for site, store in order.sites.items()}
    with ThreadPoolExecutor(max(1, len(shelves))) as pool:
        looks = {site: pool.submit(_at_site, order, shelf, references) for site, shelf in shelves.items()}
    said: dict[str, Told | errors.LockstepError] = {}
    for site, look in looks.items():
        error = look.exception()
        said[site] = error if isinstance(error, errors.LockstepError) else look.result()
    return said
