"""Registries that lie, break off, page for ever: none hangs us, none gets a wrong byte in, each is named."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import orjson
import pytest

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.sites.http.places import Guard
from lockstep.sites.http.wire import Patience, Wire
from lockstep.sites.registry import RegistryStore
from lockstep.sites.registry.conversation import Conversation
from tests.support import images, mini_registry
from tests.support.images import Maker
from tests.support.mini_registry import QUICK, Asked, Reply, Scripted, Swallow, error

NAME = "pay/api"
HTML = Reply(200, b"<html>Please log in</html>", {"Content-Type": "text/html; charset=utf-8"})
LARGE = bytes(range(256)) * 12_000


@pytest.fixture
def image(mini: Scripted) -> ends.Descriptor:
    """An image that the registry has."""
    return Maker(store=mini.store(), repository=NAME).image(b"layer" * 100, tag="v1")


def _on(method: str, part: str, reply: Reply | Swallow, *, times: int = 1000) -> mini_registry.Script:
    """A script that answers so, as often."""
    left = [times]

    def script(asked: Asked) -> Reply | Swallow | None:
        if asked.is_(method, part) and left[0]:
            left[0] -= 1
            return reply
        return None

    return script


# --- reading


def test_a_manifest_that_is_not_what_was_asked_for_is_an_error(mini: Scripted, image: ends.Descriptor) -> None:
    """By its bytes, and by what its header says."""
    mini.script = _on("GET", "/manifests/", Reply(200, b'{"schemaVersion":2}', {"Content-Type": oci.OCI_MANIFEST}))
    with pytest.raises(errors.IntegrityError, match=image.digest):
        mini.store().manifest(NAME, image.digest)
    lie = {"Content-Type": oci.OCI_MANIFEST, "Docker-Content-Digest": images.digest(b"other")}
    mini.script = _on("HEAD", "/manifests/", Reply(200, b"{}", lie))
    with pytest.raises(errors.IntegrityError, match=images.digest(b"other")):
        mini.store().resolve(NAME, image.digest)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Docker-Content-Digest": "sha256:short", "Content-Type": oci.OCI_MANIFEST},
        {"Docker-Content-Digest": "md5:d41d8cd98f00b204e9800998ecf8427e", "Content-Type": oci.OCI_MANIFEST},
        {"Content-Type": "text/html"},
    ],
)
def test_a_registry_that_says_too_little_is_asked_for_the_manifest(
    mini: Scripted, image: ends.Descriptor, headers: dict[str, str]
) -> None:
    """Without a digest, or with one that nobody can verify: what is read counts."""
    mini.script = _on("HEAD", "/manifests/", Reply(200, b"", headers))
    assert mini.store().resolve(NAME, "v1") == image
    mini.script = _on("HEAD", "/manifests/", Reply(405))
    assert mini.store().resolve(NAME, "v1") == image


def test_a_media_type_that_a_proxy_spoilt_is_read_from_the_document(mini: Scripted, image: ends.Descriptor) -> None:
    """The header says text/plain; the manifest says what it is."""
    raw = mini.manifests[NAME][image.digest][1]
    mini.script = _on("GET", "/manifests/", Reply(200, raw, {"Content-Type": "text/plain"}))
    found = mini.store().manifest(NAME, image.digest)
    assert found == ends.Manifest(media_type=oci.OCI_MANIFEST, digest=image.digest, raw=raw)


@pytest.mark.parametrize("reply", [HTML, Reply(200, b"", {"Content-Type": "text/html"}), Reply(204), Reply(302)])
def test_a_page_for_people_is_no_registry(mini: Scripted, image: ends.Descriptor, reply: Reply) -> None:
    """A login page with 200 is neither an absent tag nor an equal one: every question says so."""
    mini.script = lambda _asked: reply
    store = mini.store()
    questions: list[Callable[[], object]] = [
        lambda: store.resolve(NAME, "v1"),
        lambda: store.manifest(NAME, image.digest),
        lambda: store.tags(NAME),
        store.repositories,
        lambda: images.read(store, NAME, images.blob(b"layer" * 100)),
        lambda: Maker(store=store, repository=NAME).put(b"new"),
    ]
    for question in questions:
        with pytest.raises(errors.LockstepError, match=r"registry|Not the answer|something else|should have"):
            question()


def test_a_page_for_people_is_no_sign_that_a_blob_is_there(mini: Scripted) -> None:
    """A HEAD that answers 200 with another length."""
    mini.script = _on("HEAD", "/blobs/", HTML)
    assert not mini.store().has_blob(NAME, images.blob(b"layer"))


@pytest.mark.parametrize("size", [oci.MANIFEST_BYTES, oci.MANIFEST_BYTES + 1])
def test_a_manifest_may_be_8_mib_and_no_larger(mini: Scripted, size: int) -> None:
    """A larger one is not read to its end."""
    bare = orjson.dumps({"mediaType": oci.OCI_INDEX, "manifests": [], "annotations": {"a": ""}})
    raw = bare.replace(b'"a":""', b'"a":"%s"' % (b"x" * (size - len(bare))))
    assert len(raw) == size
    digest = images.digest(raw)
    mini.manifests[NAME] = {digest: (oci.OCI_INDEX, raw)}
    if size <= oci.MANIFEST_BYTES:
        found = mini.store().manifest(NAME, digest)
        assert found is not None
        assert found.raw == raw
    else:
        with pytest.raises(errors.IntegrityError, match="more than 8388608 bytes"):
            mini.store().manifest(NAME, digest)


@pytest.mark.parametrize("length", [0, 1, 499, 501, 10**15])
def test_a_blob_of_another_length_is_refused_before_it_is_read(mini: Scripted, length: int) -> None:
    """What is announced must be what the descriptor says."""
    blob = Maker(store=mini.store(), repository=NAME).put(b"layer" * 100)
    mini.script = _on("GET", "/blobs/", Reply(200, b"layer" * 100, length=length))
    with pytest.raises(errors.IntegrityError, match="should have 500"):
        images.read(mini.store(), NAME, blob)


def test_a_blob_with_other_bytes_gives_its_last_ones_to_nobody(mini: Scripted) -> None:
    """Whoever copies while it reads never gets to the end."""
    blob = Maker(store=mini.store(), repository=NAME).put(LARGE)
    mini.script = _on("GET", "/blobs/", Reply(200, LARGE[:-1] + b"!"))
    seen: list[bytes] = []
    with mini.store().read_blob(NAME, blob) as chunks, pytest.raises(errors.IntegrityError, match="something else"):
        seen.extend(chunks)
    assert 0 < len(b"".join(seen)) < len(LARGE)


@pytest.mark.parametrize("cut", [0, 1, 1_000_000, len(LARGE) - 1])
def test_a_reading_that_breaks_off_goes_on_where_it_was(mini: Scripted, cut: int) -> None:
    """By Range, once or again and again as long as something comes; and all of it is verified together."""
    blob = Maker(store=mini.store(), repository=NAME).put(LARGE)
    mini.script = _on("GET", "/blobs/", Reply(200, LARGE, cut=cut), times=1)
    assert images.read(mini.store(), NAME, blob) == LARGE
    ranges = [one.headers.get("range", "") for one in mini.asked if one.is_("GET", "/blobs/")]
    assert ranges in (["", ""], ["", f"bytes={cut}-"])


def test_a_registry_that_knows_no_range_starts_anew_and_nothing_doubles(mini: Scripted) -> None:
    """200 instead of 206: what is known already is skipped."""
    blob = Maker(store=mini.store(), repository=NAME).put(LARGE)
    replies = iter([Reply(200, LARGE, cut=2_000_000), Reply(200, LARGE)])
    mini.script = lambda asked: next(replies) if asked.is_("GET", "/blobs/") else None
    assert images.read(mini.store(), NAME, blob) == LARGE


def test_another_part_than_was_asked_for_is_refused(mini: Scripted) -> None:
    """A 206 that begins elsewhere."""
    blob = Maker(store=mini.store(), repository=NAME).put(LARGE)
    other = Reply(206, LARGE[5:], {"Content-Range": f"bytes 5-{len(LARGE) - 1}/{len(LARGE)}"})
    replies = iter([Reply(200, LARGE, cut=2_000_000), other])
    mini.script = lambda asked: next(replies) if asked.is_("GET", "/blobs/") else None
    with pytest.raises(errors.IntegrityError, match="Another part"):
        images.read(mini.store(), NAME, blob)


def test_a_reading_that_always_breaks_off_ends(mini: Scripted) -> None:
    """Three times without a byte is enough."""
    blob = Maker(store=mini.store(), repository=NAME).put(LARGE)
    mini.script = _on("GET", "/blobs/", Reply(200, LARGE, cut=0))
    with pytest.raises(errors.UnreachableError):
        images.read(mini.store(), NAME, blob)
    assert mini.count("GET", "/blobs/") <= 9


def test_a_registry_that_says_nothing_is_left(mini: Scripted) -> None:
    """Silence is not waited for without end."""
    began = time.monotonic()

    def hang(_asked: Asked) -> None:
        while time.monotonic() < began + 20 and not done:
            time.sleep(0.01)

    done: list[bool] = []
    mini.script = hang
    quick = Patience(silence_seconds=0.1, tries=1)
    with pytest.raises(errors.UnreachableError, match="does not answer HEAD"):
        mini.store(patience=quick).resolve(NAME, "v1")
    done.append(True)


# --- being sent round


def test_a_loop_of_redirects_is_noticed(mini: Scripted) -> None:
    """There and back, or on and on."""
    blob = Maker(store=mini.store(), repository=NAME).put(b"layer")
    mini.script = lambda asked: Reply(307, headers={"Location": asked.path}) if asked.is_("GET", "/blobs/") else None
    with pytest.raises(errors.RefusedError, match="round in circles"):
        images.read(mini.store(), NAME, blob)
    mini.asked.clear()
    mini.script = lambda asked: Reply(307, headers={"Location": f"{asked.path}x"}) if "/blobs/" in asked.path else None
    with pytest.raises(errors.RefusedError, match="round in circles"):
        images.read(mini.store(), NAME, blob)
    assert len(mini.asked) <= 7


def test_an_upload_is_not_sent_to_an_address_that_the_registry_made_up(mini: Scripted) -> None:
    """A Location at a private address is a request to somebody else, with our bytes in it."""
    with mini_registry.serve() as inside:
        mini.script = _on("POST", "/uploads/", Reply(202, headers={"Location": f"{inside.url}/v2/x/blobs/uploads/1"}))
        with pytest.raises(errors.RefusedError, match="private address"):
            Maker(store=mini.store(), repository=NAME).put(b"layer")
        assert inside.asked == []


# --- lists


@pytest.mark.parametrize(
    "link",
    [
        lambda _asked: "</v2/pay/api/tags/list?n=1000>; rel=next",
        lambda asked: f'</v2/pay/api/tags/list?last={asked.number}>; rel="next"',
    ],
)
def test_pages_without_end_are_given_up(mini: Scripted, link: Callable[[Asked], str]) -> None:
    """The same page again, or always another one."""
    mini.script = lambda asked: Reply(200, b'{"tags":["v1"]}', {"Link": link(asked)})
    with pytest.raises(errors.IntegrityError, match="pages for ever"):
        mini.store().tags(NAME)
    assert len(mini.asked) <= 1001


def test_pages_are_followed_to_their_end_whatever_their_order(mini: Scripted) -> None:
    """Unsorted, doubled, in pages of one."""
    names = ["v2", "v10", "latest", "v2", "v1"]

    def script(asked: Asked) -> Reply:
        at = int(asked.query.get("at", 0))
        more = {"Link": f'<{asked.path}?at={at + 1}&n=1>; rel="next"'} if at + 1 < len(names) else {}
        return Reply(200, orjson.dumps({"name": NAME, "tags": [names[at]]}), more)

    mini.script = script
    assert list(mini.store().tags(NAME) or {}) == ["latest", "v1", "v10", "v2"]


def test_tags_that_are_no_tags_are_left_out_and_told(mini: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody could ask for them."""
    mini.script = lambda _asked: Reply(200, orjson.dumps({"tags": ["v1", "../x", "a b", "", 5, None, "x" * 200]}))
    assert mini.store().tags(NAME) == {"v1": ""}
    assert "'../x', which is no name" in caplog.text


@pytest.mark.parametrize("body", [b"[]", b"5", b"{", b'{"tags":5}', b'{"tags":{"v1":1}}', b"\xff\xfe"])
def test_what_is_no_list_is_not_an_empty_one(mini: Scripted, body: bytes) -> None:
    """A registry that cannot say what it has has not said that it has nothing."""
    mini.script = lambda _asked: Reply(200, body, {"Content-Type": "application/json"})
    with pytest.raises(errors.IntegrityError):
        mini.store().tags(NAME)


def test_a_next_page_elsewhere_is_not_fetched(mini: Scripted) -> None:
    """Our token would go with it."""
    with mini_registry.serve() as other:
        mini.script = lambda _asked: Reply(200, b'{"tags":[]}', {"Link": f"<{other.url}/v2/x>; rel=next"})
        with pytest.raises(errors.RefusedError, match="next page"):
            mini.store(trusted=("127.0.0.1",)).tags(NAME)
        assert other.asked == []


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_registry_that_does_not_list_its_repositories_says_so(mini: Scripted, status: int) -> None:
    """Most shared ones: the names have to be given."""
    mini.script = lambda _asked: error(status, "UNSUPPORTED")
    with pytest.raises(errors.UnsupportedError, match="Name them one by one"):
        mini.store().repositories()


# --- not now


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_not_now_is_asked_again(mini: Scripted, image: ends.Descriptor, status: int) -> None:
    """A moment later it may be better."""
    mini.script = _on("HEAD", "/manifests/", Reply(status), times=2)
    assert mini.store().resolve(NAME, "v1") == image
    mini.script = _on("HEAD", "/manifests/", Reply(status))
    with pytest.raises(errors.TemporaryError):
        mini.store().resolve(NAME, "v1")


def test_retry_after_is_waited_for(mini: Scripted, image: ends.Descriptor) -> None:
    """Nothing waits here, it is only asked how long."""
    pauses: list[float] = []
    mini.script = _on("HEAD", "/manifests/", error(429, "TOOMANYREQUESTS", **{"Retry-After": "3"}), times=1)
    said = Conversation(Wire(patience=QUICK), Guard(home=mini.origin), clock=_Clock(), pause=pauses.append)
    assert RegistryStore(said).resolve(NAME, "v1") == image
    assert pauses == [3.0]


def test_a_long_wait_is_left_to_a_later_run_and_nobody_asks_meanwhile(mini: Scripted, image: ends.Descriptor) -> None:
    """The engine is told how long, and the registry is spared until then."""
    mini.script = _on("HEAD", "/manifests/", error(429, "TOOMANYREQUESTS", **{"Retry-After": "600"}), times=1)
    moment = _Clock()
    said = Conversation(Wire(patience=QUICK), Guard(home=mini.origin), clock=moment)
    store = RegistryStore(said)
    for wait in (600.0, 600.0):
        with pytest.raises(errors.ThrottledError) as caught:
            store.resolve(NAME, "v1")
        assert caught.value.wait_seconds == wait
    asked = len(mini.asked)
    moment.seconds = 601.0
    assert store.resolve(NAME, "v1") == image
    assert len(mini.asked) == asked + 1


class _Clock:
    """A clock that stands still until it is moved."""

    seconds = 0.0

    def now(self) -> datetime:
        """A Sunday morning."""
        return datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def monotonic(self) -> float:
        """What was set."""
        return self.seconds


# --- writing


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (error(409, "TAG_IMMUTABLE", "tag is immutable"), errors.RefusedError, "immutable tag"),
        (error(412, "PRECONDITION", "configured as immutable"), errors.RefusedError, "immutable tag"),
        (error(400, "TAG_INVALID", "the repository is immutable"), errors.RefusedError, "immutable tag"),
        (error(404, "NAME_UNKNOWN", "no such project"), errors.NotFoundError, "to be made before"),
        (error(403, "DENIED", "read-only \x1b[31m"), errors.ForbiddenError, "read-only"),
        (error(400, "MANIFEST_INVALID"), errors.IntegrityError, "Push the image again"),
        (error(413, "SIZE"), errors.RefusedError, "Raise the limit"),
        (error(405, "UNSUPPORTED"), errors.RefusedError, "whether the registry is read-only"),
        (Reply(400), errors.RefusedError, "Write https:// in its URL"),
        (Reply(418, b"teapot"), errors.RefusedError, "teapot"),
        (HTML, errors.IntegrityError, "Not the answer of a registry"),
    ],
)
def test_what_a_registry_refuses_is_told_in_its_words_and_ours(
    mini: Scripted, image: ends.Descriptor, reply: Reply, kind: type[errors.LockstepError], words: str
) -> None:
    """Each refusal is what it is, with what to do; and nothing of it moves a cursor on a screen."""
    found = mini.store().manifest(NAME, image.digest)
    assert found is not None
    mini.script = _on("PUT", "/manifests/", reply if reply is not HTML else Reply(302, HTML.body))
    with pytest.raises(kind, match=words) as caught:
        mini.store().write_manifest(NAME, found, tag="v2")
    assert "\x1b" not in str(caught.value)


def test_a_registry_that_took_something_for_something_else_is_named(mini: Scripted, image: ends.Descriptor) -> None:
    """It answers a PUT with another digest: for a manifest, and for a blob."""
    other = Reply(201, headers={"Docker-Content-Digest": images.digest(b"other")})
    found = mini.store().manifest(NAME, image.digest)
    assert found is not None
    mini.script = _on("PUT", "/", other)
    with pytest.raises(errors.IntegrityError, match=images.digest(b"other")):
        mini.store().write_manifest(NAME, found)
    with pytest.raises(errors.IntegrityError, match=images.digest(b"other")):
        Maker(store=mini.store(), repository=NAME).put(b"new")


def test_a_list_of_referrers_that_is_a_page_for_people_is_none(mini: Scripted, image: ends.Descriptor) -> None:
    """Registries without that question answer with whatever they have; then the tag is asked."""
    mini.referrers = False
    maker = Maker(store=mini.store(), repository=NAME)
    made = maker.artifact(image, b"signature")
    mini.script = _on("GET", "/referrers/", HTML)
    assert [one.digest for one in mini.store().referrers(NAME, image.digest)] == [made.digest]


@pytest.mark.parametrize("status", [500, 401, 403])
def test_a_list_of_referrers_that_cannot_be_read_is_not_an_empty_one(
    mini: Scripted, image: ends.Descriptor, status: int
) -> None:
    """An image without its signature would be mirrored as if it had none."""
    mini.script = _on("GET", "/referrers/", Reply(status))
    with pytest.raises(errors.LockstepError):
        mini.store().referrers(NAME, image.digest)


def test_a_fallback_tag_that_is_no_list_is_an_error(mini: Scripted, image: ends.Descriptor) -> None:
    """Somebody pushed an image under that name."""
    mini.referrers = False
    maker = Maker(store=mini.store(), repository=NAME)
    maker.image(tag=f"sha256-{image.digest[7:]}")
    with pytest.raises(errors.IntegrityError, match="is no list"):
        mini.store().referrers(NAME, image.digest)


def test_a_fallback_list_that_somebody_else_overwrites_is_noticed(mini: Scripted, image: ends.Descriptor) -> None:
    """What was added is looked for again; when it never stays, that is said."""
    mini.referrers = False
    tag = f"sha256-{image.digest[7:]}"

    def overwrite(asked: Asked) -> Reply | None:
        if asked.is_("PUT", tag):
            return Reply(201)
        return None

    mini.script = overwrite
    with pytest.raises(errors.ConflictError, match="does not keep what is added"):
        Maker(store=mini.store(), repository=NAME).artifact(image, b"signature")


@pytest.fixture(autouse=True)
def quickly() -> Iterator[None]:
    """Nothing here hangs: each test ends in a few seconds."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 60


def test_a_digest_of_another_algorithm_is_no_contradiction(mini: Scripted) -> None:
    """A registry may tell sha256 for what was asked by sha512; what is read is verified by what was asked."""
    raw = b'{"schemaVersion":2,"mediaType":"%s","manifests":[]}' % oci.OCI_INDEX.encode()
    digest = f"sha512:{hashlib.sha512(raw).hexdigest()}"
    told = {"Content-Type": oci.OCI_INDEX, "Docker-Content-Digest": images.digest(raw)}
    mini.script = lambda asked: Reply(200, raw, told) if "/manifests/" in asked.path else None
    found = mini.store().manifest(NAME, digest)
    assert found is not None
    assert found.digest == digest
