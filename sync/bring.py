"""Brings one repository to one site: look, plan, large files, push, look again.

What is said of a ref in the end is what was seen at the site, not what the push claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lockstep import errors
from lockstep.sites import ends
from lockstep.sites.ends import Advertised, PushOutcome, RefUpdate
from lockstep.sites.git import names
from sync import large, movements, refs
from sync.outcomes import Outcome, RefOutcome, SiteOutcome
from sync.refs import HEAD, RefPlan
from sync.states import State, state_of

_NOTHING = Advertised(head="", refs={})
_AT_THE_FORGE = "This server's default branch is changed at the server itself."
_MOVED = "Somebody else moved it meanwhile."
_UNSURE = "Whether the source still contains what is here is unknown until it is fetched ({guard} if not)."
_UNKNOWN_FILES = "Which large files the new commits need is unknown until they are fetched."


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to bring, and how."""

    repository: str
    source: Advertised
    cache: ends.GitCache
    large: large.Supply | None = None
    dry_run: bool = False
    """Nothing is written to a site."""
    fetched: bool = True
    """Our own copy has what the source has; else what only commits tell is said to be unknown."""
    moving: movements.Moving | None = None
    """Is told how far each transfer is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to bring it: a site, how it is opened, how it is guarded, and what Lockstep last wrote there."""

    site: str
    open: Callable[[], ends.GitRemote]
    options: refs.Options
    written: Mapping[str, str]
    lfs: bool = True
    renew: Callable[[], Target] | None = None
    """The same as it is known now: asked for once nobody else writes there. Raises ConflictError when what is to be
    brought is no longer the newest that the source said."""


def bring(order: Order, target: Target) -> SiteOutcome:
    """Make a site's refs be the source's, as far as guards and the site allow. Errors are outcomes.

    Raises:
        LostWorkError: The job is not ours any longer; nothing is known of what its push did.
    """
    try:
        remote = target.open()
        if order.dry_run:
            return _look(order, target, remote)
        with order.cache.writer(target.site):
            return _bring(order, target.renew() if target.renew else target, remote)
    except errors.LostWorkError:
        raise
    except errors.LockstepError as error:
        state = State.REFUSED if isinstance(error, errors.NotFoundError) else state_of(error)
        return SiteOutcome(
            repository=order.repository,
            site=target.site,
            state=state,
            reason=str(error),
            seen=False,
            again=isinstance(error, errors.TemporaryError),
        )


def _look(order: Order, target: Target, remote: ends.GitRemote) -> SiteOutcome:
    """What would be done: nothing is written, neither there nor to the ledger."""
    seen = remote.advertised() or _NOTHING
    plan = _plan(order, target, seen)
    told = [replace(one, outcome=Outcome.PLANNED, reason=_unsure(one, plan)) for one in _actions(plan)]
    if order.fetched or _is_here(order):
        files = _large(order, target, lambda supply: large.look(supply, remote, target.site))
    else:
        files = [RefOutcome(ref=large.NAME, action="lfs", outcome=Outcome.PLANNED, reason=_UNKNOWN_FILES)]
    return _outcome(order, target, seen, [*told, *(files if target.lfs else []), *_held(plan)], ledger=None)


def _unsure(action: RefOutcome, plan: RefPlan) -> str:
    guard = plan.unsure.get(action.ref, "") if action.action == "update" else ""
    return _UNSURE.format(guard=guard) if guard else ""


def _is_here(order: Order) -> bool:
    """Whether our own copy happens to have all that the source has."""
    missing = set(order.source.refs.values()) - set(order.cache.staged().values())
    return all(order.cache.has(oid) for oid in missing)


def _bring(order: Order, target: Target, remote: ends.GitRemote) -> SiteOutcome:
    found = remote.advertised()
    seen = found or _NOTHING
    plan = _plan(order, target, seen)
    told: list[RefOutcome] = []
    if not plan.idle and found is None:
        _create(remote, order.source.refs)
    if order.large is not None and not seen.refs:  # it may be another repository than the one that was asked
        order.large.forget(target.site)
    heard = movements.at(order.moving, order.repository, target.site)
    files = _large(order, target, lambda supply: large.bring(supply, remote, target.site, heard=heard))
    if not plan.idle:
        said = _Pushing(order.cache, remote, target.site, heard).carry_out(plan, head=seen.head)
        seen = remote.advertised() or _NOTHING
        told = [_judge(action, seen, said) for action in _actions(plan)]
    ledger = refs.ledger(order.source, seen, written=target.written, options=target.options)
    spent = refs.spent(order.source, seen, target.options)
    left = plan
    if not plan.idle:
        left = _plan(order, replace(target, written=ledger), seen)
        told += _moved(left, told)
    return replace(_outcome(order, target, seen, [*told, *files, *_held(left)], ledger=ledger), spent=spent)


def _large(order: Order, target: Target, work: Callable[[large.Supply], list[RefOutcome]]) -> list[RefOutcome]:
    """What came of the large files. That they could not be brought keeps no ref from its site, and is said."""
    if order.large is None or not target.lfs:
        return []
    try:
        return work(order.large)
    except errors.LostWorkError:
        raise
    except errors.LockstepError as error:
        return [large.problem(error)]


def _plan(order: Order, target: Target, seen: Advertised) -> RefPlan:
    return refs.plan(
        order.source,
        seen,
        written=target.written,
        options=target.options,
        is_ancestor=order.cache.is_ancestor if order.fetched else _ancestry(order.cache),
    )


def _ancestry(cache: ends.GitCache) -> refs.IsAncestor:
    """What our own copy knows as it is: of what it fetched, everything; of anything else, a yes at the most."""
    fetched = set(cache.staged().values())

    def is_ancestor(older: str, newer: str) -> bool | None:
        return cache.is_ancestor(older, newer) or (False if newer in fetched else None)

    return is_ancestor


def _create(remote: ends.GitRemote, wanted: Mapping[str, str]) -> None:
    """Make the repository on disk. A server may make it when it is pushed to; if not, the push says so."""
    remote.create(object_format="sha256" if any(len(oid) == 64 for oid in wanted.values()) else "sha1")


class _Pushing:
    """One carrying out of a plan; remembers what the site said of each ref it did not take."""

    def __init__(self, cache: ends.GitCache, remote: ends.GitRemote, site: str, heard: movements.Heard | None) -> None:
        self._cache = cache
        self._remote = remote
        self._site = site
        self._heard = heard
        self._said: dict[str, tuple[Outcome, str]] = {}

    def carry_out(self, plan: RefPlan, *, head: str) -> Mapping[str, tuple[Outcome, str]]:
        """Backups, writes with the deletes that make room for them, HEAD, the other deletes."""
        spared = self._back_up(plan)
        writes = [update for update in plan.writes if update.ref not in spared]
        deletes = [update for update in plan.deletes if update.ref not in spared]
        room = names.in_the_way((update.ref for update in deletes), (update.ref for update in writes))
        if plan.head and head in room:  # git does not delete the branch that HEAD names
            self._set_head(plan.head)
        self._push([*(update for update in deletes if update.ref in room), *writes])
        if plan.head and head not in room:
            self._set_head(plan.head)
        self._push([update for update in deletes if update.ref not in room])
        return self._said

    def _back_up(self, plan: RefPlan) -> set[str]:
        """Copy what is about to be lost; the refs that must be spared because that failed."""
        if self._has_brought_here(plan.backups):
            self._push(list(plan.backups))
        unsaved = {update.new: update.ref for update in plan.backups if update.ref in self._said}
        spared = {update.ref: unsaved[update.old] for update in (*plan.writes, *plan.deletes) if update.old in unsaved}
        self._said |= {
            ref: (self._said[backup][0], f"Its backup {backup} was not taken: {self._said[backup][1]}")
            for ref, backup in spared.items()
        }
        return set(spared)

    def _has_brought_here(self, backups: Sequence[RefUpdate]) -> bool:
        """Whether there are backups to push: git pushes only what is here. They stay, as one more copy.

        What cannot be brought here (it may be damaged at the site) cannot be overwritten, and keeps no other ref.
        """
        lost = {update.ref: update.new for update in backups}
        if not lost:
            return False
        try:
            self._cache.fetch(self._remote, lost, beside=self._site, heard=self._heard)
        except errors.LostWorkError:
            raise
        except errors.LockstepError as error:
            outcome = Outcome.STALE if isinstance(error, errors.TemporaryError) else Outcome.REFUSED
            self._said |= dict.fromkeys(lost, (outcome, str(error)))
            return False
        return True

    def _push(self, updates: list[RefUpdate]) -> None:
        for result in self._cache.push(self._remote, updates, heard=self._heard) if updates else ():
            if result.outcome is PushOutcome.REJECTED:
                self._said[result.update.ref] = (Outcome.REFUSED, result.message)
            elif result.outcome is PushOutcome.STALE:
                self._said[result.update.ref] = (Outcome.STALE, _MOVED)
            elif result.outcome is PushOutcome.LOCKED:
                self._said[result.update.ref] = (Outcome.STALE, result.message)

    def _set_head(self, ref: str) -> None:
        should = f"It should be {ref.removeprefix('refs/heads/')}."
        try:
            told = self._remote.set_head(ref)
        except errors.LostWorkError:
            raise
        except errors.LockstepError as error:  # what the site says of HEAD keeps no ref from it
            outcome = Outcome.STALE if isinstance(error, errors.TemporaryError) else Outcome.REFUSED
            self._said[HEAD] = (outcome, f"{should} {error}")
            return
        if not told:
            self._said[HEAD] = (Outcome.REFUSED, f"{_AT_THE_FORGE} {should}")


def _actions(plan: RefPlan) -> list[RefOutcome]:
    """What a plan does, as if all of it were done."""
    done = [
        *(_action("backup", update) for update in plan.backups),
        *(_action("update" if update.old else "create", update) for update in plan.writes),
        *(_action("delete", update) for update in plan.deletes),
    ]
    head = RefOutcome(ref=HEAD, action="head", new=plan.head, outcome=Outcome.DONE)
    return [*done, head] if plan.head else done


def _action(name: str, update: RefUpdate) -> RefOutcome:
    return RefOutcome(ref=update.ref, action=name, old=update.old, new=update.new, outcome=Outcome.DONE)


def _judge(action: RefOutcome, seen: Advertised, said: Mapping[str, tuple[Outcome, str]]) -> RefOutcome:
    """What became of an action, by what the site has now."""
    there = seen.head if action.ref == HEAD else seen.refs.get(action.ref, "")
    if there == action.new:
        return action
    outcome, reason = said.get(action.ref, (Outcome.STALE, _MOVED))
    return replace(action, outcome=outcome, reason=reason)


def _moved(left: RefPlan, told: Sequence[RefOutcome]) -> list[RefOutcome]:
    """What was to be left alone when it was looked at first, and is not as it should be now."""
    known = {one.ref for one in told}
    new = [one for one in _actions(replace(left, backups=())) if one.ref not in known]
    return [replace(one, outcome=Outcome.STALE, reason=_MOVED) for one in new]


def _held(plan: RefPlan) -> list[RefOutcome]:
    return [_kept(held) for held in plan.held]


def _kept(held: refs.Held) -> RefOutcome:
    (one,) = held.updates if len(held.updates) == 1 else (RefUpdate(ref=held.ref, old="", new=""),)
    return RefOutcome(
        ref=held.ref,
        action="keep",
        outcome=Outcome.HELD,
        old=one.old,
        new=one.new,
        reason=f"{held.reason.value}: {held.detail}",
        held=held.updates,
    )


def _outcome(
    order: Order, target: Target, seen: Advertised, told: list[RefOutcome], *, ledger: Mapping[str, str] | None
) -> SiteOutcome:
    found = {one.outcome for one in told}
    states = {
        Outcome.REFUSED: State.REFUSED,
        Outcome.HELD: State.HELD,
        Outcome.STALE: State.BEHIND,
        Outcome.PLANNED: State.BEHIND,
    }
    return SiteOutcome(
        repository=order.repository,
        site=target.site,
        state=next((state for outcome, state in states.items() if outcome in found), State.EQUAL),
        refs=tuple(told),
        head=seen.head,
        count=len(target.options.covered(seen.refs)),
        ledger=ledger,
        again=Outcome.STALE in found,
    )
