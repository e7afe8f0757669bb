"""Tags that the source no longer has, and that a mirror takes away at its sites too.

Only a tag that Lockstep brought, and that still names what it brought, is ever taken away; what it named stays.
Many at once are held: a source that lost its tags is no reason for every site to lose them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from lockstep import errors, values
from lockstep.sites import ends
from lockstep.store import images as stored
from lockstep.topology import amounts, kinds
from sync import selection
from sync.mirror import Order, Result
from sync.states import State, state_of

_LET_GO = "Push them there again, or raise deletions.most of the mirror until they are gone here."
_KEEPS = "It is gone at the source; this registry deletes nothing. Let it delete, or remove the tag there by hand."


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A tag at a site that the source no longer has; ``why`` says why it is held, empty when it may go."""

    site: str
    tag: str
    digest: str
    why: str = ""


def plan(
    mirror: kinds.ImageMirror,
    known: Sequence[stored.Standing],
    listed: Collection[str],
    sites: Collection[str],
    *,
    others: Sequence[kinds.ImageMirror] = (),
) -> list[Gone]:
    """What is to go, at which sites, and what of it is held. Pure.

    Args:
        mirror: The mirror, with its rules.
        known: What is recorded of the repository.
        listed: The tags that the source has now, and those that were just brought.
        sites: The sites that may be written to.
        others: Mirrors that bring the same repository from elsewhere: what may be theirs is not taken away.
    """
    found = []
    for site in sorted(sites):
        ours = [one for one in known if one.site == site and one.verified_at and values.is_tag(one.reference)]
        beside = [other for other in others if site in selection.receivers(other)]
        gone = [
            one
            for one in ours
            if one.reference not in listed
            and _is_of(mirror, one.reference)
            and not any(_is_of(other, one.reference) for other in beside)
        ]
        most = max(1, amounts.share_of(mirror.spec.deletions.most, len(ours)))
        many = f"{len(gone)} of {len(ours)} tags vanished at the source at once. {_LET_GO}" if len(gone) > most else ""
        for one in gone:
            fixed = (
                "It is gone at the source, and immutable here." if selection.is_immutable(mirror, one.reference) else ""
            )
            found.append(Gone(site=site, tag=one.reference, digest=one.digest, why=many or fixed))
    return found


def carry_out(order: Order, gone: Sequence[Gone]) -> list[Result]:
    """Take tags away; one result for each. Errors are results."""
    results = []
    for one in gone:
        result = Result(
            repository=order.repository, reference=one.tag, site=one.site, state=State.HELD, digest=one.digest,
            detail=one.why,
        )  # fmt: skip
        try:
            results.append(result if one.why else _take_away(order, one, order.sites[one.site], result))
        except errors.LockstepError as error:
            results.append(replace(result, state=state_of(error), detail=str(error)))
    return results


def _take_away(order: Order, gone: Gone, store: ends.ImageStore, result: Result) -> Result:
    there = store.resolve(order.repository, gone.tag)
    if there is not None and there.digest != gone.digest:
        return replace(result, detail=f"It is gone at the source, but names {there.digest} there, which is not ours.")
    if order.dry_run:
        return replace(result, state=State.BEHIND, detail="It is gone at the source, and would go here.")
    if why := order.hold(gone.site):
        return replace(result, detail=why)
    if there is not None and not store.untag(order.repository, gone.tag):
        return replace(result, state=State.REFUSED, detail=_KEEPS)
    return replace(result, state=State.EQUAL, detail="It is gone at the source, and here.", gone=True)


def _is_of(mirror: kinds.ImageMirror, tag: str) -> bool:
    """Whether a tag is one that the mirror brings: what merely stopped being chosen by number is not deleted."""
    return bool(values.companion_of(tag)) or bool(selection.chosen_tags(mirror, [tag]))
