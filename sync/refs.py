"""What a site's refs have to become: pure.

The source's branches and tags (and notes, when asked for) are what a site should have. A guard holds what a
person should see first: a source that is suddenly empty, many deletes at once, a protected branch that was
rewritten, a ref that somebody else wrote at the site. What a person has let go is let go by its exact ids, and
no further. Nothing outside these namespaces is ever planned, but for copies of what is about to be lost
under ``refs/backup``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase

from lockstep.sites.ends import Advertised, RefUpdate
from lockstep.sites.git import names
from lockstep.topology import amounts
from lockstep.topology.kinds import GitGuards

HEAD = "HEAD"
BACKUP = "refs/backup/"
_ALWAYS = ("refs/heads/", "refs/tags/")
_NOTES = "refs/notes/"

IsAncestor = Callable[[str, str], bool | None]
"""Whether the second commit contains the first; None when that is not known."""


class Reason(Enum):
    """Why something is held."""

    EMPTY_SOURCE = "empty-source"
    DELETIONS = "deletions"
    DIVERGED = "diverged"
    REWRITTEN = "rewritten"
    HEAD = "head"
    IN_THE_WAY = "in-the-way"
    ALIAS = "alias"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One ref (or HEAD, or ``""`` for all of them) that is not touched, and why, in a sentence.

    ``updates`` are what would be done if a person let it go; none when that would help nobody.
    """

    ref: str
    reason: Reason
    detail: str
    updates: tuple[RefUpdate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a repository is mirrored to a site."""

    guards: GitGuards
    notes: bool = False
    stamp: str = ""
    """The time in UTC, as a part of a ref's name: what backups of this moment are kept under."""
    released: frozenset[RefUpdate] = frozenset()
    """What a person has let go: exactly these changes, from these ids to these."""

    def covers(self, ref: str) -> bool:
        """Whether a ref is mirrored at all."""
        return ref.startswith(_ALWAYS) or (self.notes and ref.startswith(_NOTES))

    def covered(self, refs: Mapping[str, str]) -> dict[str, str]:
        """Those of some refs that are mirrored."""
        return {ref: oid for ref, oid in refs.items() if self.covers(ref)}

    def protects(self, ref: str) -> bool:
        """Whether the configuration names a ref as one that is not rewritten unseen."""
        return any(
            fnmatchcase(ref, pattern if pattern.startswith("refs/") else f"refs/heads/{pattern}")
            for pattern in self.guards.protected
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefPlan:
    """What to do at a site, in this order: backups, writes, HEAD, deletes.

    ``head`` is empty when HEAD stays. A write may need a delete out of its way first: the push sees to that.
    ``unsure`` are those of the writes that a guard may hold or back up, by what it would do: whether they lose
    something is told only by commits that are not here.
    """

    backups: tuple[RefUpdate, ...] = ()
    writes: tuple[RefUpdate, ...] = ()
    head: str = ""
    deletes: tuple[RefUpdate, ...] = ()
    held: tuple[Held, ...] = ()
    unsure: Mapping[str, str] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do; something may be held all the same."""
        return not (self.backups or self.writes or self.head or self.deletes)


def plan(
    source: Advertised,
    site: Advertised,
    *,
    written: Mapping[str, str],
    options: Options,
    is_ancestor: IsAncestor,
) -> RefPlan:
    """Decide what a site's refs have to become.

    Args:
        source: What the source has.
        site: What the site has; no refs when there is no repository yet.
        written: What Lockstep last wrote there, by ref.
        options: What is mirrored, and what is held.
        is_ancestor: Whether the second commit contains the first: then moving a branch on loses nothing. None when
            that is not known.
    """
    wanted, there = options.covered(source.refs), options.covered(site.refs)
    aliases = {ref: target for ref, target in site.aliases.items() if ref in there}
    everything = tuple(RefUpdate(ref=ref, old=old, new="") for ref, old in sorted(there.items()) if ref not in aliases)
    if there and not wanted and options.guards.empty_source == "hold" and not options.released.issuperset(everything):
        said = f"The source has no branch and no tag any more; the {len(there)} refs here are kept."
        empty = Held(ref="", reason=Reason.EMPTY_SOURCE, detail=said, updates=everything)
        return RefPlan(held=(empty, *_unreadable(source, site, options)))
    draft = _Draft(options, _saved(site))
    judge = _Judge(options, written=written, heads={source.head, site.head}, is_ancestor=is_ancestor)
    for ref in (wanted.keys() | there.keys()) - aliases.keys():
        update = RefUpdate(ref=ref, old=there.get(ref, ""), new=wanted.get(ref, ""))
        if update.old != update.new:
            draft.change(update, *judge.reason(update))
    draft.hold_aliases(aliases, wanted)
    draft.hold_deletions(there)
    draft.hold_in_the_way(there)
    head = draft.head(source.head, site.head, wanted, there) if wanted else ""
    return draft.finish(head, _unreadable(source, site, options))


class _Judge:
    """Says of a change why a person should see it first."""

    def __init__(
        self,
        options: Options,
        *,
        written: Mapping[str, str],
        heads: AbstractSet[str],
        is_ancestor: IsAncestor,
    ) -> None:
        self._options = options
        self._written = written
        self._heads = heads
        self._is_ancestor = is_ancestor

    def reason(self, update: RefUpdate) -> tuple[Reason | None, bool]:
        """None when the change loses nothing, or only what Lockstep wrote and nobody protects; and if it is sure.

        A reason that is not sure may turn out to be none.
        """
        if not update.old or update in self._options.released:
            return None, True
        ours = self._written.get(update.ref) == update.old
        if ours and not self._is_protected(update):
            return None, True
        reason = Reason.REWRITTEN if ours else Reason.DIVERGED
        if not update.new or not update.ref.startswith("refs/heads/"):
            return reason, True
        # Last, because each question about ancestors is a git command.
        contained = self._is_ancestor(update.old, update.new)
        return (None if contained else reason), contained is not None

    def _is_protected(self, update: RefUpdate) -> bool:
        """The default branch is not rewritten; that it goes is how it is renamed."""
        return self._options.protects(update.ref) or (bool(update.new) and update.ref in self._heads)


class _Draft:
    """A plan while it is made."""

    def __init__(self, options: Options, saved: AbstractSet[tuple[str, str]]) -> None:
        self._options = options
        self._saved = saved
        self._changes: dict[str, RefUpdate] = {}
        self._lost: set[str] = set()
        self._held: list[Held] = []
        self._unsure: dict[str, str] = {}

    def change(self, update: RefUpdate, reason: Reason | None, is_sure: bool) -> None:
        """Plan a change; when there is a reason that a person should see it first, as the guard says."""
        guards = self._options.guards
        policy = guards.diverged if reason is Reason.DIVERGED else guards.rewritten
        if reason and not is_sure:
            self._changes[update.ref] = update
            if policy != "overwrite":
                self._unsure[update.ref] = f"{reason.value}: {policy}"
            return
        if reason and policy == "hold":
            self._hold(update.ref, reason, _sentence(update, reason), update)
            return
        self._changes[update.ref] = update
        if reason and policy == "backup" and (update.ref, update.old) not in self._saved:
            self._lost.add(update.ref)

    def hold_aliases(self, aliases: Mapping[str, str], wanted: Mapping[str, str]) -> None:
        """Hold each symbolic ref of the site that will not become right by the ref that it follows.

        Who pushes to one, or deletes it, does that to the ref that it follows (git-receive-pack does not tell them
        apart): that may be one which the source has, and nobody spoke of.
        """
        for ref, target in aliases.items():
            if ref in wanted and wanted[ref] == wanted.get(target):
                continue
            said = f"It is symbolic at the site, and follows {target}: what is done to it would be done to that."
            self._hold(ref, Reason.ALIAS, said)
            if ref in wanted and target in self._changes and not self._changes[target].new:
                self._drop(target, Reason.ALIAS, f"{ref} follows it at the site, and would be gone with it.")

    def hold_deletions(self, there: Mapping[str, str]) -> None:
        """Hold all deletes when they are too many of what the site has.

        What is new counts too: else a delete that is held now would go as soon as the new refs are there.
        """
        released = self._options.released
        deletes = [change.ref for change in self._changes.values() if not change.new and change not in released]
        whole = len(there.keys() | self._changes.keys())
        share = self._options.guards.deletions.most
        most = max(1, amounts.share_of(share, whole))
        if len(deletes) > most:
            said = f"The source lacks {len(deletes)} of {whole} refs, more than {share}: none is deleted."
            for ref in deletes:
                self._drop(ref, Reason.DELETIONS, said)

    def hold_in_the_way(self, there: Mapping[str, str]) -> None:
        """Hold what cannot be written beside a ref that stays."""
        stay = [ref for ref in there if ref not in self._changes or self._changes[ref].new]
        new = [update.ref for update in self._changes.values() if not update.old]
        for ref, other in names.in_the_way(new, stay).items():
            self._drop(ref, Reason.IN_THE_WAY, f"It cannot stand beside {other}, which is kept.")

    def head(self, source: str, site: str, wanted: Mapping[str, str], there: Mapping[str, str]) -> str:
        """The branch that HEAD has to name; empty when it stays."""
        if source not in wanted:
            self._hold(HEAD, Reason.HEAD, "HEAD of the source names no branch that it has; it is left as it is here.")
        elif source != site and (source in there or source in self._changes):
            return source
        elif source != site:
            self._hold(HEAD, Reason.HEAD, f"HEAD of the source names {source}, which is held.")
        return ""

    def finish(self, head: str, unreadable: tuple[Held, ...]) -> RefPlan:
        """The plan."""
        changes = sorted(self._changes.values())
        return RefPlan(
            backups=tuple(self._backup(update) for update in changes if update.ref in self._lost),
            writes=tuple(update for update in changes if update.new),
            head=head,
            deletes=tuple(update for update in changes if not update.new),
            held=tuple(sorted((*self._held, *unreadable), key=lambda held: held.ref)),
            unsure={ref: guard for ref, guard in self._unsure.items() if ref in self._changes},
        )

    def _backup(self, update: RefUpdate) -> RefUpdate:
        name = f"{BACKUP}{self._options.stamp}/{update.ref.removeprefix('refs/')}"
        return RefUpdate(ref=name, old="", new=update.old)

    def _hold(self, ref: str, reason: Reason, detail: str, *updates: RefUpdate) -> None:
        self._held.append(Held(ref=ref, reason=reason, detail=detail, updates=updates))

    def _drop(self, ref: str, reason: Reason, detail: str) -> None:
        update = self._changes.pop(ref)
        self._lost.discard(ref)
        # Nothing but the ref that is in its way can make room for another, and no approval makes a ref an ordinary one.
        self._hold(ref, reason, detail, *(() if reason in (Reason.IN_THE_WAY, Reason.ALIAS) else (update,)))


def _sentence(update: RefUpdate, reason: Reason) -> str:
    done = "overwritten" if update.new else "deleted"
    if reason is Reason.DIVERGED:
        return f"The site has {update.old[:12]} here, which Lockstep did not write: it is not {done}."
    if not update.new:
        return f"The source has deleted it, and it is protected: {update.old[:12]} is kept."
    return f"The source has rewritten it to {update.new[:12]}, which does not contain {update.old[:12]}."


def _saved(site: Advertised) -> set[tuple[str, str]]:
    """What was backed up at a site by an earlier look, as the ref that it was and its id.

    A site that takes a backup and then refuses the ref itself is asked again, and gets no second copy each time.
    """
    names = ((ref.removeprefix(BACKUP), oid) for ref, oid in site.refs.items() if ref.startswith(BACKUP))
    return {(f"refs/{name.partition('/')[2]}", oid) for name, oid in names}


def _unreadable(source: Advertised, site: Advertised, options: Options) -> tuple[Held, ...]:
    """What one of the two calls something that is no ref: it may be anything, so it is never equal."""
    told = dict.fromkeys(source.unsound, "source") | dict.fromkeys(site.unsound, "site")
    return tuple(
        Held(ref=text, reason=Reason.UNREADABLE, detail=f"The {where} has this, which is no name of a ref as text.")
        for text, where in sorted(told.items())
        if options.covers(text) or not text.startswith("refs/")
    )


def spent(source: Advertised, site: Advertised, options: Options) -> frozenset[RefUpdate]:
    """Of what a person let go, what is done, or is no longer what was seen then: it lets nothing go any more."""
    return frozenset(
        update
        for update in options.released
        if site.refs.get(update.ref, "") != update.old or source.refs.get(update.ref, "") != update.new
    )


def ledger(source: Advertised, site: Advertised, *, written: Mapping[str, str], options: Options) -> dict[str, str]:
    """What Lockstep last wrote to a site, once the site was looked at again.

    Refs that are equal count as written, whoever wrote them. For others that are there it is remembered what
    we wrote; what is gone is forgotten.
    """
    wanted, there = options.covered(source.refs), options.covered(site.refs)
    return {
        ref: oid if wanted.get(ref) == oid else written[ref]
        for ref, oid in there.items()
        if wanted.get(ref) == oid or ref in written
    }
