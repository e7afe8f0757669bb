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
from sync.mirror import Result
from sync.states import State


def references(one: kinds.ImageMirror, known: Iterable[stored.Standing], sites: Collection[str]) -> dict[str, str]:
    """The digests that some sites are recorded with, for an order: the source need not be asked what they name.

    Through some platforms an index becomes another: then it has to be.
    """
    found = {row.reference for row in known if row.site in sites and values.is_digest(row.reference)}
    return {digest: "" if one.spec.platforms else digest for digest in sorted(found)}


def forget(source: ends.ImageStore, looked_for: Mapping[str, str], results: Sequence[Result]) -> list[Result]:
    """The results, where what is neither at a site nor at the source is no failure, and is recorded no longer."""
    failed = [one for one in results if one.state is State.FAILED and looked_for.get(one.reference)]
    gone = {digest for digest in {one.reference for one in failed} if _is_gone(source, failed[0].repository, digest)}
    return [
        replace(one, state=State.EQUAL, gone=True, detail="It is gone at the source, and here.")
        if one in failed and one.reference in gone
        else one
        for one in results
    ]


def _is_gone(source: ends.ImageStore, repository: str, digest: str) -> bool:
    """Whether the source says that it has no such image; what it cannot say it has not said."""
    try:
        return source.resolve(repository, digest) is None
    except errors.LockstepError:
        return False
