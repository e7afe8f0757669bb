"""A repository's history, as the configuration's rules see it: pushes, moves, deletions, and people at sites."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockstep import errors, values
from lockstep.store import images as stored
from lockstep.store.database import Database
from lockstep.topology import amounts
from lockstep.values import Stance
from sync import images as mirroring
from sync import selection
from sync.fan import Bounds
from tests.support.images import Maker
from tests.support.memory_store import MemoryStore, below
from tests.support.stores import Watched
from tests.sync.test_images import World, claim

TAGS = ("v1.0.0", "v1.1.0", "v2.0.0", "latest", "x")
SITES = ("sejong", "daegu")
_count = itertools.count()

RULES = st.fixed_dictionaries(
    {"deleted": st.sampled_from(["keep", "delete"]), "deletions": st.sampled_from([{"most": "50%"}, {"most": 1}])},
    optional={
        "tags": st.sampled_from([["v*"], ["v*", "x"]]),
        "versions": st.just("1.x"),
        "newest": st.just(1),
        "immutable": st.sampled_from([["v1.*"], ["latest"]]),
        "referrers": st.booleans(),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happens before somebody looks, and how the look goes. Images and sites by number."""

    pushes: dict[str, int]
    gone: set[str]
    at_site: dict[str, int]
    person: str
    held: str
    broken: str
    digest: int


STEPS = st.builds(
    Step,
    pushes=st.dictionaries(st.sampled_from(TAGS), st.integers(0, 4), max_size=3),
    gone=st.sets(st.sampled_from(TAGS), max_size=2),
    at_site=st.dictionaries(st.sampled_from(TAGS), st.integers(0, 4), max_size=1),
    person=st.sampled_from(SITES),
    held=st.sampled_from(["", "", "", "sejong"]),
    broken=st.sampled_from(["", "", "", "daegu", "seoul"]),
    digest=st.integers(-6, 4),
)


class History:
    """One repository of a world, at its source and two sites."""

    def __init__(self, world: World) -> None:
        self.world, self.repository = world, f"pay/{next(_count)}"
        self.stores = {site: MemoryStore(site, lists_digests=site != "daegu") for site in ("seoul", *SITES)}
        world.doors.stores = {site: Watched(store) for site, store in self.stores.items()}
        world.context = replace(world.context, bounds=Bounds(few=2, batch=2, looks=2))
        self.mirror = world.topology.image_mirrors["pay"]
        self.brought: dict[tuple[str, str], str] = {}

    def image(self, site: str, number: int) -> str:
        """One of five images, with a layer that others share."""
        maker = Maker(store=self.stores[site], repository=self.repository)
        return maker.image(b"shared", architecture=f"cpu{number}").digest

    def happen(self, step: Step) -> None:
        """What people do."""
        source, there = self.stores["seoul"], self.stores[step.person]
        for tag in step.gone:
            source.untag(self.repository, tag)
        for tag, number in step.pushes.items():
            source.named[tag] = self.image("seoul", number)
        for tag, number in step.at_site.items():
            there.named[tag] = self.image(step.person, number)

    def look(self, step: Step) -> None:
        """Have it mirrored, and hold the laws at each site."""
        world = self.world
        world.clock.moment += timedelta(minutes=1)
        world.stances = {"seoul-sejong": Stance.DRILL if step.held else Stance.NORMAL, "seoul-daegu": Stance.NORMAL}
        world.doors.closed = {step.broken: errors.RefusedError("Not now.")} if step.broken else {}
        before = {site: dict(self.stores[site].named) for site in SITES}
        references = [self.image("seoul", step.digest)] if step.digest >= 0 else []
        for asked in ([], references) if references else ([],):
            world.write(mirroring.handle_mirror(world.context, claim(self.repository, *asked)))
        rows = self._rows()
        for site in SITES:
            self._right(site, step, before[site], rows)
        self.brought |= {key: row.digest for key, row in rows.items() if row.state == "equal"}

    def _rows(self) -> dict[tuple[str, str], stored.Standing]:
        with self.world.context.database.read() as connection:
            return {(one.reference, one.site): one for one in stored.standings(connection, self.repository)}

    def _right(
        self, site: str, step: Step, before: dict[str, str], rows: dict[tuple[str, str], stored.Standing]
    ) -> None:
        named, source = self.stores[site].named, self.stores["seoul"].named
        chosen = set(selection.chosen_tags(self.mirror, source))
        closed = step.held == site or step.broken in (site, "seoul")
        for tag in {*named, *before}:
            moved, expected = named.get(tag) != before.get(tag), tag in chosen and not self._fixed(tag, before)
            assert not (moved and closed), f"{tag} moved at a site that is not to be written to"
            if moved and tag in named:
                assert expected, f"{tag} moved, and no rule says so"
                assert named[tag] == source[tag]
            elif moved:
                self._may_go(site, tag, before)
        gone = [tag for tag in before if tag not in named]
        ours = [tag for tag, where in self.brought if where == site and values.is_tag(tag)]
        assert len(gone) <= max(1, amounts.share_of(self.mirror.spec.deletions.most, len(ours)))
        for tag in chosen:
            if not closed and not self._fixed(tag, before):
                assert named.get(tag) == source[tag], f"{tag} was not brought"
                assert rows[tag, site].state == "equal"
        for (reference, where), row in rows.items():
            if where == site and row.state == "equal":
                found = self.stores[site].resolve(self.repository, reference)
                assert found is not None
                assert found.digest == row.digest, "what is recorded as equal is something else"
                assert not below(self.stores[site], row.digest)
                assert row.lag(self.world.clock.now()) == timedelta(0)
                assert row.pushed_at is not None
                assert row.equal_at is not None
                assert row.pushed_at <= row.equal_at <= row.checked_at

    def _fixed(self, tag: str, before: dict[str, str]) -> bool:
        return selection.is_immutable(self.mirror, tag) and tag in before

    def _may_go(self, site: str, tag: str, before: dict[str, str]) -> None:
        assert self.mirror.spec.deleted == "delete", "nothing is taken away unless a rule says so"
        assert tag not in self.stores["seoul"].named
        assert selection.chosen_tags(self.mirror, [tag])
        assert not selection.is_immutable(self.mirror, tag)
        assert before[tag] == self.brought.get((tag, site)), "what we did not bring is not ours"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where nothing is written: all is in memory."""
    return tmp_path_factory.mktemp("world")


@settings(max_examples=30, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules=RULES, steps=st.lists(STEPS, min_size=1, max_size=5))
def test_every_site_has_what_the_rules_say_and_what_is_recorded_is_true(
    file_database: Database, places: Path, rules: dict[str, Any], steps: list[Step]
) -> None:
    """Whatever is pushed, moved and deleted, and whoever pushes at a site, held and closed ones among them."""
    history = History(World(places, file_database, **rules))
    for step in steps:
        history.happen(step)
        history.look(step)
