"""Images reach every site: whole, read once, tags last; and what goes wrong at one site stays there."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.sites.layout import LayoutStore
from lockstep.sites.line import Pace
from sync.fan import Bounds
from sync.mirror import Listening, Order, Result, mirror
from sync.states import State
from sync.stock import verify
from tests.support import images, killing
from tests.support.images import Maker, new_store
from tests.support.stores import Watched

SITES = ("busan", "daegu", "sejong")
MIB = 2**20


class World:
    """A source and three sites, all layouts, all watched."""

    def __init__(self, root: Path) -> None:
        self.source = Watched(new_store(root / "source"))
        self.sites = {site: Watched(new_store(root / site)) for site in SITES}
        self.maker = Maker(store=self.source.inner, repository="pay/api")

    def order(self, *references: str, **changes: object) -> Order:
        """Everything that the source has, or some of it, to all sites."""
        listed = self.source.inner.tags("pay/api") or {}
        order = Order(
            repository="pay/api",
            source=self.source,
            sites=self.sites,
            references=dict.fromkeys(references, "") or listed,
        )
        return replace(order, **changes)  # type: ignore[arg-type]  # the names and types are those of Order

    def whole(self, site: str, digest: str) -> bool:
        """Whether a site has an image, every byte of it."""
        return verify(self.sites[site].inner, "pay/api", digest, read=True).whole

    def forget_calls(self) -> None:
        """Count from here."""
        for store in (self.source, *self.sites.values()):
            store.calls.clear()
            store.order.clear()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty source and three empty sites."""
    return World(tmp_path)


def _states(results: Sequence[Result]) -> set[tuple[str, State]]:
    return {(result.site, result.state) for result in results}


ALL_EQUAL = {(site, State.EQUAL) for site in SITES}


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_one_of_everything_arrives_at_every_site(world: World, algorithm: str) -> None:
    """Each shape of image is whole at each site, its signatures too, and each blob was read once for all sites."""
    made = images.corpus(replace(world.maker, algorithm=algorithm))
    results = mirror(world.order())
    assert _states(results) == ALL_EQUAL
    for site in SITES:
        store = world.sites[site].inner
        assert store.tags("pay/api") == world.source.inner.tags("pay/api")
        assert all(world.whole(site, one.digest) for one in made.values())
        for signed in ("platforms", "<signature>"):
            assert store.referrers("pay/api", made[signed].digest) == world.source.inner.referrers(
                "pay/api", made[signed].digest
            )
    reads = {about: n for (method, about), n in world.source.calls.items() if method == "read_blob"}
    assert set(reads.values()) == {1}


def test_mirroring_twice_sends_nothing_the_second_time(world: World) -> None:
    """Equal tags cost one listing at each end: nothing is read, nothing is written."""
    images.corpus(world.maker)
    mirror(world.order())
    world.forget_calls()
    results = mirror(world.order())
    assert _states(results) == ALL_EQUAL
    assert all(result.size == 0 for result in results)
    assert world.source.calls == {}
    for store in world.sites.values():
        assert dict(store.calls) == {("tags", "pay/api"): 1}


def test_a_few_equal_references_cost_one_question_at_each_end(world: World) -> None:
    """A push of one tag asks the source once, and each site once."""
    world.maker.platforms(b"layer", tag="v1")
    mirror(world.order("v1"))
    world.forget_calls()
    mirror(world.order("v1"))
    for store in (world.source, *world.sites.values()):
        assert dict(store.calls) == {("resolve", "v1"): 1}


def test_the_tag_comes_last(world: World) -> None:
    """At each site everything that belongs to the image is written before its tag."""
    signed = world.maker.platforms(b"layer", tag="v1")
    world.maker.artifact(signed, b"signature")
    mirror(world.order())
    for store in world.sites.values():
        assert store.writes[-1] == ("write_manifest", "v1")
        assert store.count("commit") == len({about for method, about in store.writes if method == "commit"})


def test_a_moved_tag_moves_and_the_old_image_stays(world: World) -> None:
    """What a site may still run is still there by its digest."""
    old = world.maker.image(b"old", tag="v1")
    mirror(world.order())
    new = world.maker.image(b"new", tag="v1")
    assert _states(mirror(world.order())) == ALL_EQUAL
    for site in SITES:
        assert world.sites[site].inner.tags("pay/api") == {"v1": new.digest}
        assert world.whole(site, old.digest)


def test_a_digest_is_mirrored_without_any_tag(world: World) -> None:
    """A deploy names digests: they arrive, and survive a collection."""
    made = world.maker.platforms(b"layer", tag="v1")
    assert _states(mirror(world.order(made.digest))) == ALL_EQUAL
    for site in SITES:
        store = world.sites[site].inner
        assert isinstance(store, LayoutStore)
        assert store.tags("pay/api") == {}
        assert store.collect("pay/api").digests == ()
        assert world.whole(site, made.digest)


def test_what_the_source_does_not_have_is_a_failure_and_never_equal(world: World) -> None:
    """An absent tag is told for every site."""
    world.maker.image(tag="v1")
    results = mirror(world.order("v1", "v2"))
    assert {(one.reference, one.state) for one in results} == {("v1", State.EQUAL), ("v2", State.FAILED)}


def test_a_held_site_is_not_even_asked(world: World) -> None:
    """A site that is the truth now is left alone, and said to be held, with the reason."""
    world.maker.image(tag="v1")
    sites = {site: store for site, store in world.sites.items() if site != "sejong"}
    results = mirror(world.order("v1", sites=sites, held={"sejong": "the pair is switched"}))
    assert _states(results) == {("busan", State.EQUAL), ("daegu", State.EQUAL), ("sejong", State.HELD)}
    assert world.sites["sejong"].calls == {}
    assert [one.detail for one in results if one.site == "sejong"] == ["the pair is switched"]


def test_a_dry_run_says_what_it_would_send_and_writes_nothing(world: World) -> None:
    """The bytes that are lacking are counted; no directory appears at any site."""
    made = world.maker.image(b"x" * 1000, tag="v1")
    world.maker.image(b"x" * 1000, b"y" * 500, tag="v2")
    mirror(world.order("v1", sites={"busan": world.sites["busan"]}))
    world.forget_calls()
    results = mirror(world.order(dry_run=True))
    assert {(one.reference, one.site, one.state) for one in results} == {
        ("v1", "busan", State.EQUAL),
        ("v2", "busan", State.BEHIND),
        ("v1", "daegu", State.BEHIND),
        ("v2", "daegu", State.BEHIND),
        ("v1", "sejong", State.BEHIND),
        ("v2", "sejong", State.BEHIND),
    }
    sizes = {(one.reference, one.site): one.size for one in results}
    assert 500 < sizes["v2", "busan"] < 1500 < sizes["v1", "daegu"] + sizes["v2", "daegu"]
    assert all(store.writes == [] and store.count("writing") == 0 for store in world.sites.values())
    assert world.sites["daegu"].inner.repositories() == []
    assert made.size > 0


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (errors.UnreachableError("It does not answer."), State.UNREACHABLE),
        (errors.ThrottledError("Not now."), State.UNREACHABLE),
        (errors.ForbiddenError("We may not."), State.REFUSED),
        (errors.IntegrityError("It says the bytes are wrong."), State.FAILED),
    ],
)
@pytest.mark.parametrize("method", ["tags", "writing", "has_blob", "write_blob", "write", "commit", "write_manifest"])
def test_what_goes_wrong_at_one_site_stays_there(
    world: World, method: str, error: errors.LockstepError, state: State
) -> None:
    """The others are served; the one says why it is not, shows no tag, and holds no part of a blob."""

    def fail(called: str, _about: str) -> None:
        if called == method:
            raise error

    made = [world.maker.platforms(b"layer", tag="v0")]
    made += [world.maker.image(tag=f"v{n}", architecture=f"cpu{n}") for n in range(1, 10)]  # so many are listed
    world.sites["daegu"].hook = fail
    results = mirror(world.order())
    assert _states(results) == {("busan", State.EQUAL), ("daegu", state), ("sejong", State.EQUAL)}
    assert all(error.message in one.detail for one in results if one.site == "daegu")
    assert world.sites["daegu"].inner.tags("pay/api") in (None, {})
    assert all(world.whole(site, one.digest) for site in ("busan", "sejong") for one in made)
    world.sites["daegu"].hook = lambda *_: None
    assert _states(mirror(world.order())) == ALL_EQUAL


def test_a_slow_site_does_not_hold_up_the_others(world: World) -> None:
    """While one site takes no bytes the others get all of theirs; then the slow one is served by itself."""
    made = world.maker.image(bytes(4 * MIB), b"small", tag="v1")
    others_done = threading.Event()
    equal: set[str] = set()

    def watch(results: Sequence[Result]) -> None:
        equal.update(one.site for one in results if one.state is State.EQUAL)
        if {"busan", "sejong"} <= equal:
            others_done.set()

    def stall(method: str, _about: str) -> None:
        if method == "write":
            assert others_done.wait(60), "the others waited for the slow site"

    world.sites["daegu"].hook = stall
    bounds = Bounds(buffer_bytes=MIB, patience_seconds=0.05)
    results = mirror(world.order(bounds=bounds, listening=Listening(results=watch)))
    assert _states(results) == ALL_EQUAL
    assert all(world.whole(site, made.digest) for site in SITES)


def test_a_blob_larger_than_memory_allows_goes_straight_through(world: World) -> None:
    """Copying takes the buffers and a few chunks, whatever the size of the layer."""
    world.maker.image(bytes(64 * MIB), tag="v1")
    tracemalloc.start()
    try:
        results = mirror(world.order(bounds=Bounds(buffer_bytes=2 * MIB, patience_seconds=60)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert _states(results) == ALL_EQUAL
    assert peak < 24 * MIB


def test_progress_ends_where_it_was_announced(world: World) -> None:
    """Bytes done never exceed bytes known, only grow, and meet at the end."""
    images.corpus(world.maker)
    seen: list[tuple[int, int]] = []
    mirror(world.order(listening=Listening(progress=lambda done, total: seen.append((done, total)))))
    assert all(done <= total for done, total in seen)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1] > 0


def test_a_damaged_layer_at_the_source_reaches_no_site(world: World) -> None:
    """The image fails everywhere, with the place of the damage; other images are not held up."""
    world.maker.image(b"good", tag="good")
    world.maker.image(b"right", tag="bad")
    source = world.source.inner
    assert isinstance(source, LayoutStore)
    path = source.root / "pay/api/blobs" / images.digest(b"right").replace(":", "/")
    path.write_bytes(b"wrong")
    results = mirror(world.order())
    assert {(one.reference, one.state) for one in results} == {("good", State.EQUAL), ("bad", State.FAILED)}
    assert all(str(path) in one.detail for one in results if one.reference == "bad")
    for store in world.sites.values():
        assert set(store.inner.tags("pay/api") or {}) == {"good"}
        assert not store.inner.has_blob("pay/api", images.blob(b"right"))


def test_an_image_without_all_of_its_platforms_is_not_mirrored(world: World) -> None:
    """An index that names what the source does not have is a failure at every site, before anything is sent."""
    world.maker.platforms(b"layer", tag="v1")
    source = world.source.inner
    assert isinstance(source, LayoutStore)
    root = source.manifest("pay/api", (source.tags("pay/api") or {})["v1"])
    assert root is not None
    child = oci.contents(root).children[1]
    (source.root / "pay/api/blobs" / child.digest.replace(":", "/")).unlink()
    results = mirror(world.order())
    assert {one.state for one in results} == {State.FAILED}
    assert all(child.digest in one.detail for one in results)
    assert all(store.writes == [] for store in world.sites.values())


def test_a_hole_that_a_site_did_not_know_of_is_filled(world: World) -> None:
    """A site that has a platform's manifest and lost its layer refuses the index; then nothing is taken for granted."""
    made = world.maker.platforms(b"layer", tag="v1")
    root = world.source.inner.manifest("pay/api", made.digest)
    assert root is not None
    child = oci.contents(root).children[0].digest
    mirror(world.order(child))
    site = world.sites["daegu"].inner
    assert isinstance(site, LayoutStore)
    (site.root / "pay/api/blobs" / images.digest(b"layer").replace(":", "/")).unlink()
    assert _states(mirror(world.order("v1"))) == ALL_EQUAL
    assert world.whole("daegu", made.digest)


def test_looking_deep_mends_what_seemed_equal(world: World) -> None:
    """A layer, a manifest or a signature that is missing under an equal tag is found and sent, and only then."""
    made = world.maker.platforms(b"layer", tag="v1")
    mirror(world.order())
    site = world.sites["daegu"].inner
    assert isinstance(site, LayoutStore)
    (site.root / "pay/api/blobs" / images.digest(b"layer").replace(":", "/")).unlink()
    late = world.maker.artifact(made, b"signed later")
    assert _states(mirror(world.order())) == ALL_EQUAL
    assert not world.whole("daegu", made.digest), "an equal tag is trusted"
    results = mirror(world.order(deep=True))
    assert _states(results) == ALL_EQUAL
    assert world.whole("daegu", made.digest)
    for store in world.sites.values():
        assert [one.digest for one in store.inner.referrers("pay/api", made.digest)] == [late.digest]
    world.forget_calls()
    assert _states(mirror(world.order(deep=True))) == ALL_EQUAL
    assert all(store.writes == [] for store in world.sites.values())


def test_looking_deep_finds_whatever_part_of_an_image_a_site_has_lost(world: World) -> None:
    """One after another: manifests, configurations, layers, signatures and what signs them; a dry run says so too."""
    made = world.maker.platforms(b"layer", tag="v1")
    signature = world.maker.artifact(made, b"signed")
    world.maker.artifact(signature, b"countersigned")
    mirror(world.order())
    site = world.sites["daegu"].inner
    assert isinstance(site, LayoutStore)
    parts = sorted((site.root / "pay/api/blobs/sha256").iterdir())
    assert len(parts) == 13
    for part in parts:
        data = part.read_bytes()
        part.unlink()
        foreseen = {one.site: one.state for one in mirror(world.order(deep=True, dry_run=True))}
        assert foreseen == {"busan": State.EQUAL, "daegu": State.BEHIND, "sejong": State.EQUAL}, part.name
        assert _states(mirror(world.order(deep=True))) == ALL_EQUAL
        assert part.read_bytes() == data


def test_a_site_whose_index_lies_is_mended(world: World) -> None:
    """A tag that names nothing whole, or two things, is written again."""
    world.maker.image(b"one", tag="v1")
    world.maker.image(b"two", tag="v2")
    mirror(world.order())
    for name, lie in (("busan", {"size": 1}), ("daegu", {"annotations": {"org.opencontainers.image.ref.name": "v2"}})):
        store = world.sites[name].inner
        assert isinstance(store, LayoutStore)
        index = orjson.loads((store.root / "pay/api/index.json").read_bytes())
        index["manifests"][0] |= lie
        (store.root / "pay/api/index.json").write_bytes(orjson.dumps(index))
    assert _states(mirror(world.order())) == ALL_EQUAL
    expected = world.source.inner.tags("pay/api")
    assert all(watched.inner.tags("pay/api") == expected for watched in world.sites.values())


def test_content_that_a_descriptor_carries_is_written_from_there(world: World) -> None:
    """The blob need not be read from the source for it."""
    config = world.maker.put(b"{}", oci.OCI_CONFIG)
    body = {"config": oci.as_json(replace(config, data=b"{}")), "layers": []}
    made = world.maker.manifest(body, oci.OCI_MANIFEST, tag="v1")
    assert _states(mirror(world.order())) == ALL_EQUAL
    assert world.source.count("read_blob") == 0
    assert all(world.whole(site, made.digest) for site in SITES)


@pytest.mark.parametrize("there", [True, False])
def test_layers_that_live_elsewhere_are_sent_when_the_source_has_them(world: World, there: bool) -> None:
    """What the source holds the sites get, so that they start without the network; what it leaves out stays out."""
    config = world.maker.put(b"{}", oci.OCI_CONFIG)
    foreign = images.blob(b"foreign", images.FOREIGN_LAYER, urls=("https://layers.example/one",))
    if there:
        world.maker.put(b"foreign", images.FOREIGN_LAYER)
    body = {"config": oci.as_json(config), "layers": [oci.as_json(foreign)]}
    world.maker.manifest(body, oci.OCI_MANIFEST, tag="v1")
    assert _states(mirror(world.order())) == ALL_EQUAL
    assert all(store.inner.has_blob("pay/api", foreign) is there for store in world.sites.values())


def test_more_images_than_one_batch_arrive(world: World) -> None:
    """Batches bound what is held in memory, and what they share is still read once."""
    for number in range(30):
        world.maker.image(b"shared", f"own {number}".encode(), tag=f"v{number}")
    assert _states(mirror(world.order(bounds=Bounds(batch=7)))) == ALL_EQUAL
    assert world.source.calls["read_blob", images.digest(b"shared")] == 1
    assert all(len(store.inner.tags("pay/api") or {}) == 30 for store in world.sites.values())


def test_what_was_planned_is_forgotten_now_and_then_and_still_read_once(world: World) -> None:
    """However many images there are, what is remembered of them stays small; what a site has it is asked about."""
    for number in range(9):
        world.maker.platforms(b"shared", tag=f"v{number}")
    assert _states(mirror(world.order(bounds=Bounds(few=1, remembered=2)))) == ALL_EQUAL
    assert world.source.calls["read_blob", images.digest(b"shared")] == 1


def test_a_tag_that_stays_at_one_site_is_brought_to_the_others_alone(world: World) -> None:
    """An immutable tag that names something else there is held, whatever else goes to that site."""
    old = world.maker.image(b"old", tag="v1")
    mirror(world.order(sites={"sejong": world.sites["sejong"]}))
    new = world.maker.image(b"new", tag="v1")
    world.maker.image(b"other", tag="v2")
    results = mirror(world.order(immutable=lambda reference: reference == "v1"))
    tags = {site: (store.inner.tags("pay/api") or {})["v1"] for site, store in world.sites.items()}
    assert tags == {"busan": new.digest, "daegu": new.digest, "sejong": old.digest}
    assert [one.site for one in results if one.state is State.HELD] == ["sejong"]
    assert not world.sites["sejong"].inner.has_blob("pay/api", images.blob(b"new")), "it is not even sent there"


@pytest.mark.chaos
def test_killed_while_it_mirrors_no_tag_is_ever_incomplete(world: World) -> None:
    """At whichever step it dies, each tag at each site is whole or absent, and the next run finishes the rest."""
    for number in range(3):
        world.maker.platforms(b"shared", f"layer {number}".encode(), tag=f"v{number}")
    died = 0
    for die_at in range(1, 100_000, 89):
        child = killing.Forked(_mirroring(world), die_at=die_at)
        if child.wait() == 0:
            break
        died += 1
        for site, store in world.sites.items():
            assert all(world.whole(site, digest) for digest in (store.inner.tags("pay/api") or {}).values())
    assert died > 3
    assert _states(mirror(world.order())) == ALL_EQUAL
    for site in SITES:
        layouts = world.sites[site].inner
        assert isinstance(layouts, LayoutStore)
        assert {path.name for path in (layouts.root / "pay/api").iterdir()} == {"blobs", "index.json", "oci-layout"}


def _mirroring(world: World) -> Callable[[], None]:
    return lambda: _require(_states(mirror(world.order())) == ALL_EQUAL)


def _require(fact: bool) -> None:
    assert fact


@pytest.mark.chaos
def test_two_mirrors_of_one_repository_do_not_disturb_each_other(world: World) -> None:
    """Two processes that bring the same images to the same sites both find them equal."""
    for number in range(8):
        world.maker.platforms(b"shared", f"layer {number}".encode(), tag=f"v{number}")
    with killing.Forked(_mirroring(world)) as one, killing.Forked(_mirroring(world)) as other:
        assert (one.wait(), other.wait()) == (0, 0)
    assert all(store.inner.tags("pay/api") == world.source.inner.tags("pay/api") for store in world.sites.values())


@pytest.mark.parametrize("hurt", ["manifest", "child", "config", "layer"])
def test_a_proof_names_what_is_missing(world: World, hurt: str) -> None:
    """An image is whole when its manifest, those below it, every config and every layer are there."""
    made = world.maker.platforms(b"layer", tag="v1")
    store = world.source.inner
    assert isinstance(store, LayoutStore)
    proof = verify(store, "pay/api", made.digest)
    assert (proof.whole, proof.manifests, proof.blobs) == (True, 3, 5)
    root = store.manifest("pay/api", made.digest)
    assert root is not None
    child = oci.contents(root).children[0]
    below = store.manifest("pay/api", child.digest)
    assert below is not None
    config, layer = oci.contents(below).blobs[:2]
    victim: ends.Descriptor = {"manifest": made, "child": child, "config": config, "layer": layer}[hurt]
    (store.root / "pay/api/blobs" / victim.digest.replace(":", "/")).unlink()
    proof = verify(store, "pay/api", made.digest)
    assert not proof.whole
    assert victim.digest in proof.missing[0]


def test_a_proof_that_reads_finds_bytes_that_changed(world: World) -> None:
    """Presence is a matter of names and sizes; reading proves the content."""
    made = world.maker.image(b"right", tag="v1")
    store = world.source.inner
    assert isinstance(store, LayoutStore)
    (store.root / "pay/api/blobs" / images.digest(b"right").replace(":", "/")).write_bytes(b"wrong")
    assert verify(store, "pay/api", made.digest).whole
    assert verify(store, "pay/api", made.digest, read=True).missing == (images.digest(b"right"),)


def test_a_site_that_does_not_answer_proves_nothing(world: World) -> None:
    """Silence is an error, never an empty list of what is missing."""
    made = world.maker.image(tag="v1")

    def fail(_method: str, _about: str) -> None:
        raise errors.UnreachableError("It does not answer.")

    world.source.hook = fail
    with pytest.raises(errors.UnreachableError):
        verify(world.source, "pay/api", made.digest)


def test_what_somebody_waits_for_overtakes_the_rest(world: World) -> None:
    """Over a slow line: wanted before anything else, asked for again between batches, newcomers brought as well."""
    made = {f"v{number}": world.maker.image(b"%d" % number, tag=f"v{number}") for number in range(6)}
    site, asked = world.sites["sejong"], iter([[made["v5"].digest], ["v4", "late"]])
    bounds = Bounds(streams=1, small=1, lines={"sejong": Pace(1e9)})
    order = world.order(sites={"sejong": site}, bounds=bounds, wanted=lambda: next(asked, ()))
    late = world.maker.image(b"pushed since", tag="late")
    results = mirror(order)
    tags = [about for method, about in site.order if method == "write_manifest"]
    assert (tags[0], set(tags[1:3])) == ("v5", {"late", "v4"})
    assert sorted(tags) == ["late", *sorted(made)]
    assert {(one.reference, one.digest, one.state) for one in results} == {
        (tag, one.digest, State.EQUAL) for tag, one in {**made, "late": late}.items()
    }


def test_a_new_tag_of_an_image_that_is_under_way_arrives_too(world: World) -> None:
    """It was pushed since, and somebody waits for it: nothing but the tag is written then."""
    made = world.maker.image(b"layer", tag="v1")
    world.maker.image(b"other", tag="v2")
    order = world.order()
    store = world.source.inner.manifest("pay/api", made.digest)
    assert store is not None
    world.source.inner.write_manifest("pay/api", store, tag="late")
    asked = iter([["v1"], ["late"]])
    results = mirror(replace(order, wanted=lambda: next(asked, ()), bounds=Bounds(few=1)))
    assert {(one.reference, one.state) for one in results} == {(tag, State.EQUAL) for tag in ("v1", "v2", "late")}
    for site in world.sites.values():
        assert (site.inner.tags("pay/api") or {})["late"] == made.digest
        assert site.calls["write_blob", images.digest(b"layer")] == 1


@pytest.mark.parametrize("streams", [1, 4])
def test_a_signature_under_its_own_tag_goes_before_the_image_that_somebody_waits_for(
    world: World, streams: int
) -> None:
    """What is wanted is not wanted unsigned, also where images are finished side by side."""
    for number in range(3):
        world.maker.image(b"%d" % number, tag=f"v{number}")
    made = world.maker.image(b"wanted", tag="v9")
    signature = f"{made.digest.replace(':', '-')}.sig"
    world.maker.artifact(None, b"signature", tag=signature)
    site = world.sites["sejong"]
    mirror(world.order(sites={"sejong": site}, wanted=lambda: ["v9"], bounds=Bounds(streams=streams, small=streams)))
    tags = [about for method, about in site.order if method == "write_manifest"]
    assert tags.index(signature) < tags.index("v9")
    assert streams > 1 or tags[:2] == [signature, "v9"]
