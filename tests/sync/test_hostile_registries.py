"""A source or a site that is hostile: mirroring ends, says so by name, and no wrong byte stands under any tag."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.sites.http.wire import Patience
from lockstep.store.database import Database
from sync.mirror import Order, Result, mirror
from sync.states import State
from tests.support import images, mini_registry, token_server
from tests.support.images import Maker
from tests.support.mini_registry import Asked, Reply, Scripted, error
from tests.support.stores import Watched
from tests.sync.test_images import World

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


def test_a_new_repository_comes_to_a_registry_that_denies_it_to_readers(
    source: Scripted, sites: dict[str, Scripted]
) -> None:
    """As Quay and Docker Hub do (helm#30987): who is to write there asks as such, a dry run never does."""
    Maker(store=source.store(), repository=NAME).image(b"layer", tag="v1")
    with token_server.serve() as tokens:
        tokens.sign = "+".join
        challenge = {"WWW-Authenticate": f'Bearer realm="{tokens.url}/token"'}

        def denies(asked: Asked) -> Reply | None:
            shown = asked.headers.get("authorization", "")
            known = shown and (NAME in sites["sejong"].manifests or ":pull,push" in shown)
            return None if known else error(401, "UNAUTHORIZED", **challenge)

        sites["sejong"].script = denies
        order = Order(
            repository=NAME,
            source=source.store(),
            sites={"sejong": sites["sejong"].store(trusted=(tokens.host,))},
            references={"v1": ""},
            dry_run=True,
        )
        assert {result.state for result in mirror(order)} == {State.REFUSED}
        assert tokens.scopes == [(f"repository:{NAME}:pull",)]
        assert {result.state for result in mirror(replace(order, dry_run=False))} == {State.EQUAL}
        assert sites["sejong"].tags[NAME] == source.tags[NAME]


def test_an_immutable_tag_that_cannot_be_read_at_a_site_is_not_written_there(
    source: Scripted, sites: dict[str, Scripted]
) -> None:
    """Nobody knows what it names: perhaps something else. Tags that may move are mended by writing them again."""
    Maker(store=source.store(), repository=NAME).image(b"new", tag="v1")
    old = Maker(store=sites["sejong"].store(), repository=NAME).image(b"old", tag="v1")
    page = Reply(200, b"<html>", {"Content-Type": "text/html"})
    sites["sejong"].script = lambda asked: None if asked.method == "PUT" or "/v1" not in asked.path else page
    order = Order(
        repository=NAME,
        source=source.store(),
        sites={name: site.store() for name, site in sites.items()},
        references={"v1": ""},
        immutable=lambda _reference: True,
    )
    found = {one.site: one.state for one in mirror(order)}
    assert found == {"sejong": State.FAILED, "daegu": State.EQUAL}
    assert sites["sejong"].tags[NAME]["v1"] == old.digest
    sites["sejong"].script = lambda _asked: None
    assert {one.state for one in mirror(replace(order, immutable=lambda _reference: False))} == {State.EQUAL}


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


_LAYER = f"/blobs/{images.digest(b'y' * 9000)}"
_PAGE = Reply(200, b"<html>Please log in</html>", {"Content-Type": "text/html; charset=utf-8"})
_NESTED = b'{"schemaVersion":2,"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
_LOOP = {"Location": "/v2/round/and/round"}


def _other(_asked: Asked) -> Reply:
    """Another manifest than the one that was asked for."""
    return Reply(200, b'{"schemaVersion":2}', {"Content-Type": oci.OCI_MANIFEST})


@pytest.mark.parametrize(
    ("about", "answer", "said"),
    [
        ("/manifests/sha256:", _other, "under the name sha256:"),
        ("/manifests/v1", lambda _asked: _PAGE, "Not the answer of a registry"),
        ("/manifests/sha256:", lambda _asked: _PAGE, "Not the answer of a registry"),
        ("/manifests/sha256:", lambda _asked: Reply(200, _NESTED, {"Content-Type": oci.OCI_MANIFEST}), "sha256:"),
        ("/manifests/sha256:", lambda _asked: Reply(200, b" " * (8 * 2**20 + 1)), "8388608 bytes"),
        (_LAYER, lambda _asked: Reply(200, b"x" * 9000, cut=10), "does not answer"),
        (_LAYER, lambda _asked: Reply(200, b"x" * 9000, length=9001), "announced with 9001 bytes"),
        (_LAYER, lambda _asked: Reply(200, b"x" * 8999), "announced with 8999 bytes"),
        (_LAYER, lambda _asked: Reply(307, headers=_LOOP), "round in circles"),
        (_LAYER, lambda _asked: _PAGE, "announced with 26 bytes"),
    ],
)
def test_whatever_a_source_does_it_is_named_ends_and_leaves_no_wrong_byte(
    source: Scripted, sites: dict[str, Scripted], about: str, answer: Callable[[Asked], Reply], said: str
) -> None:
    """It lies about digests, cuts, sends other lengths, loops, answers with pages, nests: no site shows any of it."""
    maker = Maker(store=source.store(), repository=NAME)
    maker.image(b"y" * 9000, tag="v1")
    source.script = lambda asked: answer(asked) if about in asked.path or "round" in asked.path else None
    results = _mirror(source, sites, "v1")
    assert {result.state for result in results} <= {State.FAILED, State.UNREACHABLE, State.REFUSED}
    assert all(said in result.detail for result in results), results[0].detail
    for site in sites.values():
        assert site.tags.get(NAME, {}) == {}
        assert all(images.digest(held) == digest for digest, held in site.blobs.get(NAME, {}).items())


@pytest.mark.parametrize(
    ("method", "about", "answer", "said"),
    [
        ("PUT", "/blobs/uploads/", lambda _asked: error(404, "BLOB_UPLOAD_UNKNOWN"), "The upload is gone"),
        ("POST", "/blobs/uploads/", lambda _asked: _PAGE, "200"),
        ("POST", "/blobs/uploads/", lambda asked: Reply(307, headers={"Location": asked.path}), "round in circles"),
        (
            "PUT",
            "/manifests/",
            lambda _asked: Reply(201, headers={"Docker-Content-Digest": images.digest(b"?")}),
            "has sha",
        ),
        ("PUT", "/manifests/", lambda _asked: _PAGE, "is not there after writing"),
    ],
)
def test_whatever_one_site_does_it_is_named_and_the_other_is_served(
    source: Scripted, sites: dict[str, Scripted], method: str, about: str, answer: Callable[[Asked], Reply], said: str
) -> None:
    """It forgets its uploads on another node, answers with pages, takes things for something else."""
    Maker(store=source.store(), repository=NAME).image(b"layer", tag="v1")
    sites["sejong"].script = lambda asked: answer(asked) if asked.is_(method, about) else None
    found = {one.site: one for one in _mirror(source, sites, "v1")}
    assert found["daegu"].state is State.EQUAL
    assert found["sejong"].state is not State.EQUAL
    assert said in found["sejong"].detail, found["sejong"].detail
    assert sites["sejong"].tags.get(NAME, {}) == {}


def test_an_upload_that_moved_to_another_node_is_begun_anew_and_arrives(
    source: Scripted, sites: dict[str, Scripted]
) -> None:
    """harbor#17504, harbor#10052: the first node knows nothing of it any more."""
    Maker(store=source.store(), repository=NAME).image(b"layer" * 1000, tag="v1")
    lost = iter([error(404, "BLOB_UPLOAD_UNKNOWN"), error(404, "BLOB_UPLOAD_UNKNOWN")])
    sites["sejong"].script = lambda asked: next(lost, None) if asked.is_("PUT", "/blobs/uploads/") else None
    assert {result.state for result in _mirror(source, sites, "v1")} == {State.EQUAL}


def test_a_manifest_of_8_mib_is_mirrored_byte_for_byte(source: Scripted, sites: dict[str, Scripted]) -> None:
    """The largest that is taken, white space and all."""
    made = Maker(store=source.store(), repository=NAME).image(b"layer")
    kind, raw = source.manifests[NAME][made.digest]
    large = raw + b" " * (8 * 2**20 - len(raw))
    source.manifests[NAME][images.digest(large)] = (kind, large)
    source.tags[NAME]["v1"] = images.digest(large)
    assert {result.state for result in _mirror(source, sites, "v1")} == {State.EQUAL}
    assert sites["daegu"].manifests[NAME][images.digest(large)][1] == large


def test_a_list_of_tags_without_end_is_the_result_of_the_whole_repository(
    source: Scripted, tmp_path: Path, file_database: Database
) -> None:
    """The job ends, says so at every site, and takes no tag for gone."""
    world = World(tmp_path, file_database)
    world.doors.stores["seoul"] = Watched(source.store())
    Maker(store=source.store(), repository=NAME).image(b"layer", tag="v1")
    world.handle()
    source.script = lambda asked: (
        Reply(200, b'{"tags":["v1"]}', {"Link": f"</v2/{NAME}/tags/list?last={asked.number}>; rel=next"})
        if "/tags/list" in asked.path
        else None
    )
    world.handle()
    row = world.rows()["v1", "sejong"]
    assert row.state == "failed"
    assert "pages for ever" in row.detail


@pytest.mark.parametrize("place", ["seoul", "sejong"])
def test_a_list_whose_later_page_never_comes_is_no_shorter_list(
    source: Scripted, tmp_path: Path, file_database: Database, place: str
) -> None:
    """At the source or at a site: it is given up and said, and what stands on that page is not taken away."""
    world = World(tmp_path, file_database, deleted="delete", deletions={"most": "100%"})
    maker = world.maker
    if place == "seoul":
        world.doors.stores["seoul"] = Watched(source.store())
        maker = Maker(store=source.store(), repository=NAME)
    else:
        world.doors.stores["sejong"] = Watched(source.store())
    for number in range(10):  # so many tags are looked up in a list
        maker.image(b"%d" % number, tag=f"v{number}")
    world.handle()
    assert set(world.states().values()) == {"equal"}
    over = threading.Event()

    def hang(asked: Asked) -> Reply | None:
        if "/tags/list" not in asked.path:
            return None
        if "last" in asked.query:
            over.wait(20)
        return Reply(200, b'{"tags":["v0"]}', {"Link": f"</v2/{NAME}/tags/list?last=v0>; rel=next"})

    source.script = hang
    quick = source.store(patience=Patience(silence_seconds=1.0, tries=1))
    world.doors.stores[place] = Watched(quick)
    maker.image(b"more", tag="v99")
    try:
        with pytest.raises(errors.UnreachableError) if place == "seoul" else contextlib.nullcontext():
            world.handle()
    finally:
        over.set()
    source.script = lambda _asked: None
    for site in ("sejong", "daegu"):
        assert {f"v{number}" for number in range(10)} <= set(world.doors.images(site).tags(NAME) or {})
    if place == "seoul":
        assert {row.state for row in world.rows().values()} == {"unreachable"}
    assert "v99" in (world.doors.images("daegu").tags(NAME) or {}) or place == "seoul"


@pytest.mark.parametrize("listed", ['["-v", "v1", "../x", "a b", 7, null]', '["v1", "v1", "", "한글"]'])
def test_names_that_are_not_names_are_left_out_and_the_others_arrive(
    source: Scripted, tmp_path: Path, file_database: Database, listed: str
) -> None:
    """Nobody asks for them, and nothing is written under them."""
    world = World(tmp_path, file_database)
    world.doors.stores["seoul"] = Watched(source.store())
    Maker(store=source.store(), repository=NAME).image(b"layer", tag="v1")
    source.script = lambda asked: (
        Reply(200, b'{"tags":%s}' % listed.encode(), {"Content-Type": "application/json"})
        if "/tags/list" in asked.path
        else None
    )
    world.handle()
    assert {reference for reference, _ in world.states()} == {"v1"}
    assert set(world.doors.images("sejong").tags(NAME) or {}) == {"v1"}
