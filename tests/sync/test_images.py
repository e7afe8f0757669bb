"""The jobs and the command that mirror images: what the configuration says, what is recorded, when it comes again."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors, settings, values, work
from lockstep.engine.queue import Queue
from lockstep.sites import ends
from lockstep.sites.line import Pace
from lockstep.store import images as stored
from lockstep.store.database import Database
from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.values import Stance
from sync import images as mirroring
from sync import selection
from sync.images import Mirroring, Request
from sync.states import State
from tests.support import images
from tests.support.images import Maker, new_store
from tests.support.stores import Watched
from tests.support.topologies import topology

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SITE = {"registry": {"layout": "/layouts", "imagePrefix": "registry.example"}}
APPLICATION = {
    "source": {"repository": "bank/pay"},
    "namespace": "pay",
    "images": [{"name": "pay/api"}],
    "protection": {"seoul-sejong": {"tier": "hot"}},
}


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    moment: datetime = NOW

    def now(self) -> datetime:
        """The moment."""
        return self.moment

    def monotonic(self) -> float:
        """Nothing here measures with it."""
        return 0.0


@dataclass
class Doors:
    """Layouts, one directory a site; ``closed`` says which do not open."""

    root: Path
    closed: dict[str, errors.LockstepError] = field(default_factory=dict)
    stores: dict[str, Watched] = field(default_factory=dict)
    keys: dict[str, str] | errors.LockstepError = field(default_factory=dict)
    lines: dict[str, Pace] = field(default_factory=dict)
    trusted: str = ""

    def images(self, site: str) -> ends.ImageStore:
        """The site's."""
        if site in self.closed:
            raise self.closed[site]
        return self.stores.setdefault(site, Watched(new_store(self.root / site)))

    def line_to(self, site: str) -> Pace | None:
        """The one that a test gives."""
        return self.lines.get(site)

    def image_source(self, mirror: kinds.ImageMirror) -> ends.ImageStore:
        """The source's."""
        return self.images(mirror.spec.source.site or "elsewhere")

    def signers(self, mirror: kinds.ImageMirror) -> dict[str, str]:
        """Those that a test gives."""
        if isinstance(self.keys, errors.LockstepError):
            raise self.keys
        return self.keys

    def trusted_root(self, keyless: kinds.Keyless) -> str:
        """The one that a test gives."""
        return self.trusted


class World:
    """A primary that is pushed to, two standbys, one application, and a database."""

    def __init__(self, root: Path, opened: Database, **mirror: Any) -> None:
        spec = {"source": {"site": "seoul"}, "repositories": ["pay/*"], "sites": ["seoul", "sejong", "daegu"], **mirror}
        self.documents: tuple[tuple[str, str, dict[str, Any]], ...] = (
            *(("Site", site, SITE) for site in ("seoul", "sejong", "daegu")),
            ("Pair", "seoul-sejong", {"primary": "seoul", "standby": "sejong"}),
            ("Pair", "seoul-daegu", {"primary": "seoul", "standby": "daegu"}),
            ("Application", "pay", APPLICATION),
            ("ImageMirror", "pay", spec),
        )
        self.topology: Topology = topology(*self.documents)
        self.doors = Doors(root)
        self.stances: Mapping[str, Stance] = {"seoul-sejong": Stance.NORMAL, "seoul-daegu": Stance.NORMAL}
        self.clock = Clock()
        self.context = Mirroring(
            database=opened,
            topology=lambda: self.topology,
            doors=self.doors,
            stances=lambda: self.stances,
            clock=self.clock,
        )
        self.maker = Maker(store=new_store(root / "seoul"), repository="pay/api")

    def handle(self, repository: str = "pay/api", *references: str) -> work.Outcome:
        """Run the job, and write its effects."""
        outcome = mirroring.handle_mirror(self.context, claim(repository, *references))
        self.write(outcome)
        return outcome

    def write(self, outcome: work.Outcome) -> None:
        """What the engine does at the end of a job."""
        with self.context.database.write() as connection:
            for effect in outcome.effects:
                effect(connection)

    def rows(self) -> dict[tuple[str, str], stored.Standing]:
        """What is recorded, by reference and site."""
        with self.context.database.read() as connection:
            return {(row.reference, row.site): row for row in stored.standings(connection, "pay/api")}

    def states(self) -> dict[tuple[str, str], str]:
        """What is recorded, in short."""
        return {key: row.state for key, row in self.rows().items()}


def claim(repository: str, *references: str) -> work.Claim:
    """A claimed job."""
    payload = {"repository": repository, "references": list(references)}
    return work.Claim(id=1, kind=work.Kind.IMAGE_MIRROR, payload=payload, fence="f", attempt=1, crashes=0)


@pytest.fixture
def world(tmp_path: Path, file_database: Database) -> World:
    """A configuration with one mirror."""
    return World(tmp_path, file_database)


def test_a_push_to_the_primary_reaches_the_other_sites_and_is_recorded(tmp_path: Path, database: Database) -> None:
    """Each site has a row with digest, bytes and moment; the primary, where it came from, has none."""
    world = World(tmp_path, database)
    made = world.maker.image(b"layer", tag="v1")
    assert isinstance(world.handle("pay/api", "v1"), work.Done)
    rows = world.rows()
    assert set(rows) == {("v1", "sejong"), ("v1", "daegu")}
    for row in rows.values():
        assert (row.state, row.digest, row.checked_at, row.verified_at) == ("equal", made.digest, NOW, NOW)
        assert row.bytes_sent > made.size
    world.clock.moment += timedelta(minutes=5)
    world.handle()
    again = world.rows()["v1", "daegu"]
    assert (again.bytes_sent, again.verified_at) == (rows["v1", "daegu"].bytes_sent, world.clock.moment)


def test_all_tags_of_the_mirror_are_brought_and_no_others(tmp_path: Path, file_database: Database) -> None:
    """Patterns choose the tags; what belongs to a chosen image by its tag's name comes along."""
    world = World(tmp_path, file_database, tags=["v*"])
    made = world.maker.image(b"layer", tag="v1")
    world.maker.image(b"other", tag="nightly")
    companion = f"{made.digest.replace(':', '-')}.sig"
    world.maker.artifact(None, b"signature", tag=companion)
    world.handle()
    assert set(world.doors.stores["sejong"].inner.tags("pay/api") or {}) == {"v1", companion}
    world.handle("pay/api", "nightly", made.digest)
    assert set(world.states()) == {
        (ref, site) for ref in ("v1", companion, made.digest) for site in ("sejong", "daegu")
    }


def test_a_site_that_is_the_truth_now_is_held_and_recorded(world: World) -> None:
    """A switched pair holds its standby; the other standby is served, and the reason is kept."""
    world.maker.image(b"layer", tag="v1")
    world.stances = {"seoul-sejong": Stance.SWITCHED, "seoul-daegu": Stance.NORMAL}
    world.handle()
    assert world.states() == {("v1", "sejong"): "held", ("v1", "daegu"): "equal"}
    told = "seoul-sejong is in the stance switched: nothing is written towards sejong."
    assert world.rows()["v1", "sejong"].detail == f"{told} See lockstep pair show seoul-sejong."
    assert "sejong" not in world.doors.stores


def test_a_stance_that_changes_while_it_is_copied_holds_the_tag_back(world: World) -> None:
    """What had begun when the pair was switched never becomes visible at the site that is the truth now."""
    old = world.maker.image(b"old", tag="v1")
    world.handle()
    world.maker.image(b"new", tag="v1")

    def switch(method: str, _about: str) -> None:
        if method == "commit":
            world.stances = {"seoul-sejong": Stance.SWITCHED, "seoul-daegu": Stance.NORMAL}

    world.doors.stores["sejong"].hook = switch
    world.handle()
    assert world.states() == {("v1", "sejong"): "held", ("v1", "daegu"): "equal"}
    assert world.doors.stores["sejong"].inner.tags("pay/api") == {"v1": old.digest}


def test_a_stance_that_nobody_knows_holds_its_sites(world: World) -> None:
    """Without a stance nothing is written towards either side; for an image of no application every pair decides."""
    Maker(store=world.maker.store, repository="pay/unused").image(b"layer", tag="v1")
    world.stances = {}
    report = mirroring.run(world.context, Request(), name="pay/unused")
    assert {(result.site, result.state) for result in report.results} == {
        ("sejong", State.HELD),
        ("daegu", State.HELD),
    }


def test_a_site_that_does_not_answer_is_recorded_and_the_job_comes_again(world: World) -> None:
    """The other site is equal in the store before the job ends; the engine gets a temporary error to retry."""
    world.maker.image(b"layer", tag="v1")
    world.doors.closed["daegu"] = errors.UnreachableError("daegu does not answer.")
    with pytest.raises(errors.UnreachableError, match="daegu"):
        world.handle()
    assert world.states() == {("v1", "sejong"): "equal", ("v1", "daegu"): "unreachable"}
    del world.doors.closed["daegu"]
    assert isinstance(world.handle(), work.Done)
    assert set(world.states().values()) == {"equal"}


def test_what_was_equal_is_not_when_the_source_cannot_say(world: World) -> None:
    """A source that is silent makes every row of its repository unknown; what was last verified stays to be seen."""
    world.maker.image(b"layer", tag="v1")
    world.handle()
    world.doors.closed["seoul"] = errors.UnreachableError("seoul does not answer.")
    with pytest.raises(errors.UnreachableError):
        world.handle()
    rows = world.rows()
    assert {row.state for row in rows.values()} == {"unreachable"}
    assert {row.verified_at for row in rows.values()} == {NOW}
    world.doors.closed["seoul"] = errors.IntegrityError("seoul's index cannot be read.")
    world.handle()
    assert set(world.states().values()) == {"failed"}


def test_what_one_of_two_mirrors_could_not_ask_stays_recorded_and_unknown(world: World) -> None:
    """Two mirrors bring one repository to one site; the source of one is silent, and the other's tags are equal."""
    spec = {"source": {"url": "https://vendor.example"}, "repositories": ["pay/*"], "sites": ["sejong"]}
    other = topology(("Site", "sejong", SITE), ("ImageMirror", "vendor", spec)).image_mirrors["vendor"]
    world.topology = replace(world.topology, image_mirrors={**world.topology.image_mirrors, "vendor": other})
    world.maker.image(b"ours", tag="v1")
    Maker(store=new_store(world.doors.root / "elsewhere"), repository="pay/api").image(b"theirs", tag="x1")
    equal = {("v1", "sejong"): "equal", ("v1", "daegu"): "equal", ("x1", "sejong"): "equal"}
    world.handle()
    assert world.states() == equal
    world.doors.closed["elsewhere"] = errors.UnreachableError("The vendor does not answer.")
    with pytest.raises(errors.UnreachableError):
        world.handle()
    assert world.states() == {**equal, ("x1", "sejong"): "unreachable"}
    del world.doors.closed["elsewhere"]
    world.maker.store.untag("pay/api", "v1")
    world.maker.image(b"ours", tag="v2")
    world.handle()
    assert world.states() == {("v2", "sejong"): "equal", ("v2", "daegu"): "equal", ("x1", "sejong"): "equal"}


def test_a_tag_that_the_source_no_longer_has_is_no_longer_recorded(world: World) -> None:
    """The sites keep it; a source that lists nothing at all changes no row."""
    made = world.maker.image(b"layer", tag="v1")
    world.maker.image(b"layer 2", tag="v2")
    world.handle()
    world.handle("pay/api", made.digest)
    source = new_store(world.doors.root / "seoul")
    source.untag("pay/api", "v1")
    world.handle()
    assert set(world.states()) == {(ref, site) for ref in ("v2", made.digest) for site in ("sejong", "daegu")}
    assert set(world.doors.stores["sejong"].inner.tags("pay/api") or {}) == {"v1", "v2"}
    source.untag("pay/api", "v2")
    world.handle()
    assert len(world.states()) == 4


def test_a_repository_that_nobody_mirrors_is_nothing_to_do(world: World) -> None:
    """No mirror, no work, no rows."""
    Maker(store=new_store(world.doors.root / "seoul"), repository="other").image(tag="v1")
    assert isinstance(world.handle("other"), work.Done)
    with world.context.database.read() as connection:
        assert stored.standings(connection) == []
    assert world.doors.stores == {}


def test_the_sweep_asks_for_each_repository_once_its_interval_has_passed(world: World) -> None:
    """What was looked at lately is left alone; what was never looked at is due; foreign repositories never are."""
    world.maker.image(b"layer", tag="v1")
    Maker(store=world.maker.store, repository="pay/settle").image(b"layer", tag="v1")
    Maker(store=world.maker.store, repository="other").image(b"layer", tag="v1")
    assert _swept(world) == ["pay/api", "pay/settle"]
    world.handle("pay/api")
    assert _swept(world) == ["pay/settle"]
    world.clock.moment += timedelta(minutes=4, seconds=59)
    assert _swept(world) == ["pay/settle"]
    world.clock.moment += timedelta(seconds=1)
    assert _swept(world) == ["pay/api", "pay/settle"]


def test_the_sweep_goes_by_known_names_where_a_source_lists_none(world: World) -> None:
    """Registries need not list their repositories: then applications and the store name them."""
    world.maker.image(b"layer", tag="v1")

    def fail(method: str, _about: str) -> None:
        if method == "repositories":
            raise errors.UnsupportedError("It does not list.")

    world.doors.images("seoul")
    world.doors.stores["seoul"].hook = fail
    assert _swept(world) == ["pay/api"]


def test_a_source_that_cannot_say_what_a_pattern_names_is_unknown_and_not_fine(
    tmp_path: Path, database: Database
) -> None:
    """Nothing to do because nobody could be asked is no success: each site's images are said to be unknown."""
    world = World(tmp_path, database, repositories=["vendor/*"])
    world.doors.closed["seoul"] = errors.UnreachableError("seoul does not answer.")
    report = mirroring.run(world.context, Request())
    assert report.exit_code == 2
    assert [(one.repository, one.site, one.state.value, one.detail) for one in report.results] == [
        ("vendor/*", "sejong", "unreachable", "seoul does not answer."),
        ("vendor/*", "daegu", "unreachable", "seoul does not answer."),
    ]


def test_a_pattern_that_names_nothing_is_told_beside_what_the_others_name(tmp_path: Path, database: Database) -> None:
    """As a repository that is not there, and by the same code: a letter too few is no reason to call all equal."""
    world = World(tmp_path, database, repositories=["pay/*", "pya/*"])
    world.maker.image(b"layer", tag="v1")
    report = mirroring.run(world.context, Request(site="daegu"))
    said = {one.repository: (one.state.value, one.detail.partition("has ")[2]) for one in report.results}
    assert said == {
        "pay/api": ("equal", ""),
        "pya/*": ("failed", "no repository that pya/* names. Push one there, or mend the mirror."),
    }
    assert report.exit_code == 2


def test_of_a_source_that_does_not_list_patterns_mean_what_is_known(tmp_path: Path, database: Database) -> None:
    """What an application names is brought; a pattern of which nobody knows anything is told, with what to do."""
    world = World(tmp_path, database, repositories=["pay/*", "vendor/*"])
    world.maker.image(b"layer", tag="v1")

    def fail(method: str, _about: str) -> None:
        if method == "repositories":
            raise errors.UnsupportedError("It does not list.", remedy="Name them.")

    world.doors.images("seoul")
    world.doors.stores["seoul"].hook = fail
    report = mirroring.run(world.context, Request(site="daegu"))
    said = {one.repository: (one.state.value, one.detail) for one in report.results}
    assert said == {"pay/api": ("equal", ""), "vendor/*": ("failed", "It does not list. Name them.")}


@pytest.mark.parametrize("site", ["sejng", "seoul"])
def test_a_site_that_no_mirror_brings_images_to_is_an_error(world: World, site: str) -> None:
    """A name that is mistyped, or the site that the images come from, is never answered with success."""
    world.maker.image(b"layer", tag="v1")
    for name in ("", "pay", "pay/api"):
        with pytest.raises(errors.NotFoundError, match="There are: daegu, sejong"):
            mirroring.run(world.context, Request(site=site), name=name)


def _swept(world: World) -> list[str]:
    done = mirroring.handle_sweep(world.context, claim(""))
    assert isinstance(done, work.Done)
    return [job.payload["repository"] for job in done.then]


def test_the_command_says_how_everything_stands(world: World) -> None:
    """0 when all is equal or was made so, with a result for each tag and site."""
    world.maker.image(b"layer", tag="v1")
    report = mirroring.run(world.context, Request())
    assert report.exit_code == 0
    assert report.as_json()["counts"] == {
        "failed": 0,
        "unreachable": 0,
        "refused": 0,
        "held": 0,
        "behind": 0,
        "equal": 2,
    }
    assert set(world.states().values()) == {"equal"}
    for name in ("pay", "pay/api"):
        assert mirroring.run(world.context, Request(site="daegu"), name=name).exit_code == 0
    with pytest.raises(errors.NotFoundError, match="There are: pay"):
        mirroring.run(world.context, Request(), name="nobody")


def test_the_command_answers_1_for_what_is_held_or_behind_and_2_for_what_is_unknown(world: World) -> None:
    """Exit codes are part of the contract; a dry run records nothing."""
    world.maker.image(b"layer", tag="v1")
    assert mirroring.run(world.context, Request(dry_run=True)).exit_code == 1
    assert world.states() == {}
    world.stances = {"seoul-sejong": Stance.DRILL, "seoul-daegu": Stance.NORMAL}
    assert mirroring.run(world.context, Request()).exit_code == 1
    world.doors.closed["daegu"] = errors.UnreachableError("daegu does not answer.")
    assert mirroring.run(world.context, Request()).exit_code == 2
    world.doors.closed["daegu"] = errors.ForbiddenError("daegu says no.")
    assert mirroring.run(world.context, Request()).exit_code == 1
    assert mirroring.run(world.context, Request(), name="pay/absent").exit_code == 2


def test_a_forced_look_finds_what_a_site_lost(world: World) -> None:
    """``--verify`` looks under equal tags and mends them."""
    made = world.maker.image(b"layer", tag="v1")
    mirroring.run(world.context, Request())
    path = world.doors.root / "daegu/pay/api/blobs" / images.digest(b"layer").replace(":", "/")
    path.unlink()
    assert not mirroring.verify(world.doors.images("daegu"), "pay/api", made.digest).whole
    before = {one.site: one.detail for one in mirroring.run(world.context, Request(deep=True, dry_run=True)).results}
    assert before == {"sejong": "", "daegu": "A part of it is missing there."}
    report = mirroring.run(world.context, Request(deep=True))
    assert {result.state for result in report.results} == {State.EQUAL}
    after = {one.site: one.detail for one in report.results}
    assert after == {"sejong": "", "daegu": "A part of it was missing there."}
    assert mirroring.verify(world.doors.images("daegu"), "pay/api", made.digest).whole


@given(
    st.lists(st.sampled_from(["v1", "v2", "latest", "nightly"]), unique=True), st.sampled_from(["*", "v*", "v1", "x"])
)
def test_chosen_tags_are_those_of_the_patterns_and_their_companions(listed: list[str], pattern: str) -> None:
    """A companion comes with its image, and never without."""
    digests = {tag: images.digest(tag.encode()) for tag in listed}
    companions = {f"{digest.replace(':', '-')}.att": images.digest(b"att") for digest in digests.values()}
    mirror = kinds.ImageMirror.model_validate_json(
        '{"apiVersion": "lockstep.dev/v1alpha1", "kind": "ImageMirror", "metadata": {"name": "m"}, "spec": '
        '{"source": {"site": "a"}, "repositories": ["r"], "sites": ["b"], "tags": ["' + pattern + '"]}}'
    )
    chosen = selection.tags(mirror, digests | companions)
    plain = [tag for tag in chosen if not values.companion_of(tag)]
    attached = {values.companion_of(tag) for tag in chosen} - {""}
    assert attached == ({digests[tag] for tag in plain} if pattern != "*" else set(digests.values()))
    assert set(plain) <= set(listed)


def test_a_push_that_waits_for_a_sweep_is_brought_by_the_sweep(world: World) -> None:
    """A deploy needs the digest: it does not wait for the hundred images before it, and rules still choose."""
    world.maker.image(b"old", tag="v1")
    pushed = Maker(store=world.maker.store, repository="pay/api").image(b"new")
    queue = Queue(world.context.database, working=settings.Working())
    with world.context.database.write() as connection:
        queue.enqueue(
            connection,
            work.mirror_images("pay/api", references=(pushed.digest,), urgent=True),
            work.mirror_images("pay/other", references=("v7",), urgent=True),
            work.mirror_images("pay/api", urgent=False),
        )
    world.handle()
    assert world.states() == {(ref, site): "equal" for ref in ("v1", pushed.digest) for site in ("sejong", "daegu")}


def test_the_lag_of_an_image_runs_from_its_push_until_it_was_verified(world: World) -> None:
    """Of what the registry told us where it did; told beside the RPO of the pair, and kept by later looks."""
    world.maker.image(b"layer", tag="v1")
    job = work.mirror_images("pay/api", references=("v1",), urgent=True, pushed=world.clock.now())
    world.clock.moment += timedelta(minutes=3)
    world.write(mirroring.handle_mirror(world.context, replace(claim("pay/api"), payload=job.payload)))
    world.clock.moment += timedelta(hours=1)
    world.handle()
    report: Any = mirroring.run(world.context, Request()).as_json()
    told = {one["site"]: one["lag"] for one in report["results"]}
    assert told["sejong"] == {"behindSeconds": 0.0, "lastSeconds": 180.0, "rpoSeconds": 86400.0, "beyond": False}
    assert told["daegu"]["rpoSeconds"] is None


def test_what_a_tag_named_at_a_site_before_is_told(world: World) -> None:
    """Somebody may have put it there as a hot fix: a dry run tells of it before, and the run what it was."""
    old = world.maker.image(b"fix", tag="v1")
    mirroring.run(world.context, Request())
    new = world.maker.image(b"layer", tag="v1")

    def said(request: Request) -> set[tuple[str, str]]:
        return {(one.state.value, one.detail) for one in mirroring.run(world.context, request).results}

    assert said(Request(dry_run=True)) == {("behind", f"It names {old.digest} there.")}
    assert said(Request()) == {("equal", f"It named {old.digest} there before.")}
    assert said(Request()) == {("equal", "")}
    assert new.digest != old.digest


def test_a_password_that_expired_makes_nothing_late(world: World) -> None:
    """What was equal at a site that lets us in no longer is refused now, and nobody knows how far it is behind."""
    world.maker.image(b"layer", tag="v1")
    world.handle()

    def refuse(_method: str, _about: str) -> None:
        raise errors.UnauthorisedError("daegu does not know us.")

    world.doors.stores["daegu"].hook = refuse
    report = mirroring.run(world.context, Request())
    assert world.states()["v1", "daegu"] == "refused"
    assert report.lags["pay/api", "v1", "daegu"].behind is None
    assert report.lags["pay/api", "v1", "sejong"].behind == timedelta(0)


def test_a_sweep_that_comes_before_the_job_of_a_push_knows_when_it_was(world: World) -> None:
    """The job that waits tells it; a site that is away is behind since then."""
    job = work.mirror_images("pay/api", references=("v1",), urgent=True, pushed=world.clock.now())
    with world.context.database.write() as connection:
        Queue(world.context.database, working=settings.Working()).enqueue(connection, job)
    world.doors.closed["daegu"] = errors.UnreachableError("down")
    world.maker.image(b"layer", tag="v1")
    world.clock.moment += timedelta(minutes=2)
    report = mirroring.run(world.context, Request())
    assert str(report.lags["pay/api", "v1", "sejong"]).startswith("2m of")
    world.clock.moment += timedelta(minutes=5)
    report = mirroring.run(world.context, Request(dry_run=True))
    assert report.lags["pay/api", "v1", "daegu"].behind == timedelta(minutes=7)


def test_a_push_of_which_nobody_told_counts_from_when_it_was_seen(world: World) -> None:
    """And one that was told by a clock before ours is not late by less than nothing."""
    world.maker.image(b"layer", tag="v1")
    assert {lag.last for lag in mirroring.run(world.context, Request()).lags.values()} == {timedelta(0)}
    world.maker.image(b"other", tag="v1")
    job = work.mirror_images("pay/api", references=("v1",), urgent=True, pushed=NOW + timedelta(hours=9))
    world.write(mirroring.handle_mirror(world.context, replace(claim("pay/api"), payload=job.payload)))
    assert {row.lag_of_newest for row in world.rows().values()} == {timedelta(0)}


def test_all_that_goes_to_a_site_shares_its_line(world: World) -> None:
    """Three repositories over one line take as long as all their bytes; other sites do not wait."""
    waited: list[float] = []
    world.doors.lines["sejong"] = Pace(8.0, now=lambda: 0.0, sleep=waited.append)  # a byte each second
    for repository in ("pay/api", "pay/web", "pay/job"):
        replace(world.maker, repository=repository).image(b"layer of " + repository.encode() * 1000, tag="v1")
        world.handle(repository)
    sizes = [layer.stat().st_size for layer in (world.doors.root / "sejong").rglob("blobs/sha256/*") if layer.is_file()]
    assert 7000 < max(waited) <= sum(sizes)
    assert max(waited) > 2 * max(sizes)  # the last bytes of all are waited for by nobody


def test_a_repository_that_was_mirrored_and_is_gone_at_the_source_is_told(world: World) -> None:
    """A storage that lost it must not look like a night without work; the sweep asks for it too."""
    world.maker.image(b"layer", tag="v1")
    other = Maker(store=world.maker.store, repository="pay/settle")
    other.image(b"layer", tag="v1")
    assert mirroring.run(world.context, Request()).exit_code == 0
    shutil.rmtree(world.doors.root / "seoul/pay/settle")
    world.doors.stores.clear()
    report = mirroring.run(world.context, Request(site="daegu"))
    said = {one.repository: (one.state.value, one.detail.partition("has ")[2]) for one in report.results}
    assert said == {
        "pay/api": ("equal", ""),
        "pay/settle": ("failed", "no repository pay/settle. Push it there, or mend the mirror."),
    }
    world.clock.moment += timedelta(minutes=5)
    assert _swept(world) == ["pay/api", "pay/settle"]


def test_what_another_mirror_brings_is_not_missed_at_this_source(world: World) -> None:
    """Two mirrors may cover one name, from two sources: the one that lists it brings it."""
    elsewhere = Maker(store=new_store(world.doors.root / "elsewhere"), repository="pay/vendor")
    elsewhere.image(b"layer", tag="v1")
    world.maker.image(b"layer", tag="v1")
    more = {"source": {"layout": "/elsewhere"}, "repositories": ["pay/v*"], "sites": ["sejong"]}
    both = topology(*world.documents, ("ImageMirror", "vendor", more))
    world.topology = both
    assert mirroring.run(world.context, Request()).exit_code == 0
    assert mirroring.run(world.context, Request()).exit_code == 0


def test_a_source_that_has_nothing_yet_is_nothing_to_do(world: World) -> None:
    """Before the first build there is nothing that could be lacking."""
    assert mirroring.run(world.context, Request()).exit_code == 0
    world.maker.image(b"layer", tag="v1")
    assert mirroring.run(world.context, Request()).exit_code == 0
