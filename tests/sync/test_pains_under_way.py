"""What users of other mirrors suffer from while bytes are on their way; the trackers that tell of it are named."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lockstep.sites import oci
from lockstep.sites.http.wire import Patience
from lockstep.store.database import Database
from sync.mirror import Order, mirror
from sync.platforms import Views
from sync.states import State
from tests.support import cosigned, images, mini_registry
from tests.support.images import Maker
from tests.support.mini_registry import Asked, Scripted
from tests.sync.test_images import World

NAME = "pay/api"


@pytest.fixture
def registries() -> Iterator[dict[str, Scripted]]:
    """A source and two sites."""
    with mini_registry.serve() as seoul, mini_registry.serve() as sejong, mini_registry.serve() as daegu:
        yield {"seoul": seoul, "sejong": sejong, "daegu": daegu}


def _order(registries: dict[str, Scripted], *tags: str, sejong: Patience | None = None) -> Order:
    patience = {"sejong": sejong} if sejong else {}
    stores = {name: one.store(patience=patience.get(name, Patience())) for name, one in registries.items()}
    source = stores.pop("seoul")
    return Order(repository=NAME, source=source, sites=stores, references=dict.fromkeys(tags, ""))


def _meeting(method: str, part: str, count: int) -> tuple[Callable[[Asked], None], threading.Event]:
    """A script in which so many requests wait for each other, and whether they met."""
    met, waiting = threading.Event(), itertools.count(1)

    def meet(asked: Asked) -> None:
        if asked.is_(method, part):
            if next(waiting) == count:
                met.set()
            met.wait(20)

    return meet, met


@pytest.mark.parametrize(("place", "method", "part"), [("seoul", "GET", "/blobs/"), ("sejong", "PUT", "/uploads/")])
def test_the_layers_of_one_image_take_several_lines_at_once(
    registries: dict[str, Scripted], place: str, method: str, part: str
) -> None:
    """harbor#20301: one stream, layer after layer, fills a tenth of a long line; users copy the storage instead."""
    Maker(store=registries["seoul"].store(), repository=NAME).image(*(b"%d" % one for one in range(4)), tag="v1")
    registries[place].script, met = _meeting(method, part, 4)
    assert {result.state for result in mirror(_order(registries, "v1"))} == {State.EQUAL}
    assert met.is_set()
    # HTTP/1.1 answers one request at a time on a connection: four that waited for each other had one each.
    asked = [one for one in registries[place].asked if one.is_(method, part)][:4]
    assert len({one.port for one in asked}) == 4


@pytest.mark.parametrize("size", [1_000, 24 * 2**20], ids=["small", "large"])
def test_an_upload_that_stalls_ends_with_its_name_and_the_others_finish(
    registries: dict[str, Scripted], size: int
) -> None:
    """ggcr#1766: a registry (ECR) takes no more bytes, or never answers, and the copy hangs without a word."""
    maker = Maker(store=registries["seoul"].store(), repository=NAME)
    stuck = images.blob(bytes(size))
    maker.image(bytes(size), tag="v1")
    maker.image(b"layer", tag="v2")
    over = threading.Event()
    begun: set[str] = set()

    def stall(asked: Asked) -> None:
        if asked.query.get("digest") == stuck.digest or asked.path in begun:
            begun.add(asked.path)
            over.wait(30)

    registries["sejong"].script = stall
    # Long enough for whatever is answered at once, also on a machine with much else to do.
    quick = Patience(silence_seconds=2.5, commit_seconds=2.5, pause_seconds=0.01, tries=1)
    try:
        found = {(one.reference, one.site): one for one in mirror(_order(registries, "v1", "v2", sejong=quick))}
    finally:
        over.set()
    stalled = found.pop(("v1", "sejong"))
    assert {one.state for one in found.values()} == {State.EQUAL}
    assert stalled.state is State.UNREACHABLE
    assert f"{registries['sejong'].url} does not answer" in stalled.detail
    assert "v1" not in registries["sejong"].tags[NAME]


@pytest.mark.parametrize("spec", [{}, {"platforms": ["linux/amd64"]}], ids=["whole", "narrowed"])
def test_a_run_that_follows_writes_nothing_whatever_was_forgotten_between(
    tmp_path: Path, file_database: Database, spec: dict[str, list[str]]
) -> None:
    """dregsy#58: every run writes all manifests again; above all where the copy has another digest than the source."""
    world = World(tmp_path, file_database, **spec)
    world.maker.platforms(b"layer", tag="v1")
    world.handle()
    stores = world.doors.stores.values()
    written = [store.count("write_manifest") for store in stores]
    assert sum(written)
    world.context = replace(world.context, views=Views())  # another process
    world.handle()
    assert [store.count("write_manifest") for store in stores] == written
    assert set(world.states().values()) == {"equal"}


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("referrers", [True, False], ids=["listed", "under the fallback tag"])
def test_what_cosign_3_signed_is_still_signed_at_a_site(
    registries: dict[str, Scripted], tmp_path: Path, referrers: bool
) -> None:
    """falcosecurity/plugins#1211, ovos-docker#147: a mirror of tags silently leaves such signatures behind.

    By a client that knows only the site: the list of what refers to the image names the bundle, with all its bytes.
    """
    for registry in registries.values():
        registry.referrers = referrers
    maker = Maker(store=registries["seoul"].store(), repository=NAME)
    image = maker.platforms(b"layer", tag="v1")
    signature = cosigned.by_bundle(maker, image, cosigned.signer(tmp_path))
    mirror(_order(registries, "v1"))
    for site in ("sejong", "daegu"):
        store = registries[site].store()
        assert [one.digest for one in store.referrers(NAME, image.digest)] == [signature.digest]
        assert store.manifest(NAME, signature.digest) == maker.store.manifest(NAME, signature.digest)
        assert registries[site].blobs[NAME] == registries["seoul"].blobs[NAME]


KINDS = (
    *("application/vnd.cncf.notary.signature", "application/vnd.dev.sigstore.bundle.v0.3+json"),
    *("application/spdx+json", "application/vnd.cyclonedx+json", "application/vnd.in-toto+json"),
)


@pytest.mark.parametrize("listed", [True, False], ids=["the source lists", "by fallback tags"])
def test_what_any_tool_says_of_an_image_is_found_at_a_site_by_its_kind(
    registries: dict[str, Scripted], listed: bool
) -> None:
    """skopeo#2227, cosign#2028: notation's and cosign's signatures, bills of materials of two kinds, provenance.

    Also what is said of one platform. The sites' registries keep no list: each finds all by the fallback tag.
    """
    registries["seoul"].referrers = listed
    registries["sejong"].referrers = registries["daegu"].referrers = False
    maker = Maker(store=registries["seoul"].store(), repository=NAME)
    image = maker.platforms(b"layer", tag="v1")
    whole = maker.store.manifest(NAME, image.digest)
    assert whole is not None
    (first, _) = oci.contents(whole).children
    said = {kind: cosigned.attach(maker, image, kind.encode(), kind).digest for kind in KINDS}
    of_one = cosigned.attach(maker, first, b"of one", KINDS[0]).digest
    assert {result.state for result in mirror(_order(registries, "v1"))} == {State.EQUAL}
    for site in ("sejong", "daegu"):
        store = registries[site].store()
        assert {one.artifact_type: one.digest for one in store.referrers(NAME, image.digest)} == said
        assert [one.digest for one in store.referrers(NAME, first.digest)] == [of_one]
        assert registries[site].blobs[NAME] == registries["seoul"].blobs[NAME]
