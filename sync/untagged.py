"""Images that sites were given by their digest: no listing names them, and a site may run one.

Each full look asks every site for them again, one HEAD each, and brings what a site has lost. The source is asked
about those alone that a site lacks. What neither has any more is forgotten: garbage was collected on both sides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from lockstep import errors, values
from lockstep.sites import ends
from lockstep.store import images as stored
from lockstep.topology import kinds
from sync import beside
from sync.mirror import Result
from sync.states import State
from sync.stock import verify


def references(one: kinds.ImageMirror, known: Iterable[stored.Standing], sites: Collection[str]) -> dict[str, str]:
    """The digests that some sites are recorded with, for an order: the source need not be asked what they name.

    Through some platforms an index becomes another: then it has to be.
    """
    found = {row.reference for row in known if row.site in sites and values.is_digest(row.reference)}
    return {digest: "" if one.spec.platforms else digest for digest in sorted(found)}


def forget(
    source: ends.ImageStore,
    sites: Mapping[str, ends.ImageStore],
    looked_for: Mapping[str, str],
    results: Sequence[Result],
    *,
    looks: int = 8,
) -> list[Result]:
    """The results, where what the source no longer has is no failure.

    A site that has it whole is equal; what a site does not have either is recorded no longer.
    """
    failed = [one for one in results if one.state is State.FAILED and looked_for.get(one.reference)]
    digests = list(dict.fromkeys(one.reference for one in failed))
    said = beside.answers(lambda digest: _is_gone(source, failed[0].repository, digest), digests, looks=looks)
    gone = {digest for digest, is_gone in zip(digests, said, strict=True) if is_gone}
    left = [one for one in failed if one.reference in gone]
    stand = beside.answers(lambda one: _without_source(sites[one.site], one), left, looks=looks)
    told = dict(zip(map(_place, left), stand, strict=True))
    return [told.get(_place(one), one) for one in results]


def _place(one: Result) -> tuple[str, str]:
    return one.site, one.reference


def _without_source(site: ends.ImageStore, one: Result) -> Result:
    """How an image stands at a site that the source does not have; as before when the site does not say."""
    try:
        if site.resolve(one.repository, one.reference) is None:
            return replace(one, state=State.EQUAL, gone=True, detail="It is gone at the source, and here.")
        whole = verify(site, one.repository, one.reference).whole
    except errors.LockstepError:
        return one
    return replace(one, state=State.EQUAL, detail="It is gone at the source, and whole here.") if whole else one


def _is_gone(source: ends.ImageStore, repository: str, digest: str) -> bool:
    """Whether the source says that it has no such image; what it cannot say it has not said."""
    try:
        return source.resolve(repository, digest) is None
    except errors.LockstepError:
        return False
