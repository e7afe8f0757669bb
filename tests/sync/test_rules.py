"""Which tags a mirror brings, which it leaves where they are, and which it takes away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from lockstep import errors, settings, work
from lockstep.engine.queue import Queue
from lockstep.sites import ends
from lockstep.store.database import Database
from lockstep.topology import kinds, patterns
from lockstep.values import Stance
from sync import images as mirroring
from sync import platforms, selection
from sync.fan import Bounds
from sync.images import Request
from sync.mirror import ALL, Order, mirror
from sync.states import State
from tests.support import images, mini_registry
from tests.support.images import Maker, new_store
from tests.support.topologies import topology
from tests.sync.test_images import World


def _mirror(**spec: Any) -> kinds.ImageMirror:
    base = {"source": {"layout": "/x"}, "repositories": ["pay/*"], "sites": ["seoul"]}
    made = topology(
        ("Site", "seoul", {"registry": {"layout": "/y", "imagePrefix": "registry.example"}}),
        ("ImageMirror", "pay", {**base, **spec}),
    )
    return made.image_mirrors["pay"]


# --- choosing

TAGS = ["1.0.0", "1.1.0", "v1.2.0", "1.10.0", "2.0.0-rc.1", "2.0.0", "latest", "nightly-7", "main"]


@pytest.mark.parametrize(
    ("spec", "chosen"),
    [
        ({}, TAGS),
        ({"tags": ["1.*", "latest"]}, ["1.0.0", "1.1.0", "1.10.0", "latest"]),
        ({"expression": r"v?1\.[0-9]+\.0"}, ["1.0.0", "1.1.0", "v1.2.0", "1.10.0"]),
        ({"expression": "1"}, []),
        ({"versions": ">=1.1 <2"}, ["1.1.0", "v1.2.0", "1.10.0"]),
        ({"versions": ">=2.0.0-0"}, ["2.0.0-rc.1", "2.0.0"]),
        ({"newest": 2}, ["2.0.0-rc.1", "2.0.0"]),
        ({"versions": "1.x", "newest": 2}, ["v1.2.0", "1.10.0"]),
        ({"tags": ["*", "latest"], "versions": "1.x", "newest": 1}, ["1.10.0", "latest"]),
        ({"tags": ["nightly-*"], "newest": 5}, []),
    ],
)
def test_tags_are_chosen_by_pattern_expression_range_and_number(spec: dict[str, Any], chosen: list[str]) -> None:
    """Each rule narrows what the one before left; a tag named without a pattern is brought in any case."""
    assert selection.chosen_tags(_mirror(**spec), TAGS) == sorted(chosen)


def test_companions_follow_the_images_that_are_chosen() -> None:
    """A signature under a tag of its own comes with its image, whatever the rules say of its name."""
    signed, other = images.digest(b"a"), images.digest(b"b")
    listed = {"1.0.0": signed, "0.1.0": other}
    listed |= {f"{one.replace(':', '-')}.sig": images.digest(one.encode()) for one in (signed, other)}
    assert selection.tags(_mirror(versions=">=1"), listed) == ["1.0.0", f"{signed.replace(':', '-')}.sig"]


def test_an_expression_that_takes_too_long_is_given_up() -> None:
    """A tag, or the name of a repository, is somebody else's text."""
    endless = "(a|aa)+b|(a+)+c"
    with pytest.raises(errors.InputError, match="takes too long"):
        selection.chosen_tags(_mirror(expression=endless), ["a" * 127 + "d"])
    with pytest.raises(errors.InputError, match="takes too long"):
        patterns.covers(_mirror(repositories=["*"], repositoryExpression=endless), "a" * 127 + "d")


REPOSITORIES = ["pay/api", "pay/settle", "pay/api-test", "ledger/api", "vendor/hsm"]


@pytest.mark.parametrize(
    ("spec", "chosen"),
    [
        ({"repositories": ["*"]}, REPOSITORIES),
        ({"repositories": ["pay/*", "vendor/hsm"]}, ["pay/api", "pay/settle", "pay/api-test", "vendor/hsm"]),
        (
            {"repositories": ["*"], "repositoryExpression": "(pay|ledger)/[a-z]+"},
            ["pay/api", "pay/settle", "ledger/api"],
        ),
        ({"repositories": ["pay/*", "vendor/hsm"], "repositoryExpression": ".*/api"}, ["pay/api", "vendor/hsm"]),
        ({"repositories": ["*"], "repositoryExpression": "pay"}, []),
    ],
)
def test_repositories_are_chosen_by_pattern_and_expression(
    tmp_path: Path, file_database: Database, spec: dict[str, Any], chosen: list[str]
) -> None:
    """What is named without a pattern is brought in any case; the others have to match as a whole, at every face."""
    world = World(tmp_path, file_database, **spec)
    for name in REPOSITORIES:
        Maker(store=world.maker.store, repository=name).image(name.encode(), tag="v1")
    results = mirroring.run(world.context, Request()).results
    assert sorted({one.repository for one in results if one.reference != ALL}) == sorted(chosen)
    assert new_store(tmp_path / "sejong").repositories() == sorted(chosen)
    assert [name for name in REPOSITORIES if world.topology.image_mirrors_of(name)] == chosen


# --- tags that stay


def test_an_immutable_tag_stays_what_it_is(tmp_path: Path, file_database: Database) -> None:
    """It comes once; when it moves at the source it is held, with both digests in the reason."""
    world = World(tmp_path, file_database, immutable=["v*"])
    old = world.maker.image(b"old", tag="v1")
    world.maker.image(b"old", tag="latest")
    world.handle()
    new = world.maker.image(b"new", tag="v1")
    world.maker.image(b"new", tag="latest")
    world.handle()
    assert world.states() == {
        ("latest", "daegu"): "equal",
        ("latest", "sejong"): "equal",
        ("v1", "daegu"): "held",
        ("v1", "sejong"): "held",
    }
    row = world.rows()["v1", "sejong"]
    assert old.digest in row.detail
    assert new.digest in row.detail
    assert (new_store(tmp_path / "sejong").tags("pay/api") or {})["v1"] == old.digest


# --- tags that go


def _gone(world: World, *tags: str) -> None:
    for tag in tags:
        world.maker.store.untag("pay/api", tag)


def _tags(root: Path, site: str) -> set[str]:
    return set(new_store(root / site).tags("pay/api") or {})


def test_a_tag_that_vanished_stays_unless_the_mirror_says_otherwise(tmp_path: Path, file_database: Database) -> None:
    """The default: a site may run it."""
    world = World(tmp_path, file_database)
    for tag in ("v1", "v2"):
        world.maker.image(tag.encode(), tag=tag)
    world.handle()
    _gone(world, "v2")
    world.handle()
    assert _tags(tmp_path, "sejong") == {"v1", "v2"}


def test_a_tag_that_vanished_goes_where_the_mirror_says_so_and_its_image_stays(
    tmp_path: Path, file_database: Database
) -> None:
    """Only the tag; another tag of the same image, and the image by its digest, stay."""
    world = World(tmp_path, file_database, deleted="delete")
    made = world.maker.image(b"one", tag="v1")
    world.maker.image(b"one", tag="also-v1")
    world.handle()
    _gone(world, "v1")
    world.clock.moment += timedelta(minutes=5)
    report = mirroring.run(world.context, Request(dry_run=True))
    assert {(one.reference, one.state) for one in report.results if one.reference == "v1"} == {("v1", State.BEHIND)}
    assert _tags(tmp_path, "sejong") == {"v1", "also-v1"}
    world.handle()
    for site in ("sejong", "daegu"):
        assert _tags(tmp_path, site) == {"also-v1"}
        assert new_store(tmp_path / site).resolve("pay/api", made.digest) is not None
    assert set(world.states()) == {("also-v1", "sejong"), ("also-v1", "daegu")}


def test_many_tags_that_vanish_at_once_are_held(tmp_path: Path, file_database: Database) -> None:
    """A source that lost its tags: they are shown as held at every pass, and go when a person raises the bound."""
    world = World(tmp_path, file_database, deleted="delete", deletions={"most": "25%"})
    for number in range(8):
        world.maker.image(b"%d" % number, tag=f"v{number}")
    world.handle()
    _gone(world, "v0", "v1", "v2")
    for _ in range(2):
        world.handle()
        held = {reference for (reference, _), state in world.states().items() if state == "held"}
        assert held == {"v0", "v1", "v2"}
    assert _tags(tmp_path, "sejong") == {f"v{number}" for number in range(8)}
    relaxed = World(tmp_path, file_database, deleted="delete", deletions={"most": "50%"})
    relaxed.handle()
    assert _tags(tmp_path, "sejong") == {f"v{number}" for number in range(3, 8)}


def test_what_another_source_has_is_not_taken_away_for_one_that_lacks_it(
    tmp_path: Path, file_database: Database
) -> None:
    """Two mirrors bring one repository to one site, from two places; only the first takes tags away."""
    world = World(tmp_path, file_database, deleted="delete", deletions={"most": "100%"})
    other = _mirror(sites=["sejong"], source={"url": "https://vendor.example"}, tags=["x*", "y*"])
    world.topology = replace(world.topology, image_mirrors={**world.topology.image_mirrors, "vendor": other})
    vendor = Maker(store=new_store(tmp_path / "elsewhere"), repository="pay/api")
    for tag in ("v1", "v2", "x1"):
        world.maker.image(tag.encode(), tag=tag)
    vendor.image(b"y1", tag="y1")
    for _ in range(2):
        world.handle()
        assert _tags(tmp_path, "sejong") == {"v1", "v2", "x1", "y1"}
    _gone(world, "v1", "x1")
    world.handle()
    assert _tags(tmp_path, "sejong") == {"v2", "x1", "y1"}, "x1 may be the vendor's"
    assert _tags(tmp_path, "daegu") == {"v2"}


def test_a_tag_that_comes_back_while_others_are_brought_is_not_taken_away(
    tmp_path: Path, file_database: Database
) -> None:
    """The source listed none when it was asked; its push is waiting when images are brought, and is brought."""
    world = World(tmp_path, file_database, deleted="delete", deletions={"most": "100%"})
    world.maker.image(b"one", tag="v1")
    world.maker.image(b"two", tag="v2")
    world.handle()
    _gone(world, "v1")
    world.maker.image(b"three", tag="v3")
    queue = Queue(world.context.database, working=settings.Working())

    def push(method: str, _about: str) -> None:
        if method == "read_blob":
            world.maker.image(b"one, again", tag="v1")
            with world.context.database.write() as connection:
                queue.enqueue(connection, work.mirror_images("pay/api", references=("v1",), urgent=True))

    world.doors.stores["seoul"].hook = push
    world.context = replace(world.context, bounds=Bounds(few=1, batch=1))
    for number in range(4, 8):
        world.maker.image(b"%d" % number, tag=f"v{number}")
    world.handle()
    assert "v1" in _tags(tmp_path, "sejong")
    assert world.states()["v1", "sejong"] == "equal"


def test_a_tag_that_is_not_ours_is_never_taken_away(tmp_path: Path, file_database: Database) -> None:
    """Made at the site, moved at the site, immutable, or no longer chosen by the mirror's rules: all stay."""
    world = World(tmp_path, file_database, deleted="delete", deletions={"most": "100%"}, immutable=["fixed"])
    for tag in ("moved", "fixed", "v1"):
        world.maker.image(tag.encode(), tag=tag)
    world.handle()
    own = Maker(store=new_store(tmp_path / "sejong"), repository="pay/api")
    own.image(b"made here", tag="local")
    own.image(b"moved here", tag="moved")
    _gone(world, "moved", "fixed", "v1")
    narrowed = World(
        tmp_path,
        file_database,
        deleted="delete",
        deletions={"most": "100%"},
        immutable=["fixed"],
        tags=["moved", "fixed"],
    )
    narrowed.maker.image(b"still", tag="other")
    narrowed.handle()
    assert _tags(tmp_path, "sejong") == {"moved", "fixed", "v1", "local"}
    held = {key[0] for key, state in narrowed.states().items() if state == "held" and key[1] == "sejong"}
    assert held == {"moved", "fixed"}


def test_nothing_is_taken_away_towards_a_site_that_is_the_truth_now(tmp_path: Path, file_database: Database) -> None:
    """A stance holds deletions as it holds writes."""
    world = World(tmp_path, file_database, deleted="delete")
    for tag in ("v1", "v2"):
        world.maker.image(tag.encode(), tag=tag)
    world.handle()
    _gone(world, "v2")
    world.stances = {**world.stances, "seoul-sejong": Stance.SWITCHED}
    world.handle()
    assert _tags(tmp_path, "sejong") == {"v1", "v2"}
    assert _tags(tmp_path, "daegu") == {"v1"}


# --- rules that mean nothing


def test_a_tag_that_is_named_and_not_there_is_told_beside_the_others(tmp_path: Path, file_database: Database) -> None:
    """A letter too few is never told as equal; where a pattern names the repository, the tag may be lacking."""
    world = World(tmp_path, file_database, repositories=["pay/api"], tags=["v1", "lates", "x*"])
    world.maker.image(b"layer", tag="v1")
    report = mirroring.run(world.context, Request(site="daegu"))
    assert {one.reference: one.state for one in report.results} == {"v1": State.EQUAL, "lates": State.FAILED}
    assert "has no whole lates. Push it there again, or mend the mirror." in report.results[0].detail
    assert report.exit_code == 2
    for spec in ({"repositories": ["pay/*"]}, {"repositories": ["pay/api"], "deleted": "delete"}):
        world = World(tmp_path / str(len(spec)), file_database, tags=["v1", "lates"], **spec)
        world.maker.image(b"layer", tag="v1")
        assert mirroring.run(world.context, Request(site="daegu")).exit_code == 0


@pytest.mark.parametrize("repositories", [["pay/api"], ["pay/*"]], ids=["named", "pattern"])
@pytest.mark.parametrize("name", ["", "pay", "pay/api"])
def test_rules_that_choose_nothing_are_told(
    tmp_path: Path, file_database: Database, repositories: list[str], name: str
) -> None:
    """A range that no version is in brings nothing, and that is no success."""
    world = World(tmp_path, file_database, repositories=repositories, versions=">9")
    world.maker.image(b"layer", tag="v1")
    report = mirroring.run(world.context, Request(), name=name)
    assert report.exit_code == 2
    assert {one.site for one in report.results} == {"sejong", "daegu"}
    (said,) = {one.detail.partition(" has ")[2] for one in report.results}
    assert said == ("no tag of pay/api that the ImageMirror pay means. Look at its tags, versions and expression.")


def test_sites_that_do_not_open_are_not_taken_for_rules_that_choose_nothing(
    tmp_path: Path, file_database: Database
) -> None:
    """What is wrong is told, and not what is right."""
    world = World(tmp_path, file_database, repositories=["pay/api"])
    world.maker.image(b"layer", tag="v1")
    for site in ("sejong", "daegu"):
        world.doors.closed[site] = errors.UnreachableError("It does not open.")
    assert {one.detail for one in mirroring.run(world.context, Request()).results} == {"It does not open."}


# --- one image that cannot be had


def test_an_image_without_a_wanted_platform_holds_up_no_other(tmp_path: Path, file_database: Database) -> None:
    """Repositories of vendors have images for one system beside those for another."""
    world = World(tmp_path, file_database, platforms=["linux/amd64"])
    world.maker.image(b"plain", tag="v1")
    foreign = world.maker.image(b"foreign")
    world.maker.index([_platform(foreign, "s390x")], tag="v2")
    report = mirroring.run(world.context, Request(site="daegu"))
    assert {one.reference: one.state for one in report.results} == {"v1": State.EQUAL, "v2": State.FAILED}
    assert "has nothing for linux/amd64" in report.results[1].detail
    assert world.doors.images("daegu").resolve("pay/api", "v1") is not None


@pytest.mark.parametrize("place", ["seoul", "daegu"])
def test_an_image_that_a_registry_gives_to_nobody_holds_up_no_other(
    tmp_path: Path, file_database: Database, place: str
) -> None:
    """Harbor and Artifactory refuse an image in which their scanners found something: at the source, or at a site."""
    world = World(tmp_path, file_database, platforms=["linux/amd64"])  # so that each tag is asked for by itself
    for tag in ("v1", "v2"):
        world.maker.image(tag.encode(), tag=tag)

    def refuse(method: str, about: str) -> None:
        if method == "resolve" and "v2" in about:
            raise errors.RefusedError("It has vulnerabilities.")

    world.doors.images(place)
    world.doors.stores[place].hook = refuse
    report = mirroring.run(world.context, Request(site="daegu"))
    assert {one.reference: (one.state, one.detail) for one in report.results} == {
        "v1": (State.EQUAL, ""),
        "v2": (State.REFUSED, "It has vulnerabilities."),
    }


# --- platforms


def _platform(made: ends.Descriptor, architecture: str, variant: str = "", **annotations: str) -> ends.Descriptor:
    platform = {"architecture": architecture, "os": "linux" if architecture != "unknown" else "unknown"}
    return ends.Descriptor(
        media_type=made.media_type,
        digest=made.digest,
        size=made.size,
        platform={**platform, **({"variant": variant} if variant else {})},
        annotations=annotations,
    )


def test_a_site_gets_the_platforms_that_it_wants_and_every_site_the_same_digest(
    tmp_path: Path, file_database: Database
) -> None:
    """The other platforms are neither named nor read; an attestation stays with what it is about."""
    world = World(tmp_path, file_database, platforms=["linux/amd64", "linux/arm/v7"])
    one, two, old, new = (world.maker.image(name, child=True) for name in (b"amd64", b"s390x", b"armv6", b"armv7"))
    proof = world.maker.artifact(None, b"about amd64")
    other = world.maker.artifact(None, b"about s390x")
    world.maker.index(
        [
            _platform(one, "amd64"),
            _platform(two, "s390x"),
            _platform(old, "arm", "v6"),
            _platform(new, "arm", "v7"),
            _platform(proof, "unknown", **{"vnd.docker.reference.digest": one.digest}),
            _platform(other, "unknown", **{"vnd.docker.reference.digest": two.digest}),
        ],
        tag="v1",
    )
    plain = world.maker.image(b"plain", tag="plain")
    world.handle()
    found = {site: new_store(tmp_path / site).tags("pay/api") or {} for site in ("sejong", "daegu")}
    assert found["sejong"] == found["daegu"]
    assert found["sejong"]["plain"] == plain.digest
    store = new_store(tmp_path / "sejong")
    index = store.manifest("pay/api", found["sejong"]["v1"])
    assert index is not None
    assert [entry["digest"] for entry in orjson.loads(index.raw)["manifests"]] == [one.digest, new.digest, proof.digest]
    assert not store.has_blob("pay/api", images.blob(b"s390x"))
    for watched in world.doors.stores.values():
        watched.calls.clear()
    world.handle()
    assert set(world.states().values()) == {"equal"}
    assert world.doors.stores["seoul"].count("manifest") == 0  # what the index became is remembered


def test_an_index_of_wanted_platforms_only_stays_as_it_is(tmp_path: Path) -> None:
    """Its digest is the source's, so that its signatures hold."""
    maker = Maker(store=new_store(tmp_path), repository="pay/api")
    made = maker.platforms(b"layer", tag="v1")
    view = platforms.Narrowed(inner=maker.store, platforms=["linux/amd64", "linux/arm64"])
    assert view.resolve("pay/api", "v1") == made
    assert view.manifest("pay/api", made.digest) == maker.store.manifest("pay/api", made.digest)


def test_an_image_without_a_wanted_platform_is_an_error(tmp_path: Path) -> None:
    """It is said, and never taken for mirrored."""
    maker = Maker(store=new_store(tmp_path), repository="pay/api")
    maker.platforms(b"layer", tag="v1")
    with pytest.raises(errors.NotFoundError, match="has nothing for windows/amd64"):
        platforms.Narrowed(inner=maker.store, platforms=["windows/amd64"]).resolve("pay/api", "v1")


def test_an_image_without_a_wanted_platform_keeps_no_other_from_the_sites(
    tmp_path: Path, file_database: Database
) -> None:
    """Somebody pushed one for another machine: it says so, under its tag, and the rest goes on."""
    world = World(tmp_path, file_database, platforms=["linux/amd64"])
    world.maker.platforms(b"layer", tag="v1")
    other = replace(world.maker.image(b"mainframe", child=True), platform={"os": "linux", "architecture": "s390x"})
    world.maker.index([other], tag="v2")
    world.handle()
    assert world.states() == {
        (tag, site): state for tag, state in (("v1", "equal"), ("v2", "failed")) for site in ("sejong", "daegu")
    }
    assert "has nothing for linux/amd64" in world.rows()["v2", "sejong"].detail


def test_more_indexes_than_are_remembered_are_brought_all_the_same(
    tmp_path: Path, file_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first of them became is forgotten before it is sent, and is found out again."""
    monkeypatch.setattr(platforms, "_MOST_KEPT", 3)
    world = World(tmp_path, file_database, platforms=["linux/amd64"])
    for number in range(10):
        world.maker.platforms(b"%d" % number, tag=f"v{number}")
    for _ in range(2):
        world.handle()
        assert set(world.states().values()) == {"equal"}
    assert _tags(tmp_path, "sejong") == {f"v{number}" for number in range(10)}


# --- what is added later


def test_a_signature_that_is_added_to_an_equal_image_arrives(tmp_path: Path) -> None:
    """With ``referrers``, one question more for each image and end; then nothing again."""
    with mini_registry.serve() as source, mini_registry.serve() as site:
        maker = Maker(store=source.store(), repository="pay/api")
        made = maker.image(b"layer", tag="v1")
        sites = {"sejong": site.store()}
        order = Order(repository="pay/api", source=source.store(), sites=sites, references={"v1": ""}, referrers=True)
        assert {one.state for one in mirror(order)} == {State.EQUAL}
        signature = maker.artifact(made, b"signature")
        assert {one.state for one in mirror(order)} == {State.EQUAL}
        assert [one.digest for one in site.store().referrers("pay/api", made.digest)] == [signature.digest]
        for registry in (source, site):
            registry.asked.clear()
        mirror(order)
        for registry in (source, site):
            assert [(one.method, one.path.split("/")[4]) for one in registry.asked] == [
                ("HEAD", "manifests"),
                ("GET", "referrers"),
            ]
