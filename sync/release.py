"""A person lets go what a guard holds at a site: exactly what was seen, with a reason, written down.

What is held has a name that is made of every ref with its old and its new id (``SiteOutcome.hold``). It is
told by a look, and given back to let it go. When anything moved in between the name is another one, and nothing
is let go. What was let go is kept in the store until it is done, so that a process that dies in the middle, or a
site that is away, changes nothing: the next look does the rest.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lockstep import errors
from lockstep.store import releases
from sync import git
from sync.outcomes import Report, SiteOutcome
from sync.repository import Mirroring, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Letting:
    """What is let go: the names of what is held, who says so, and why."""

    holds: Collection[str]
    by: str
    reason: str


def let_go(context: Mirroring, letting: Letting, *, name: str, site: str = "") -> Report:
    """Let go what is held, and bring it to its sites at once.

    Args:
        context: What mirroring works with.
        letting: What is let go, by whom and why.
        name: The GitMirror or the repository that it is held in.
        site: To this site only.

    Returns:
        How everything that ``name`` names stands afterwards.

    Raises:
        InputError: Nobody said why.
        ConflictError: Nothing with such a name is held now: nothing was let go, not even the others.
        NotFoundError: As ``git.run``.
    """
    reason = " ".join(letting.reason.split())
    if not reason:
        raise errors.InputError("What is held is let go for a reason.", remedy="Say in a sentence why.")
    seen = git.run(context, Request(site=site, dry_run=True), name=name)
    held = {outcome.hold: outcome for outcome in seen.sites if outcome.hold}
    strange = sorted(set(letting.holds) - held.keys())
    if strange:
        raise errors.ConflictError(
            f"Nothing is held under {', '.join(strange)} now: it was let go already, or something moved since.",
            remedy=f"Look again: lockstep sync git {name}.",
        )
    _write_down(context, [held[hold] for hold in letting.holds], by=letting.by, reason=reason)
    return git.run(context, Request(site=site), name=name)


def _write_down(context: Mirroring, outcomes: list[SiteOutcome], *, by: str, reason: str) -> None:
    now = context.clock.now()
    released = [
        releases.Release(
            repository=outcome.repository,
            site=outcome.site,
            change=releases.Change(ref=update.ref, old=update.old, new=update.new),
            by=by,
            reason=reason,
            at=now,
        )
        for outcome in outcomes
        for update in outcome.held
    ]
    with context.database.write() as connection:
        releases.release(connection, released)
