"""What a site's refs have to become."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.sites.ends import Advertised, RefUpdate
from lockstep.sites.git import names
from lockstep.topology import amounts, kinds
from sync import refs
from sync.refs import Options, Reason, RefPlan

STAMP = "20260101T000000Z"
A, B, C = ("1" * 40, "2" * 40, "3" * 40)
MAIN = "refs/heads/main"


def _guards(**fields: object) -> kinds.GitGuards:
    return kinds.GitGuards.model_validate(fields)


def _options(*, notes: bool = False, **guards: object) -> Options:
    return Options(guards=_guards(**guards), notes=notes, stamp=STAMP)


def _has(*unsound: str, head: str = MAIN, **named: str) -> Advertised:
    return Advertised(
        head=head, refs={f"refs/{name.replace('__', '/')}": oid for name, oid in named.items()}, unsound=unsound
    )


def _contains(older: str, newer: str) -> bool:
    """The pool of ids is one line of history: a smaller one is contained in a larger one."""
    return older < newer


def _plan(
    source: Advertised, site: Advertised, written: dict[str, str] | None = None, options: Options | None = None
) -> RefPlan:
    return refs.plan(source, site, written=written or {}, options=options or _options(), is_ancestor=_contains)


def _apply(plan: RefPlan, site: Advertised) -> Advertised:
    """What the site has once everything went through; a ref that is in another's way cannot be."""
    after = dict(site.refs)
    for update in (*plan.backups, *plan.writes, *plan.deletes):
        assert after.get(update.ref, "") == update.old
    for update in (*plan.backups, *plan.deletes, *plan.writes):
        if update.new:
            after[update.ref] = update.new
        else:
            del after[update.ref]
    assert names.in_the_way(after, after) == {}
    return replace(site, refs=after, head=plan.head or site.head)


# --- laws

_NAMES = st.sampled_from(
    [
        *("refs/heads/main", "refs/heads/a", "refs/heads/a/b", "refs/heads/a/c", "refs/heads/z", "refs/tags/v1"),
        *("refs/tags/v1/rc", "refs/notes/commits", "refs/pull/1/head", "refs/keep-around/x", "refs/backup/old/heads/z"),
    ]
)
_OIDS = st.sampled_from([A, B, C])


def _possible(found: dict[str, str]) -> dict[str, str]:
    """Without refs that cannot stand beside others."""
    return {ref: oid for ref, oid in found.items() if not any(parent in found for parent in names.parents(ref))}


_REFS = st.dictionaries(_NAMES, _OIDS, max_size=9).map(_possible)
_ADVERTISED = st.builds(lambda found, head: Advertised(head=head if head in found else "", refs=found), _REFS, _NAMES)
_WRITTEN = st.dictionaries(_NAMES, _OIDS, max_size=9)
_OPTIONS = st.builds(
    lambda empty, most, diverged, rewritten, protected, notes: _options(
        emptySource=empty,
        deletions={"most": most},
        diverged=diverged,
        rewritten=rewritten,
        protected=protected,
        notes=notes,
    ),
    st.sampled_from(["hold", "mirror"]),
    st.sampled_from(["0", "2", "10%", "50%", "100%"]),
    st.sampled_from(["hold", "backup", "overwrite"]),
    st.sampled_from(["hold", "backup", "overwrite"]),
    st.sampled_from([(), ("a/*",), ("refs/tags/*", "z")]),
    st.booleans(),
)


@given(_ADVERTISED, _ADVERTISED, _WRITTEN, _OPTIONS)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(
    source: Advertised, site: Advertised, written: dict[str, str], options: Options
) -> None:
    """The second run is idle, and holds what the first held."""
    first = _plan(source, site, written, options)
    after = _apply(first, site)
    again = _plan(source, after, refs.ledger(source, after, written=written, options=options), options)
    assert again.idle
    assert [held.ref for held in again.held] == [held.ref for held in first.held]


@given(_ADVERTISED, _WRITTEN, _OPTIONS)
def test_equal_needs_nothing(source: Advertised, written: dict[str, str], options: Options) -> None:
    """Whatever the ledger says."""
    plan = _plan(source, source, written, options)
    assert plan.idle
    assert {held.reason for held in plan.held} <= {Reason.HEAD}


@given(_ADVERTISED, _ADVERTISED, _WRITTEN, _OPTIONS)
def test_nothing_outside_the_mirrored_namespaces_is_touched(
    source: Advertised, site: Advertised, written: dict[str, str], options: Options
) -> None:
    """Pull requests, keep-arounds and old backups stay as they are; notes move when they are asked for."""
    plan = _plan(source, site, written, options)
    allowed = ("refs/heads/", "refs/tags/", *(["refs/notes/"] if options.notes else []))
    assert all(update.ref.startswith(allowed) for update in (*plan.writes, *plan.deletes))
    assert all(update.ref.startswith(f"refs/backup/{STAMP}/") and not update.old for update in plan.backups)
    after = _apply(plan, site)
    others = {ref: oid for ref, oid in site.refs.items() if not ref.startswith(allowed)}
    assert others.items() <= after.refs.items()


@given(_ADVERTISED, _ADVERTISED, _WRITTEN, _OPTIONS)
def test_no_more_is_deleted_than_the_guard_lets_through(
    source: Advertised, site: Advertised, written: dict[str, str], options: Options
) -> None:
    """At least one may always go; a source that is suddenly empty deletes nothing unless it may."""
    plan = _plan(source, site, written, options)
    whole = options.covered(site.refs).keys() | {update.ref for update in plan.writes}
    assert len(plan.deletes) <= max(1, amounts.share_of(options.guards.deletions.most, len(whole)))
    if not options.covered(source.refs) and options.guards.empty_source == "hold":
        assert plan.idle


@given(_ADVERTISED, _ADVERTISED, _WRITTEN, _OPTIONS)
def test_what_somebody_else_wrote_is_kept_or_backed_up_unless_it_may_be_overwritten(
    source: Advertised, site: Advertised, written: dict[str, str], options: Options
) -> None:
    """Ours is what the ledger says, and what the new commit contains anyway; one backup of a commit is enough."""
    plan = _plan(source, site, written, options)
    kept = {update.new for update in plan.backups}
    kept |= {oid for ref, oid in site.refs.items() if ref.startswith("refs/backup/")}
    for update in (*plan.writes, *plan.deletes):
        contained = update.ref.startswith("refs/heads/") and update.new > update.old
        ours = not update.old or written.get(update.ref) == update.old or contained
        assert (
            ours
            or options.guards.diverged == "overwrite"
            or (options.guards.diverged == "backup" and update.old in kept)
        )


@given(_ADVERTISED, _ADVERTISED, _WRITTEN, _OPTIONS)
def test_what_is_held_is_not_touched(
    source: Advertised, site: Advertised, written: dict[str, str], options: Options
) -> None:
    """Each ref is planned, held or equal, never two of them; every hold has a sentence."""
    plan = _plan(source, site, written, options)
    changed = {update.ref for update in (*plan.writes, *plan.deletes)} | ({"HEAD"} if plan.head else set())
    assert changed.isdisjoint({held.ref for held in plan.held})
    assert all(held.detail.endswith(".") for held in plan.held)


@given(_ADVERTISED, _ADVERTISED, _WRITTEN)
def test_without_guards_the_site_becomes_the_source(
    source: Advertised, site: Advertised, written: dict[str, str]
) -> None:
    """Ref by ref, in the mirrored namespaces."""
    options = _options(
        emptySource="mirror", deletions={"most": "100%"}, diverged="overwrite", rewritten="overwrite", notes=True
    )
    after = _apply(_plan(source, site, written, options), site)
    assert options.covered(after.refs) == options.covered(source.refs)


# --- cases


def test_the_first_time_everything_is_new() -> None:
    """An empty site gets every branch and tag, and HEAD."""
    plan = _plan(_has(heads__main=A, tags__v1=B, pull__1__head=C), _has(head=""))
    assert plan == RefPlan(
        writes=(RefUpdate(ref=MAIN, old="", new=A), RefUpdate(ref="refs/tags/v1", old="", new=B)), head=MAIN
    )


def test_a_site_that_has_it_all_already_is_taken_over_as_it_is() -> None:
    """A second instance with an empty ledger finds everything equal, and remembers it."""
    source = _has(heads__main=B, heads__a=A)
    assert _plan(source, source).idle
    assert refs.ledger(source, source, written={}, options=_options()) == {MAIN: B, "refs/heads/a": A}


def test_ancestors_are_asked_about_only_where_nothing_else_tells() -> None:
    """Each question is a git command: what is equal, new, or as we wrote it needs none."""
    asked: list[tuple[str, str]] = []

    def is_ancestor(older: str, newer: str) -> bool:
        asked.append((older, newer))
        return True

    source = _has(heads__main=B, heads__new=B, heads__ours=B, heads__theirs=C, tags__v1=B)
    site = _has(heads__main=B, heads__ours=A, heads__theirs=B, tags__v1=A)
    written = {"refs/heads/ours": A}
    refs.plan(source, site, written=written, options=_options(), is_ancestor=is_ancestor)
    assert asked == [(B, C)]


@pytest.mark.parametrize(
    ("guards", "unsure"),
    [
        ({}, {MAIN: "rewritten: hold", "refs/heads/x": "diverged: hold"}),
        ({"diverged": "backup", "rewritten": "overwrite"}, {"refs/heads/x": "diverged: backup"}),
    ],
)
def test_what_only_commits_could_tell_is_planned_as_unsure(guards: dict[str, Any], unsure: dict[str, str]) -> None:
    """With the guard that would speak; what is ours, new, a tag or a delete needs no commits to be judged."""
    source = _has(heads__main=B, heads__x=B, heads__ours=B, heads__new=A, tags__v1=B)
    site = _has(heads__main=A, heads__x=A, heads__ours=A, heads__gone=A, tags__v1=A)
    written = {MAIN: A, "refs/heads/ours": A, "refs/heads/gone": A}
    plan = refs.plan(source, site, written=written, options=_options(**guards), is_ancestor=lambda _older, _newer: None)
    assert plan.unsure == unsure
    assert unsure.keys() <= {update.ref for update in plan.writes}
    assert not any(backup.ref.endswith("/x") for backup in plan.backups)
    assert {update.ref for update in plan.deletes} == {"refs/heads/gone"}


def test_a_branch_that_only_moves_on_is_nobody_elses() -> None:
    """The new commit contains what the site has: nothing is lost, whatever the ledger says."""
    assert _plan(_has(heads__main=B), _has(heads__main=A)).writes == (RefUpdate(ref=MAIN, old=A, new=B),)


def test_a_rewind_of_what_we_wrote_is_mirrored() -> None:
    """A force-push at the source to a branch that nobody protects, onto exactly what Lockstep wrote."""
    plan = _plan(_has(heads__main=A, heads__x=A), _has(heads__main=A, heads__x=B), {"refs/heads/x": B})
    assert plan.writes == (RefUpdate(ref="refs/heads/x", old=B, new=A),)


def test_a_rewritten_default_branch_is_held() -> None:
    """The source's, and the one that the site still has as its own; a step forward is no rewriting."""
    rewind = RefUpdate(ref=MAIN, old=B, new=A)
    for head in (MAIN, "refs/heads/trunk"):
        plan = _plan(_has(head=head, heads__main=A, heads__trunk=A), _has(heads__main=B, heads__trunk=A), {MAIN: B})
        assert not plan.writes
        assert [(held.reason, held.updates) for held in plan.held] == [(Reason.REWRITTEN, (rewind,))]
    assert _plan(_has(heads__main=C), _has(heads__main=B), {MAIN: B}).held == ()


@pytest.mark.parametrize(
    ("ref", "pattern"),
    [("heads/release/1", "release/*"), ("tags/v1", "refs/tags/v*"), ("heads/운영", "운영")],
)
def test_what_the_configuration_protects_is_neither_rewritten_nor_deleted_unseen(ref: str, pattern: str) -> None:
    """Branches by their names, tags in full."""
    options = _options(protected=(pattern,), deletions={"most": "100%"})
    written = {f"refs/{ref}": B}
    for source in (_has(heads__main=A, **{ref: A}), _has(heads__main=A)):
        plan = _plan(source, _has(heads__main=A, **{ref: B}), written, options)
        assert plan.idle
        assert [(held.ref, held.reason) for held in plan.held] == [(f"refs/{ref}", Reason.REWRITTEN)]


def test_a_rewritten_branch_is_backed_up_first_when_that_is_the_policy() -> None:
    """What it was is kept at the site."""
    plan = _plan(_has(heads__main=A), _has(heads__main=B), {MAIN: B}, _options(rewritten="backup"))
    assert plan.backups == (RefUpdate(ref=f"refs/backup/{STAMP}/heads/main", old="", new=B),)
    assert plan.writes == (RefUpdate(ref=MAIN, old=B, new=A),)


@given(_ADVERTISED, _ADVERTISED, _WRITTEN, _OPTIONS)
def test_what_was_let_go_is_done_and_nothing_else_is(
    source: Advertised, site: Advertised, written: dict[str, str], options: Options
) -> None:
    """Everything that was held with its ids goes; what else the plan does it does as before."""
    before = _plan(source, site, written, options)
    held = {update for one in before.held for update in one.updates}
    after = _plan(source, site, written, replace(options, released=frozenset(held)))
    assert not any(one.updates for one in after.held)
    done = {*after.writes, *after.deletes}
    assert held <= done
    waited = {one.ref for one in before.held if one.reason is Reason.IN_THE_WAY}
    assert done - held - {update for update in done if update.ref in waited} <= {*before.writes, *before.deletes}


def test_what_was_let_go_is_bound_to_the_ids_that_were_seen() -> None:
    """Another commit at the source or at the site is another question; one that is over is forgotten."""
    seen = RefUpdate(ref=MAIN, old=B, new=A)
    options = replace(_options(), released=frozenset({seen}))
    assert _plan(_has(heads__main=A), _has(heads__main=B), {}, options).writes == (seen,)
    for source, site in ((A, C), (C, B), (A, A)):
        now = (_has(heads__main=source), _has(heads__main=site))
        assert refs.spent(*now, options) == {seen}
        assert seen not in _plan(*now, {}, options).writes
    assert refs.spent(_has(heads__main=A), _has(heads__main=B), options) == frozenset()


def test_an_emptied_source_is_let_go_as_a_whole_or_not_at_all() -> None:
    """A ref that appeared since then holds all of them again."""
    site = _has(heads__main=A, heads__x=B)
    (held,) = _plan(_has(head=""), site).held
    options = replace(_options(), released=frozenset(held.updates))
    assert len(_plan(_has(head=""), site, options=options).deletes) == 2
    assert _plan(_has(head=""), _has(heads__main=A, heads__x=B, heads__y=C), options=options).idle


@pytest.mark.parametrize("written", [{}, {MAIN: A}, {MAIN: C}])
def test_a_commit_that_somebody_made_at_the_site_is_held(written: dict[str, str]) -> None:
    """It may be the hot fix that keeps the site alive."""
    plan = _plan(_has(heads__main=A), _has(heads__main=B), written)
    assert plan.idle
    assert [(held.ref, held.reason) for held in plan.held] == [(MAIN, Reason.DIVERGED)]


def test_a_diverged_ref_is_backed_up_first_when_that_is_the_policy() -> None:
    """Under the time, with the whole name."""
    plan = _plan(_has(heads__main=A), _has(heads__main=B), options=_options(diverged="backup"))
    assert plan.backups == (RefUpdate(ref=f"refs/backup/{STAMP}/heads/main", old="", new=B),)
    assert plan.writes == (RefUpdate(ref=MAIN, old=B, new=A),)


def test_a_moved_tag_that_is_not_ours_is_held_even_when_it_is_older() -> None:
    """A tag does not move on: another one at the site is somebody's."""
    plan = _plan(_has(heads__main=A, tags__v1=B), _has(heads__main=A, tags__v1=A))
    assert [(held.ref, held.reason) for held in plan.held] == [("refs/tags/v1", Reason.DIVERGED)]
    assert plan.idle


def test_a_branch_that_only_the_site_has_is_held_and_one_that_we_wrote_goes() -> None:
    """What the source deleted is deleted; what it never had is somebody's."""
    site = _has(heads__main=A, heads__ours=A, heads__theirs=A)
    plan = _plan(_has(heads__main=A), site, {MAIN: A, "refs/heads/ours": A})
    assert plan.deletes == (RefUpdate(ref="refs/heads/ours", old=A, new=""),)
    assert [held.ref for held in plan.held] == ["refs/heads/theirs"]


def test_many_deletes_at_once_are_all_held() -> None:
    """Two of ten are more than a tenth; one may always go."""
    ten = {f"heads__b{n}": A for n in range(10)}
    written = {f"refs/heads/b{n}": A for n in range(10)}
    for left, deleted in ((9, 1), (8, 0)):
        source = _has(head="refs/heads/b0", **dict(list(ten.items())[:left]))
        plan = _plan(source, _has(head="refs/heads/b0", **ten), written)
        assert len(plan.deletes) == deleted
        assert {held.reason for held in plan.held} == (set() if deleted else {Reason.DELETIONS})


def test_an_empty_source_holds_everything() -> None:
    """A source that was emptied, or is not the repository that it was, empties no site."""
    plan = _plan(_has(head=""), _has(heads__main=A), {MAIN: A})
    assert plan.idle
    assert [(held.ref, held.reason) for held in plan.held] == [("", Reason.EMPTY_SOURCE)]
    assert _plan(_has(head=""), _has(head="")) == RefPlan()


def test_a_renamed_default_branch_moves_head_and_then_goes() -> None:
    """Main becomes trunk."""
    source = _has(head="refs/heads/trunk", heads__trunk=A)
    plan = _plan(source, _has(heads__main=A), {MAIN: A})
    assert plan.head == "refs/heads/trunk"
    assert plan.deletes == (RefUpdate(ref=MAIN, old=A, new=""),)


def test_a_branch_that_becomes_a_folder_makes_room_first() -> None:
    """``a`` is deleted, ``a/b`` is written."""
    plan = _plan(_has(heads__main=A, heads__a__b=A), _has(heads__main=A, heads__a=A), {"refs/heads/a": A})
    assert [update.ref for update in (*plan.writes, *plan.deletes)] == ["refs/heads/a/b", "refs/heads/a"]


def test_what_a_held_ref_leaves_no_room_for_is_held_too() -> None:
    """``a`` is somebody's, so ``a/b`` waits, and says for what."""
    plan = _plan(_has(heads__main=A, heads__a__b=A), _has(heads__main=A, heads__a=B))
    assert plan.idle
    assert [(held.ref, held.reason) for held in plan.held] == [
        ("refs/heads/a", Reason.DIVERGED),
        ("refs/heads/a/b", Reason.IN_THE_WAY),
    ]


@pytest.mark.parametrize("head", ["", "refs/heads/gone", "refs/notes/commits"])
def test_a_head_that_names_nothing_is_held_and_stops_nothing(head: str) -> None:
    """Dangling or detached: the refs go through."""
    plan = _plan(_has(head=head, heads__main=B), _has(heads__main=A))
    assert len(plan.writes) == 1
    assert [(held.ref, held.reason) for held in plan.held] == [("HEAD", Reason.HEAD)]


def test_notes_are_mirrored_when_they_are_asked_for() -> None:
    """Not by default."""
    source = _has(heads__main=A, notes__commits=B)
    assert _plan(source, _has(heads__main=A)).idle
    assert len(_plan(source, _has(heads__main=A), options=_options(notes=True)).writes) == 1


def test_what_cannot_be_read_is_never_equal() -> None:
    """A name in another encoding is said; one outside the mirrored namespaces is nobody's business."""
    source = _has(r"refs/heads/\udcb1", r"refs/pull/\udcb1", "what", heads__main=A)
    plan = _plan(source, _has(heads__main=A))
    assert [(held.ref, held.reason) for held in plan.held] == [
        (r"refs/heads/\udcb1", Reason.UNREADABLE),
        ("what", Reason.UNREADABLE),
    ]


def test_the_ledger_forgets_what_is_gone_and_keeps_what_is_held() -> None:
    """A ref that somebody moved is still known by what we wrote; one that is not there is not."""
    options = _options()
    ledger = refs.ledger(
        _has(heads__main=A, heads__x=A),
        _has(heads__main=B, heads__x=A, heads__theirs=C),
        written={MAIN: A, "refs/heads/gone": A},
        options=options,
    )
    assert ledger == {MAIN: A, "refs/heads/x": A}
