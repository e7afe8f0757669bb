"""Laws of mirroring git, with real git: whatever a source and its sites have, whatever guards say, whatever moves."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lockstep.sites import ends, git
from lockstep.sites.ends import RefUpdate
from lockstep.topology import amounts, kinds
from sync.bring import Order, Target
from sync.distribute import distribute
from sync.fetch import fetch
from sync.outcomes import SiteOutcome
from sync.refs import BACKUP, Options
from tests.support import refgames
from tests.support.refgames import Pool, State
from tests.support.repositories import Repository

# As many games as somebody has time for: REF_GAMES=200 plays other ones each time.
_EXAMPLES = int(os.environ.get("REF_GAMES", "5"))
_BRANCHES = ("refs/heads/main", "refs/heads/dev", "refs/heads/a", "refs/heads/a/b", "refs/heads/x")
_NAMES = (*_BRANCHES, "refs/tags/v1", "refs/tags/v2", "refs/notes/commits", "refs/pull/1/head")
_OURS = ("a0", "a1", "a2", "a3", "b2", "b3", "o0")
_THEIRS = (*_OURS, "f1", "f3", "f3")


def _states(*commits: str) -> st.SearchStrategy[State]:
    """Refs with commits of their own choice; tags may name tags."""
    named = st.sampled_from(commits)
    refs = st.fixed_dictionaries(
        {}, optional={ref: st.sampled_from((*commits, "t1", "t2")) if "tags" in ref else named for ref in _NAMES}
    ).map(refgames.side_by_side)
    return st.builds(State, refs, st.sampled_from((*_BRANCHES[:2], "refs/heads/gone")))


_POLICY = st.sampled_from(["hold", "backup", "overwrite"])
_GUARDS = st.fixed_dictionaries(
    {
        "emptySource": st.sampled_from(["hold", "mirror"]),
        "deletions": st.fixed_dictionaries({"most": st.sampled_from(["10%", "50%", "100%"])}),
        "diverged": _POLICY,
        "rewritten": _POLICY,
        "protected": st.sampled_from([(), ("dev",), ("a*", "refs/tags/*")]),
    }
).map(kinds.GitGuards.model_validate)


@dataclass(frozen=True)
class Site:
    """How a site begins: what it has (None: no repository), what it has against refs, and how it is guarded."""

    state: State | None
    guards: kinds.GitGuards
    rule: str = ""
    notes: bool = False


@dataclass(frozen=True)
class Round:
    """What happens before a run: new states (None: as before), what is approved, and what comes after that."""

    source: State | None = None
    first: State | None = None
    approve: bool = False
    late: State | None = None
    forget: bool = False
    """The store never heard of the last run: its process died before it wrote that down."""


_SITES = st.builds(
    Site, st.none() | _states(*_THEIRS), _GUARDS, st.sampled_from(["", "", *refgames.RULES]), st.booleans()
)
_ROUNDS = st.builds(
    Round,
    st.none() | _states(*_OURS),
    st.none() | _states(*_THEIRS),
    st.booleans(),
    st.none() | _states(*_OURS),
    st.booleans(),
)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    """The commits that everything here is made of."""
    return Pool(tmp_path_factory.mktemp("pool"))


@dataclass
class Game:
    """A source, its sites, our copy, and what the store would remember."""

    root: Path
    pool: Pool
    begin: Mapping[str, Site]
    source: Repository
    ledgers: dict[str, dict[str, str]] = field(default_factory=dict)
    runs: int = 0

    def site(self, name: str) -> Repository:
        """The repository at a site."""
        return Repository(self.root / f"{name}.git")

    @property
    def cache(self) -> git.Cache:
        """Our own copy, as a new process finds it."""
        return git.Cache(self.root / "cache")

    def fetch(self, cache: git.Cache) -> ends.Advertised:
        """Ask the source."""
        wanted = Options(guards=kinds.GitGuards(), notes=any(site.notes for site in self.begin.values()))
        return fetch(git.Remote(location=str(self.source.path)), cache, options=wanted)

    def target(self, name: str, released: frozenset[RefUpdate], *, at: str = "") -> Target:
        """A site as the configuration and the store have it; ``at`` another place than its own."""
        site = self.begin[name]
        options = Options(guards=site.guards, notes=site.notes, stamp=f"T{self.runs}", released=released)
        location = str(self.site(at or name).path)
        return Target(
            site=name,
            open=lambda: git.Remote(location=location),
            options=options,
            written=self.ledgers.get(name, {}),
        )

    def run(
        self, names: Mapping[str, str], released: Mapping[str, frozenset[RefUpdate]], cache: git.Cache, **how: Any
    ) -> tuple[ends.Advertised, dict[str, SiteOutcome]]:
        """Bring the source to some sites; ``names`` says at which place each of them is."""
        seen = self.fetch(cache)
        order = Order(repository="bench", source=seen, cache=cache, **how)
        targets = [self.target(name, released.get(name, frozenset()), at=at) for name, at in names.items()]
        outcomes = distribute(order, targets, on_outcome=lambda _target, _outcome: None)
        return seen, {outcome.site: outcome for outcome in outcomes}


@settings(
    max_examples=_EXAMPLES,
    derandomize="REF_GAMES" not in os.environ,
    database=None,
    phases=[Phase.generate] if "REF_GAMES" in os.environ else [Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(
    _states(*_OURS),
    st.fixed_dictionaries({"seoul": _SITES, "sejong": _SITES}),
    st.lists(_ROUNDS, min_size=1, max_size=2),
)
def test_whatever_moves_nothing_is_lost_unseen_and_equal_is_equal(
    pool: Pool, source: State, sites: Mapping[str, Site], rounds: list[Round]
) -> None:
    """A run keeps what guards hold, says what is not equal, leaves the next run nothing, and each site is its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        game = Game(root, pool, sites, pool.make(root / "source.git", source, foreign=False))
        for name, site in sites.items():
            if site.state:
                pool.make(root / f"{name}.git", site.state, foreign=True, rule=site.rule)
        for one in [Round(), *rounds]:
            _play(game, one)


def _play(game: Game, one: Round) -> None:
    game.runs += 1
    here = {name: name for name in game.begin}
    if one.source:
        game.pool.put(game.source, one.source)
    if one.first and game.begin["seoul"].state:  # what we made ourselves has nobody else's commits
        game.pool.put(game.site("seoul"), one.first)
    released: dict[str, frozenset[RefUpdate]] = {}
    if one.approve:
        before = {name: refgames.seen(game.site(name)) for name in here}
        _, shown = game.run(here, {}, game.cache, dry_run=True)
        assert before == {name: refgames.seen(game.site(name)) for name in here}
        released = {name: frozenset(outcome.held) for name, outcome in shown.items()}
        if one.late:  # something came after it was shown
            game.pool.put(game.source, one.late)
    before = {name: refgames.seen(game.site(name)) for name in here}
    if game.site("sejong").path.exists():
        shutil.copytree(game.site("sejong").path, game.site("alone").path)
    seen, outcomes = game.run(here, released, game.cache)
    _alone(game, outcomes["sejong"], released)
    ledgers = dict(game.ledgers)
    for name, outcome in outcomes.items():
        after = refgames.seen(game.site(name))
        _kept(game, name, seen, before[name], after, released.get(name, frozenset()))
        _told(game, name, seen, after, outcome)
        ledgers[name] = dict(outcome.ledger if outcome.ledger is not None else ledgers.get(name, {}))
    _again(game, ledgers, outcomes)
    if not one.forget:
        game.ledgers = ledgers


def _alone(game: Game, outcome: SiteOutcome, released: Mapping[str, frozenset[RefUpdate]]) -> None:
    """What becomes of a site has nothing to do with the others: by itself, from a new copy, it is the same."""
    _, alone = game.run({"sejong": "alone"}, released, git.Cache(game.root / "another"))
    assert (alone["sejong"].state, alone["sejong"].ledger) == (outcome.state, outcome.ledger)
    assert [(ref.ref, ref.action, ref.outcome) for ref in alone["sejong"].refs] == [
        (ref.ref, ref.action, ref.outcome) for ref in outcome.refs
    ]
    assert refgames.seen(game.site("alone")) == refgames.seen(game.site("sejong"))
    for name in ("alone.git", "another"):
        shutil.rmtree(game.root / name, ignore_errors=True)


def _kept(
    game: Game,
    name: str,
    source: ends.Advertised,
    before: tuple[dict[str, str], str],
    after: tuple[dict[str, str], str],
    released: frozenset[RefUpdate],
) -> None:
    """What a guard holds is there still, or copied, or was let go by its exact ids."""
    options = game.target(name, released).options
    (refs, head), (now, new_head) = before, after
    wanted, there = options.covered(source.refs), options.covered(refs)
    written, guards = game.ledgers.get(name, {}), options.guards
    assert new_head in (head, source.head) or not head
    for ref in now.keys() | refs.keys():
        if not options.covers(ref) and now.get(ref) != refs.get(ref):
            assert ref.startswith(BACKUP)
            assert (refs.get(ref), now[ref] in there.values()) == (None, True)
    gone = 0
    for ref, old in there.items():
        new = now.get(ref, "")
        if new == old or RefUpdate(ref=ref, old=old, new=new) in released:
            continue
        gone += not new
        assert new == wanted.get(ref, "")
        if "heads" in ref and new and game.pool.contains(old, new):
            continue
        policy = "overwrite"
        if written.get(ref) != old:
            policy = guards.diverged
        elif options.protects(ref) or (new and ref in (head, source.head)):
            policy = guards.rewritten
        assert policy != "hold", (ref, old, new)
        assert policy != "backup" or old in {oid for one, oid in now.items() if one.startswith(BACKUP)}
    assert gone <= max(1, amounts.share_of(guards.deletions.most, len(there.keys() | wanted.keys())))
    everything = {RefUpdate(ref=ref, old=old, new="") for ref, old in there.items()}
    if not wanted and guards.empty_source == "hold" and not released >= everything:
        assert now == refs


def _told(
    game: Game, name: str, source: ends.Advertised, after: tuple[dict[str, str], str], outcome: SiteOutcome
) -> None:
    """Every ref that is not as at the source is named; what is called equal is equal."""
    options = game.target(name, frozenset()).options
    wanted, there = options.covered(source.refs), options.covered(after[0])
    named = {one.ref for one in outcome.open}
    differ = {ref for ref in wanted.keys() | there.keys() if wanted.get(ref) != there.get(ref)}
    if source.head != after[1] and wanted:
        differ.add("HEAD")
    assert not outcome.reason, outcome.reason
    assert "" in named or differ <= named
    assert (outcome.state.value == "equal") == (not named)


def _again(game: Game, ledgers: dict[str, dict[str, str]], outcomes: Mapping[str, SiteOutcome]) -> None:
    """Nothing changed since: nothing is fetched, nothing is written, the same is said."""
    here = {
        name: name
        for name, outcome in outcomes.items()
        if outcome.state.value in ("equal", "held") and not outcome.again
    }
    later = replace(game, ledgers=ledgers)
    with pytest.MonkeyPatch.context() as patched:
        for work in ("fetch", "push"):
            patched.setattr(git.Cache, work, partial(_transferred, work))
        _, again = later.run(here, {}, game.cache)
    for name, outcome in again.items():
        assert outcome.state == outcomes[name].state
        assert (outcome.held, outcome.hold) == (outcomes[name].held, outcomes[name].hold)
        assert not outcome.changed


def _transferred(work: str, *_arguments: object, **_named: object) -> Iterator[None]:
    raise AssertionError(f"there was something to {work}")
