"""A source or a site that is hostile: mirroring ends, says so by name, and no wrong byte stands under any tag."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import pytest

from lockstep.sites import ends, oci
from sync.mirror import Order, Result, mirror
from sync.states import State
from tests.support import images, mini_registry
from tests.support.images import Maker
from tests.support.mini_registry import Asked, Reply, Scripted

NAME = "pay/api"


@pytest.fixture
def source() -> Iterator[Scripted]:
    """Where images come from."""
    with mini_registry.serve() as running:
        yield running


@pytest.fixture
def sites() -> Iterator[dict[str, Scripted]]:
    """Two sites."""
    with mini_registry.serve() as sejong, mini_registry.serve() as daegu:
        yield {"sejong": sejong, "daegu": daegu}


def _mirror(source: Scripted, sites: dict[str, Scripted], *tags: str) -> list[Result]:
    order = Order(
        repository=NAME,
        source=source.store(),
        sites={name: site.store() for name, site in sites.items()},
        references=dict.fromkeys(tags, ""),
    )
    return mirror(order)


def _put(source: Scripted, body: dict[str, object], kind: str = oci.OCI_INDEX) -> ends.Descriptor:
    """A manifest that a registry would not take, put into it all the same."""
    raw = orjson.dumps({"schemaVersion": 2, "mediaType": kind, **body})
    digest = images.digest(raw)
    source.manifests.setdefault(NAME, {})[digest] = (kind, raw)
    return ends.Descriptor(media_type=kind, digest=digest, size=len(raw))


def test_indexes_inside_indexes_without_end_are_given_up(source: Scripted, sites: dict[str, Scripted]) -> None:
    """Sixteen are deeper than any image; nothing of it appears at a site, and other tags arrive."""
    maker = Maker(store=source.store(), repository=NAME)
    inner = maker.image(b"layer", tag="sound")
    for _ in range(30):
        inner = _put(source, {"manifests": [oci.as_json(inner)]})
    source.tags[NAME]["deep"] = inner.digest
    found = {(one.site, one.reference): one for one in _mirror(source, sites, "deep", "sound")}
    for name, site in sites.items():
        assert found[name, "sound"].state is State.EQUAL
        assert found[name, "deep"].state is State.FAILED
        assert "deeper or larger than any image" in found[name, "deep"].detail
        assert set(site.tags[NAME]) == {"sound"}


def test_manifests_that_refer_to_each_other_come_to_an_end(source: Scripted, sites: dict[str, Scripted]) -> None:
    """Lists that name each other, and themselves, are gone through once."""
    maker = Maker(store=source.store(), repository=NAME)
    one, two = maker.image(b"one", tag="v1"), maker.image(b"two")

    def lists(asked: Asked) -> Reply | None:
        if "/referrers/" not in asked.path:
            return None
        entries = [oci.as_json(one), oci.as_json(two)]
        body = orjson.dumps({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": entries})
        return Reply(200, body, {"Content-Type": oci.OCI_INDEX})

    source.script = lists
    assert {result.state for result in _mirror(source, sites, "v1")} == {State.EQUAL}
    assert source.count("GET", "/referrers/") <= 4


def test_an_index_that_names_one_thing_ten_thousand_times_is_given_up(
    source: Scripted, sites: dict[str, Scripted]
) -> None:
    """More than any image names."""
    child = oci.as_json(Maker(store=source.store(), repository=NAME).image(b"layer"))
    bomb = _put(source, {"manifests": [child] * 10_001})
    source.tags[NAME]["bomb"] = bomb.digest
    results = _mirror(source, sites, "bomb")
    assert {result.state for result in results} == {State.FAILED}
    assert all("names more than 10000 things" in result.detail for result in results)


def test_a_source_that_lies_about_a_blob_gets_it_nowhere(source: Scripted, sites: dict[str, Scripted]) -> None:
    """Other bytes of the same length, from the first request on: no site has the blob, the image or the tag."""
    maker = Maker(store=source.store(), repository=NAME)
    data = b"x" * 3_000_000
    maker.image(data, tag="v1")
    layer = images.blob(data)
    source.blobs[NAME][layer.digest] = b"y" + data[1:]
    results = _mirror(source, sites, "v1")
    assert {result.state for result in results} == {State.FAILED}
    assert all(layer.digest in result.detail for result in results)
    for site in sites.values():
        assert layer.digest not in site.blobs.get(NAME, {})
        assert site.tags.get(NAME, {}) == {}


def test_a_site_that_takes_everything_and_keeps_nothing_is_never_equal(
    source: Scripted, sites: dict[str, Scripted]
) -> None:
    """It says 201 to all; asked again it has nothing, and that is what is told. The other site is served."""
    Maker(store=source.store(), repository=NAME).image(b"layer", tag="v1")

    def careless(asked: Asked) -> Reply | None:
        return Reply(201) if asked.method == "PUT" else None

    sites["sejong"].script = careless
    found = {one.site: one for one in _mirror(source, sites, "v1")}
    assert found["daegu"].state is State.EQUAL
    assert found["sejong"].state is not State.EQUAL
    assert "is not there after writing" in found["sejong"].detail


def test_a_list_that_names_a_signature_which_is_gone_keeps_no_image_from_its_sites(
    source: Scripted, sites: dict[str, Scripted]
) -> None:
    """Garbage collectors know nothing of such lists: what is gone at the source is lacking nowhere."""
    source.referrers = False
    maker = Maker(store=source.store(), repository=NAME)
    made = maker.image(b"layer", tag="v1")
    gone, stays = maker.artifact(made, b"gone"), maker.artifact(made, b"stays")
    del source.manifests[NAME][gone.digest]
    assert {result.state for result in _mirror(source, sites, "v1")} == {State.EQUAL}
    for site in sites.values():
        assert [one.digest for one in site.store().referrers(NAME, made.digest)] == [stays.digest]
