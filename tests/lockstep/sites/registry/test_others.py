"""What registries do that is not the one that everybody has at home: each by its name, and by what it answers."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import orjson
import pytest

from lockstep import errors
from lockstep.sites import ends, oci
from lockstep.sites.registry.credentials import Credential
from tests.support import images, mini_registry, token_server
from tests.support.images import Maker
from tests.support.mini_registry import Asked, Raw, Reply, Scripted, Swallow, error

NAME = "pay/api"
SECRET = "not-to-be-told"
MIB = 2**20
LARGE = bytes(range(256)) * (10 * 4096)  # 10 MiB
BLOB = images.blob(LARGE)


def _robot() -> Credential:
    return Credential(username="robot", password=SECRET)


def _chunks() -> Iterator[bytes]:
    for at in range(0, len(LARGE), MIB // 2):
        yield LARGE[at : at + MIB // 2]


@pytest.fixture
def image(mini: Scripted) -> ends.Descriptor:
    """An image that the registry has."""
    return Maker(store=mini.store(), repository=NAME).image(b"layer" * 100, tag="v1")


@pytest.fixture
def storage() -> Iterator[Scripted]:
    """Where a registry has its layers."""
    with mini_registry.serve() as running:
        yield running


@pytest.fixture
def tokens() -> Iterator[token_server.TokenServer]:
    """Where a registry has its tokens."""
    with token_server.serve() as running:
        yield running


def _asking(tokens: token_server.TokenServer, allowed: object, scope: str = "") -> mini_registry.Script:
    """A registry that believes the tokens for which ``allowed`` (asked, granted scopes) says so."""
    tokens.sign = "+".join

    def script(asked: Asked) -> Reply | None:
        shown = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if shown and allowed(asked, shown):  # type: ignore[operator]  # a test's short form
            return None
        named = f',scope="{scope}"' if scope else ""
        return error(401, "UNAUTHORIZED", **{"WWW-Authenticate": f'Bearer realm="{tokens.url}/token"{named}'})

    return script


# --- who we are


def test_a_repository_that_is_not_there_is_denied_to_readers_alone(
    mini: Scripted, tokens: token_server.TokenServer
) -> None:
    """Quay and Docker Hub (helm#30987): 401 with a token to pull, 404 with one to push; asked for only by writers."""
    mini.script = _asking(tokens, lambda _asked, shown: NAME in mini.manifests or ":pull,push" in shown)
    store = mini.store(source=_robot, trusted=(tokens.host,))
    with pytest.raises(errors.UnauthorisedError):
        store.resolve(NAME, "v1")
    assert not any(":pull,push" in scope for scopes in tokens.scopes for scope in scopes)
    with store.writing(NAME):
        assert store.resolve(NAME, "v1") is None
        assert store.tags(NAME) is None
        assert not store.has_blob(NAME, BLOB)
    Maker(store=store, repository=NAME).image(tag="v1")
    assert store.resolve(NAME, "v1")
    assert mini.asked[-1].headers["authorization"] == f"Bearer repository:{NAME}:pull"


def test_a_layer_is_taken_over_with_a_token_that_only_reads_where_it_comes_from(
    mini: Scripted, tokens: token_server.TokenServer
) -> None:
    """Also while both repositories are written to: no token is for more than it is needed for."""
    blob = Maker(store=mini.store(), repository="pay/base").put(LARGE)
    mini.script = _asking(tokens, lambda _asked, _shown: True)
    store = mini.store(source=_robot, trusted=(tokens.host,))
    with store.writing("pay/base"), store.writing(NAME):
        assert store.mount_blob(NAME, blob, origin="pay/base")
    assert set(tokens.scopes[-1]) == {f"repository:{NAME}:pull,push", "repository:pay/base:pull"}


def test_a_token_for_a_part_of_what_is_to_be_done_is_not_asked_for(
    mini: Scripted, tokens: token_server.TokenServer
) -> None:
    """The registry names ``pull`` to whoever asks how far an upload has come, which also has to be ended."""
    seen: list[str] = []

    def allowed(asked: Asked, shown: str) -> bool:
        renewed = "GET" in seen or asked.method == "POST"
        seen.append(asked.method)
        return renewed and ":pull,push" in shown

    mini.script = _asking(tokens, allowed, scope=f"repository:{NAME}:pull")
    store = mini.store(source=_robot, trusted=(tokens.host,))
    store._uploads.window = 16 * MIB
    store.write_blob(NAME, BLOB, _chunks())
    assert mini.blobs[NAME][BLOB.digest] == LARGE


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_token_that_runs_out_in_the_middle_of_an_upload_is_renewed(
    mini: Scripted, tokens: token_server.TokenServer, method: str
) -> None:
    """It is told when the bytes are under way already: the upload goes on where it was, with a new token."""
    left = [1]

    def allowed(asked: Asked, _shown: str) -> bool:
        if asked.is_(method, "/uploads/") and left[0]:
            left[0] -= 1
            return False
        return True

    mini.script = _asking(tokens, allowed)
    store = mini.store(source=_robot, trusted=(tokens.host,))
    store._uploads.in_parts = method == "PATCH"
    store._uploads.part_bytes = 4 * MIB
    store._uploads.window = 16 * MIB
    store.write_blob(NAME, BLOB, _chunks())
    assert mini.blobs[NAME][BLOB.digest] == LARGE


def test_a_registry_that_always_forgets_who_we_are_is_believed(
    mini: Scripted, tokens: token_server.TokenServer
) -> None:
    """An upload that is refused each time ends, and says so."""
    mini.script = _asking(tokens, lambda asked, _shown: not asked.is_("PUT", "/uploads/"))
    store = mini.store(source=_robot, trusted=(tokens.host,))
    store._uploads.window = 16 * MIB
    with pytest.raises(errors.UnauthorisedError):
        store.write_blob(NAME, BLOB, _chunks())
    assert mini.count("PUT") <= 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, errors.UnreachableError),
        (503, errors.UnreachableError),
        (429, errors.ThrottledError),
        (401, errors.UnauthorisedError),
        (403, errors.UnauthorisedError),
    ],
)
def test_a_server_of_tokens_that_is_down_says_nothing_about_the_password(
    mini: Scripted, tokens: token_server.TokenServer, status: int, kind: type[errors.LockstepError]
) -> None:
    """Its troubles pass: the work is tried again. That it does not know us does not pass."""
    mini.script = _asking(tokens, lambda _asked, _shown: False)
    tokens.reply = Reply(status, SECRET.encode())
    with pytest.raises(kind, match="gives no token") as caught:
        mini.store(source=_robot, trusted=(tokens.host,)).resolve(NAME, "v1")
    assert SECRET not in str(caught.value)


def test_a_storage_that_asks_who_we_are_is_not_told(mini: Scripted, storage: Scripted) -> None:
    """A registry leads us to it; its challenge names a realm of its own, and our password would go there."""
    mini.blobs[NAME] = {BLOB.digest: LARGE}
    mini.script = lambda asked: Reply(307, headers={"Location": f"{storage.url}{asked.path}"})
    realm = f'Bearer realm="{storage.url}/token"'
    storage.script = lambda _asked: Reply(401, headers={"WWW-Authenticate": realm})
    store = mini.store(source=_robot, trusted=("127.0.0.1",))
    with pytest.raises(errors.UnauthorisedError):
        images.read(store, NAME, BLOB)
    assert {one.path for one in storage.asked} == {f"/v2/{NAME}/blobs/{BLOB.digest}"}
    assert not any("authorization" in one.headers for one in storage.asked)


def test_a_bearer_without_a_realm_leaves_the_password(mini: Scripted, image: ends.Descriptor) -> None:
    """A challenge that nobody can follow is none, where another stands beside it."""
    both = {"WWW-Authenticate": 'Bearer service="x", Basic realm="y"'}
    mini.script = lambda asked: None if "authorization" in asked.headers else Reply(401, headers=both)
    assert mini.store(source=_robot).resolve(NAME, "v1") is not None
    assert mini.asked[-1].headers["authorization"].startswith("Basic ")
    assert image.digest


def test_each_repository_may_have_a_realm_of_its_own(mini: Scripted, tokens: token_server.TokenServer) -> None:
    """Artifactory names one for each of its own repositories: the first is not taken for that of the second."""
    names = {"one": "local/one", "two": "remote/two"}
    for name in names.values():
        Maker(store=mini.store(), repository=name).image(tag="v1")

    def realm_of(asked: Asked) -> str:
        return asked.path.split("/")[2]

    def script(asked: Asked) -> Reply | None:
        if asked.headers.get("authorization") == f"Bearer {realm_of(asked)}":
            return None
        realm = f"{tokens.url}/{realm_of(asked)}/token"
        return error(401, "UNAUTHORIZED", **{"WWW-Authenticate": f'Bearer realm="{realm}"'})

    def granting(asked: Asked) -> Reply:
        folder = asked.path.split("/")[1]
        return Reply(200, orjson.dumps({"token": folder})) if folder in asked.query["scope"] else Reply(403)

    mini.script, tokens.http.script = script, granting
    store = mini.store(source=_robot, trusted=(tokens.host,))
    assert [store.resolve(name, "v1") is not None for name in (*names.values(), *names.values())] == [True] * 4


# --- tags that must not move


@pytest.mark.parametrize("status", [400, 403, 409, 412])
def test_a_fixed_tag_that_names_this_image_already_is_written(
    mini: Scripted, image: ends.Descriptor, status: int
) -> None:
    """ECR refuses it also for the same digest (buildkit#3776): the first answer was lost, or somebody was as fast."""
    immutable = error(status, "TAG_INVALID", "The tag already exists, and the repository is immutable.")
    mini.script = lambda asked: immutable if asked.is_("PUT", "/manifests/v1") else None
    store = mini.store()
    manifest = store.manifest(NAME, image.digest)
    assert manifest is not None
    store.write_manifest(NAME, manifest, tag="v1")
    other = Maker(store=store, repository=NAME).image(b"another")
    moved = store.manifest(NAME, other.digest)
    assert moved is not None
    with pytest.raises(errors.RefusedError, match="immutable"):
        store.write_manifest(NAME, moved, tag="v1")


# --- layers and their storage


@pytest.mark.parametrize("status", [403, 405])
def test_a_storage_that_was_signed_for_get_is_asked_for_one_byte(
    mini: Scripted, storage: Scripted, status: int
) -> None:
    """A HEAD follows to an address that S3 signed for GET (minio#6146): 403 is no answer about the layer."""
    storage.blobs[NAME] = {BLOB.digest: LARGE}
    mini.script = lambda asked: Reply(307, headers={"Location": f"{storage.url}{asked.path}"})
    storage.script = lambda asked: Reply(status) if asked.method == "HEAD" else _first_byte(asked)
    store = mini.store(trusted=("127.0.0.1",))
    assert store.has_blob(NAME, BLOB)
    assert not store.has_blob(NAME, ends.Descriptor(media_type="x", digest=BLOB.digest, size=5))
    absent = images.blob(b"absent")
    storage.script = lambda asked: Reply(status) if asked.method == "HEAD" else Reply(404)
    assert not store.has_blob(NAME, absent)
    assert {one.headers["range"] for one in storage.asked if one.method == "GET"} == {"bytes=0-0"}


def _first_byte(asked: Asked) -> Reply:
    assert asked.headers["range"] == "bytes=0-0"
    return Reply(206, LARGE[:1], {"Content-Range": f"bytes 0-0/{len(LARGE)}"})


@pytest.mark.parametrize(
    ("headers", "body", "found"),
    [
        ({"Content-Type": "application/octet-stream"}, LARGE, True),
        ({"Content-Range": f"bytes 0-0/{len(LARGE)}"}, LARGE[:1], True),
        ({"Content-Range": "bytes 0-0/5"}, LARGE[:1], False),
    ],
)
def test_a_head_that_says_nothing_of_a_layer_is_no_proof(
    mini: Scripted, headers: dict[str, str], body: bytes, *, found: bool
) -> None:
    """200 without a size and without a digest: the first byte is asked for, and says how many there are."""
    silent = Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n")
    status = 206 if "Content-Range" in headers else 200
    mini.script = lambda asked: silent if asked.method == "HEAD" else Reply(status, body, headers)
    assert mini.store().has_blob(NAME, BLOB) is found


@pytest.mark.parametrize(("has", "found"), [(LARGE, True), (b"", False)])
def test_a_layer_of_no_bytes_by_a_head_is_asked_for_its_first(mini: Scripted, has: bytes, *, found: bool) -> None:
    """A proxy that answers every HEAD with 0, and a registry that truly lost the bytes, are told apart."""
    whole = {"Content-Range": f"bytes 0-0/{len(has)}"}
    mini.script = lambda asked: (
        Reply(200, headers={"Docker-Content-Digest": BLOB.digest})
        if asked.method == "HEAD"
        else Reply(206, has[:1], whole) if has else Reply(416)
    )  # fmt: skip
    assert mini.store().has_blob(NAME, BLOB) is found


def test_a_page_in_place_of_a_layer_is_no_layer(mini: Scripted) -> None:
    """Of any length, to HEAD and GET alike: whoever proves that images are whole must not take it for one."""
    page = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n"
    mini.script = lambda asked: Raw(page if asked.method == "HEAD" else page + b"1\r\nx\r\n0\r\n\r\n")
    with pytest.raises(errors.IntegrityError, match="a page"):
        mini.store().has_blob(NAME, BLOB)


def test_a_list_that_is_never_full_is_given_up_before_the_memory_is(mini: Scripted) -> None:
    """Each page is another one, and large."""
    tags = b",".join(b'"%0120d"' % number for number in range(100_000))
    mini.script = lambda asked: Reply(
        200, b'{"tags":[' + tags + b"]}", {"Link": f'<{asked.path}?page={len(mini.asked)}>; rel="next"'}
    )
    with pytest.raises(errors.IntegrityError, match="pages for ever"):
        mini.store().tags(NAME)
    assert len(mini.asked) <= 6


def test_a_forbidden_layer_of_the_registry_itself_stays_forbidden(mini: Scripted) -> None:
    """Only what another host says of a signature is doubted."""
    mini.script = lambda _asked: Reply(403)
    with pytest.raises(errors.ForbiddenError):
        mini.store().has_blob(NAME, BLOB)
    assert mini.count("GET") == 0


def test_a_storage_that_asks_for_patience_does_not_close_the_registry(
    mini: Scripted, storage: Scripted, image: ends.Descriptor
) -> None:
    """A 503 of S3 with a long Retry-After: the layer waits, everything else goes on."""
    mini.script = lambda asked: (
        Reply(307, headers={"Location": f"{storage.url}{asked.path}"}) if "/blobs/" in asked.path else None
    )
    storage.script = lambda _asked: Reply(503, headers={"Retry-After": "3600"})
    store = mini.store(trusted=("127.0.0.1",))
    with pytest.raises(errors.ThrottledError):
        store.has_blob(NAME, BLOB)
    found = store.resolve(NAME, "v1")
    assert found is not None
    assert found.digest == image.digest


@pytest.mark.parametrize("size", [1, 1000])
def test_a_layer_that_comes_byte_by_byte_is_given_up(mini: Scripted, size: int) -> None:
    """Each connection brings a little and breaks: progress, and no end of it."""
    blob = Maker(store=mini.store(), repository=NAME).put(LARGE)

    def little(asked: Asked) -> Reply | None:
        if not asked.is_("GET", "/blobs/"):
            return None
        begin = int(asked.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        said = {"Content-Range": f"bytes {begin}-{len(LARGE) - 1}/{len(LARGE)}"}
        return Reply(206 if begin else 200, LARGE[begin:], said, cut=size)

    mini.script = little
    with pytest.raises(errors.UnreachableError):
        images.read(mini.store(), NAME, blob)
    assert mini.count("GET", "/blobs/") <= 4


# --- uploads


@pytest.mark.parametrize("status", [429, 503])
def test_an_upload_that_comes_too_fast_goes_on_when_it_was_asked_to(mini: Scripted, status: int) -> None:
    """It says "not now" to the bytes themselves: the wait is kept, and the rest is sent."""
    left, waited = [2], list[float]()

    def script(asked: Asked) -> Reply | None:
        if asked.is_("PUT", "/uploads/") and left[0]:
            left[0] -= 1
            return Reply(status, headers={"Retry-After": "3"})
        return None

    mini.script = script
    store = mini.store(pause=waited.append)
    store._uploads.window = 16 * MIB
    store.write_blob(NAME, BLOB, _chunks())
    assert mini.blobs[NAME][BLOB.digest] == LARGE
    assert waited == [3.0, 3.0]


def test_an_upload_that_is_to_wait_for_long_is_left_to_a_later_run(mini: Scripted) -> None:
    """And nobody asks the registry meanwhile."""
    mini.script = lambda asked: Reply(429, headers={"Retry-After": "3600"}) if asked.method == "PUT" else None
    store = mini.store()
    with pytest.raises(errors.ThrottledError) as caught:
        store.write_blob(NAME, BLOB, _chunks())
    assert caught.value.wait_seconds == pytest.approx(3600, abs=60)
    assert [one.method for one in mini.asked] == ["POST", "PUT"]


def test_a_registry_that_takes_nothing_more_of_an_upload_is_given_up(mini: Scripted) -> None:
    """416 for ever, and a state that never moves: no end of asking otherwise."""
    mini.script = lambda asked: Reply(416) if asked.method == "PATCH" else None
    store = mini.store()
    store._uploads.in_parts = True
    with pytest.raises(errors.ConflictError):
        store.write_blob(NAME, BLOB, _chunks())
    assert mini.count("PATCH") <= 9


def test_a_registry_that_counts_an_upload_byte_by_byte_is_given_up(mini: Scripted) -> None:
    """It takes a part and says that it has one byte more than before."""
    has = [1]

    def stingy(asked: Asked) -> Reply | None:
        if asked.method not in ("PATCH", "GET"):
            return None
        has[0] += asked.method == "PATCH"
        return Reply(202 if asked.method == "PATCH" else 204, headers={"Range": f"0-{has[0]}", "Location": asked.path})

    mini.script = stingy
    store = mini.store()
    store._uploads.in_parts = True
    store._uploads.part_bytes = MIB
    with pytest.raises(errors.LockstepError):
        store.write_blob(NAME, BLOB, _chunks())
    assert mini.count("PATCH") <= 9
    assert BLOB.digest not in mini.blobs.get(NAME, {})


def test_a_registry_that_tells_how_many_bytes_it_has_and_not_the_last_one_gets_all_of_them(mini: Scripted) -> None:
    """``Range: 0-4194304`` after 4 MiB: nobody has a byte more than was sent."""

    def counts(asked: Asked) -> Reply | None:
        if asked.method != "PATCH":
            return None
        end = int(asked.headers["content-range"].partition("-")[2]) + 1
        mini.uploads[asked.path.rpartition("/")[2]] += LARGE[end - 2 * MIB : end]
        return Reply(202, headers={"Range": f"0-{end}", "Location": asked.path})

    mini.script = counts
    store = mini.store()
    store._uploads.in_parts = True
    store._uploads.part_bytes = 2 * MIB
    store.write_blob(NAME, BLOB, _chunks())
    assert mini.blobs[NAME][BLOB.digest] == LARGE
    assert mini.count("GET") == 0


def test_an_upload_that_begins_nowhere_is_named(mini: Scripted) -> None:
    """202 without a Location: nothing is sent to a place that was guessed."""
    mini.script = lambda asked: Reply(202) if asked.method == "POST" else None
    with pytest.raises(errors.IntegrityError, match="does not say where"):
        mini.store().write_blob(NAME, BLOB, _chunks())
    assert mini.count("PUT") == 0


# --- lists


@pytest.mark.parametrize(
    "link",
    [
        "<{next}>; rel=next",
        '<{next}>; rel = "next"',
        '<{next}>; REL="last next"',
        '<{next}>; title="a, b"; rel="next"',
        "<{next}>;rel='next'",
        '</v2/>; rel="first", <{next}>; n=2; rel="next"',
        '<{next}>; rel="next"; title=x',
    ],
)
@pytest.mark.parametrize("where", ["", "absolute"])
def test_the_next_page_is_found_however_it_is_written(mini: Scripted, link: str, where: str) -> None:
    """RFC 8288; a list that ends too early would look like tags that are gone."""
    place = f"{mini.url if where else ''}/v2/{NAME}/tags/list?last=v1&n=1"
    said = {"Link": link.format(next=place)}
    mini.script = lambda asked: (
        Reply(200, b'{"tags":["v2"]}') if "last" in asked.query else Reply(200, b'{"tags":["v1"]}', said)
    )
    assert list(mini.store().tags(NAME) or ()) == ["v1", "v2"]


@pytest.mark.parametrize(
    "link", ["</v2/x>; rel=prev", '</v2/x>; rel="nextpage"', "</v2/x>; rel=next-archive", "<" * 9000]
)
def test_another_page_than_the_next_is_left_alone(mini: Scripted, link: str) -> None:
    """And a header that means nothing is none."""
    mini.script = lambda _asked: Reply(200, b'{"tags":["v1"]}', {"Link": link})
    assert list(mini.store().tags(NAME) or ()) == ["v1"]
    assert len(mini.asked) == 1


@pytest.mark.parametrize("said", ["http://[::1", "//[", "http://[abc]/", '<a href="/login">'])
def test_a_place_that_is_no_address_is_said(mini: Scripted, image: ends.Descriptor, said: str) -> None:
    """In a Location and in a Link; nobody goes there."""
    mini.script = lambda _asked: Reply(307, headers={"Location": said})
    with pytest.raises(errors.LockstepError, match=r"sends us|404"):
        mini.store().manifest(NAME, image.digest)
    mini.script = lambda _asked: Reply(200, b'{"tags":[]}', {"Link": f"<{said.strip('<>')}>; rel=next"})
    with pytest.raises(errors.LockstepError):
        mini.store().tags(NAME)


@pytest.mark.parametrize("body", [b"{}", b'{"errors":[]}', b'{"name":"other/one"}', b'{"message":"maintenance"}'])
def test_an_object_without_a_list_is_not_an_empty_one(mini: Scripted, body: bytes) -> None:
    """Whoever takes it for one takes tags away at every site."""
    mini.script = lambda _asked: Reply(200, body, {"Content-Type": "application/json"})
    with pytest.raises(errors.IntegrityError, match="without a list"):
        mini.store().tags(NAME)
    with pytest.raises(errors.IntegrityError, match="without a list"):
        mini.store().repositories()


@pytest.mark.parametrize("body", [{"name": NAME}, {"name": NAME, "tags": None}, {"tags": []}])
def test_an_empty_list_is_written_in_three_ways(mini: Scripted, body: dict[str, object]) -> None:
    """Left out, null, or empty: each from the repository that was asked about."""
    mini.script = lambda _asked: Reply(200, orjson.dumps(body), {"Content-Type": "application/json"})
    assert mini.store().tags(NAME) == {}


# --- what refers to an image


def test_github_leads_whoever_asks_for_referrers_to_a_page_and_the_tag_is_asked(
    mini: Scripted, storage: Scripted, image: ends.Descriptor
) -> None:
    """ghcr.io answers 303 to github.com, which soon says 429 (artifacthub#4785): that page is not even asked."""
    mini.referrers = False
    made = Maker(store=mini.store(), repository=NAME).artifact(image, b"signature")
    for place in (f"{storage.url}/-/v2/packages", "http://10.0.0.1/page", "http://[::1"):
        page = Reply(303, headers={"Location": place})
        mini.script = lambda asked, page=page: page if "/referrers/" in asked.path else None  # type: ignore[misc]  # each page
        for trusted in ((), ("127.0.0.1",)):
            found = mini.store(trusted=trusted).referrers(NAME, image.digest)
            assert [one.digest for one in found] == [made.digest]
    assert storage.asked == []


@pytest.mark.parametrize("status", [400, 404, 405, 406, 410, 415, 501])
def test_a_registry_without_such_a_list_says_so_as_it_likes(
    mini: Scripted, image: ends.Descriptor, status: int
) -> None:
    """The specification says 404; whatever it is, the tag is asked."""
    mini.referrers = False
    made = Maker(store=mini.store(), repository=NAME).artifact(image, b"signature")
    mini.script = lambda asked: error(status, "UNSUPPORTED") if "/referrers/" in asked.path else None
    assert [one.digest for one in mini.store().referrers(NAME, image.digest)] == [made.digest]


@pytest.mark.parametrize("kind", ["application/json", f"{oci.OCI_INDEX}; charset=utf-8", ""])
def test_an_index_is_an_index_whatever_it_is_called(mini: Scripted, image: ends.Descriptor, kind: str) -> None:
    """A list that is thrown away for its name is a signature that no site gets."""
    made = Maker(store=mini.store(), repository=NAME).artifact(image, b"signature")
    body = orjson.dumps({"schemaVersion": 2, "manifests": [oci.as_json(made)]})
    mini.script = lambda asked: Reply(200, body, {"Content-Type": kind}) if "/referrers/" in asked.path else None
    assert [one.digest for one in mini.store().referrers(NAME, image.digest)] == [made.digest]


def test_an_empty_list_of_referrers_may_be_null(mini: Scripted, image: ends.Descriptor) -> None:
    """As Go writes a list that it never made."""
    body = orjson.dumps({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": None})
    mini.script = lambda asked: (
        Reply(200, body, {"Content-Type": oci.OCI_INDEX}) if "/referrers/" in asked.path else None
    )
    assert mini.store().referrers(NAME, image.digest) == []


@pytest.mark.parametrize("later", [Reply(200, b"<html>", {"Content-Type": "text/html"}), Reply(404), Reply(200, b"{}")])
def test_a_list_of_referrers_whose_later_page_is_lost_is_no_shorter_list(
    mini: Scripted, image: ends.Descriptor, later: Reply
) -> None:
    """Nor is the tag asked instead: the registry keeps a list, and did not give it."""
    made = Maker(store=mini.store(), repository=NAME).artifact(image, b"signature")
    body = orjson.dumps({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": [oci.as_json(made)]})

    def script(asked: Asked) -> Reply | None:
        if "/referrers/" not in asked.path:
            return None
        said = {"Content-Type": oci.OCI_INDEX, "Link": f'<{asked.path}?page=2>; rel="next"'}
        return later if "page" in asked.query else Reply(200, body, said)

    mini.script = script
    with pytest.raises(errors.LockstepError):
        mini.store().referrers(NAME, image.digest)


# --- bodies


def test_what_a_proxy_packed_is_unpacked(mini: Scripted, image: ends.Descriptor) -> None:
    """Asked for as it is, sent as gzip: the digest is that of the manifest, not of the packet."""

    def script(asked: Asked) -> Reply | None:
        assert asked.headers["accept-encoding"] == "identity"
        reply = mini.answer(asked, b"")
        headers = {**reply.headers, "Content-Encoding": "gzip"}
        headers.pop("Docker-Content-Digest", None)
        return Reply(reply.status, gzip.compress(reply.body, mtime=0), headers)

    mini.script = script
    store = mini.store()
    found = store.resolve(NAME, "v1")
    assert found == ends.Descriptor(media_type=image.media_type, digest=image.digest, size=image.size)
    assert store.manifest(NAME, image.digest) is not None
    assert store.tags(NAME) == {"v1": ""}


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("br", b"x"),
        ("gzip", b"no gzip"),
        ("gzip", gzip.compress(b'{"tags":[]}' * 9, mtime=0)[:-12]),
        ("gzip", gzip.compress(b" " * 64 * MIB, 1, mtime=0)),
        ("gzip, gzip", gzip.compress(b'{"tags":[]}', mtime=0)),
    ],
    ids=["brotli", "none", "cut", "bomb", "twice"],
)
def test_a_packet_that_cannot_be_opened_is_said(mini: Scripted, encoding: str, body: bytes) -> None:
    """In another way, cut, or endless once it is opened."""
    mini.script = lambda _asked: Reply(200, body, {"Content-Encoding": encoding})
    with pytest.raises(errors.IntegrityError, match=r"answers with|encoding"):
        mini.store().tags(NAME)


def test_a_head_without_a_size_is_no_size(mini: Scripted, image: ends.Descriptor) -> None:
    """A proxy that answers a HEAD by itself says 0: the manifest is asked for."""
    mini.script = lambda asked: (
        Reply(200, headers={"Content-Type": image.media_type, "Docker-Content-Digest": image.digest})
        if asked.method == "HEAD"
        else None
    )
    found = mini.store().resolve(NAME, "v1")
    assert found is not None
    assert found.size == image.size


def test_an_upload_that_breaks_while_a_registry_is_away_goes_on(mini: Scripted) -> None:
    """Cut, then 503 to whoever asks how far it came, then there again."""
    replies: list[Swallow | Reply] = [Swallow(9 * MIB), Reply(503)]

    def script(asked: Asked) -> Reply | Swallow | None:
        wanted = "PUT" if len(replies) == 2 else "GET"
        return replies.pop(0) if replies and asked.is_(wanted, "/uploads/") else None

    mini.script = script
    mini.store().write_blob(NAME, BLOB, _chunks())
    assert mini.blobs[NAME][BLOB.digest] == LARGE
