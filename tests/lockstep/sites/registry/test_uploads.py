"""Uploads that break: they go on where the registry stopped, in this process or the next, never with a wrong byte."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import ends
from lockstep.sites.registry.feed import Feed, ForgottenError
from lockstep.sites.registry.sessions import WORTH_BYTES, Sessions
from tests.support import images, mini_registry
from tests.support.killing import Forked
from tests.support.mini_registry import Asked, Reply, Scripted, Swallow, error

NAME = "pay/api"
MIB = 2**20
LARGE = bytes(range(256)) * (10 * 4096)  # 10 MiB
BLOB = images.blob(LARGE)


def _chunks(data: bytes = LARGE, size: int = MIB // 2) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def _breaking(*at: int, method: str = "PUT") -> mini_registry.Script:
    """The line breaks after so many bytes of a body, once for each of these."""
    left = list(at)

    def script(asked: Asked) -> Swallow | None:
        return Swallow(left.pop(0)) if left and asked.is_(method, "/uploads/") else None

    return script


def test_a_blob_goes_out_in_two_requests(mini: Scripted) -> None:
    """One to begin, one with all of it; however large it is."""
    for blob, chunks in ((BLOB, _chunks()), (images.blob(b"small"), iter([b"small"]))):
        mini.asked.clear()
        mini.store().write_blob(NAME, blob, chunks)
        assert [one.method for one in mini.asked] == ["POST", "PUT"]
    assert mini.blobs[NAME] == {BLOB.digest: LARGE, images.digest(b"small"): b"small"}


def test_an_upload_that_breaks_goes_on_where_the_registry_stopped(mini: Scripted) -> None:
    """What it has is asked for, and only the rest is sent; more than once if it must be."""
    mini.script = _breaking(9 * MIB)
    mini.store().write_blob(NAME, BLOB, _chunks())
    assert mini.blobs[NAME][BLOB.digest] == LARGE
    assert mini.received == len(LARGE)
    assert [one.headers.get("content-range") for one in mini.asked if one.method == "PATCH"] == [
        f"{9 * MIB}-{10 * MIB - 1}"
    ]


def test_an_upload_that_broke_too_far_back_is_read_anew(mini: Scripted) -> None:
    """A registry that lost what we no longer hold: an error that says so, and the next try succeeds."""
    blob = images.blob(LARGE * 2)
    store = mini.store()
    store._uploads.window = MIB

    def lose(asked: Asked) -> Swallow | Reply | None:
        if asked.is_("PUT", "/uploads/") and mini.count("PUT") == 1:
            return Swallow(15 * MIB)
        if asked.is_("GET", "/uploads/"):
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        return None

    mini.script = lose
    with pytest.raises(ForgottenError, match="broke too far back"):
        store.write_blob(NAME, blob, _chunks(LARGE * 2))
    assert blob.digest not in mini.blobs.get(NAME, {})
    store.write_blob(NAME, blob, _chunks(LARGE * 2))
    assert mini.blobs[NAME][blob.digest] == LARGE * 2


def test_a_small_blob_is_sent_again_when_another_node_knows_nothing_of_its_upload(mini: Scripted) -> None:
    """Two nodes behind one address (harbor#17504, harbor#10052): the PUT comes to the one that did not begin it."""
    gone = iter([error(404, "BLOB_UPLOAD_UNKNOWN")])
    mini.script = lambda asked: next(gone, None) if asked.is_("PUT", "/uploads/") else None
    mini.store().write_blob(NAME, images.blob(b"small"), [b"small"])
    assert mini.blobs[NAME][images.digest(b"small")] == b"small"
    assert mini.count("POST", "/uploads/") == 2


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "large"])
def test_an_upload_stays_with_the_node_that_began_it(mini: Scripted, data: bytes) -> None:
    """harbor#10052: a balancer tells nodes by a cookie: every request about an upload shows it.

    No other request does, and what else came in the header is the balancer's own.
    """

    def balance(asked: Asked) -> Reply | Swallow | None:
        if asked.method == "POST":
            mini.uploads["of-node-b"] = bytearray()
            place = {"Location": f"/v2/{NAME}/blobs/uploads/of-node-b", "Set-Cookie": "node=b; Path=/; HttpOnly"}
            return Reply(202, headers=place)
        if "/uploads/" in asked.path and asked.headers.get("cookie") != "node=b":
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        return Swallow(9 * MIB) if asked.method == "PUT" and data is LARGE and mini.count("PUT") == 1 else None

    mini.script = balance
    store = mini.store()
    store.write_blob(NAME, images.blob(data), _chunks(data))
    assert mini.blobs[NAME][images.digest(data)] == data
    assert mini.count("POST") == 1
    store.tags(NAME)
    assert all("cookie" not in one.headers for one in mini.asked if "/uploads/of-" not in one.path)


def test_a_cookie_is_shown_to_nobody_else(mini: Scripted) -> None:
    """Not to the storage that an upload goes on at, nor where a request about it is sent on to."""
    with mini_registry.serve() as elsewhere:
        away = f"{elsewhere.url}/v2/{NAME}/blobs/uploads/theirs"
        elsewhere.uploads["theirs"] = bytearray()
        mini.script = lambda asked: (
            Reply(202, headers={"Location": away, "Set-Cookie": "node=b"}) if asked.method == "POST" else None
        )
        mini.store(trusted=(elsewhere.origin.host,)).write_blob(NAME, images.blob(b"small"), [b"small"])
        assert elsewhere.blobs[NAME]
        elsewhere.uploads["theirs"] = bytearray()
        mini.script = lambda asked: (
            Reply(202, headers={"Location": f"/v2/{NAME}/blobs/uploads/here", "Set-Cookie": "node=b"})
            if asked.method == "POST"
            else Reply(307, headers={"Location": f"{away}?{asked.raw_query}"})
        )
        mini.store(trusted=(elsewhere.origin.host,)).write_blob(NAME, images.blob(b"other"), [b"other"])
        assert mini.asked[-1].headers["cookie"] == "node=b"
        assert images.digest(b"other") in elsewhere.blobs[NAME]
        assert all("cookie" not in one.headers for one in elsewhere.asked)


@pytest.mark.parametrize("code", ["BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN"])
def test_a_registry_that_never_knows_its_own_upload_is_given_up(mini: Scripted, code: str) -> None:
    """No end of trying; what is left there is cancelled."""
    mini.script = lambda asked: error(404, code) if asked.is_("PUT", "/uploads/") else None
    for blob, data in ((images.blob(b"small"), b"small"), (BLOB, LARGE)):
        with pytest.raises(errors.ConflictError):
            mini.store().write_blob(NAME, blob, _chunks(data))
    assert mini.count("POST", "/uploads/") <= 6
    assert mini.blobs.get(NAME, {}) == {}


def test_a_proxy_that_takes_no_large_body_gets_it_in_parts(mini: Scripted) -> None:
    """After 413 the rest, and every later blob, goes by PATCH; parts are at least as large as the registry wants."""
    store = mini.store()
    store._uploads.part_bytes = 2 * MIB

    def small_bodies(asked: Asked) -> Reply | None:
        if int(asked.headers.get("content-length", 0)) > 4 * MIB:
            return Reply(413, b"<html>nginx</html>")
        if asked.is_("POST", "/uploads/"):
            begun = mini.answer(asked, b"")
            return replace(begun, headers={**begun.headers, "OCI-Chunk-Min-Length": str(3 * MIB)})
        return None

    mini.script = small_bodies
    with pytest.raises(ForgottenError):  # so much was sent before the answer was read that it is read anew
        store.write_blob(NAME, BLOB, _chunks())
    for blob, data in ((BLOB, LARGE), (images.blob(LARGE + b"x"), LARGE + b"x")):
        mini.asked.clear()
        store.write_blob(NAME, blob, _chunks(data))
        ranges = [one.headers["content-range"] for one in mini.asked if one.method == "PATCH"]
        sizes = [int(end) - int(begin) + 1 for begin, end in (one.split("-") for one in ranges)]
        assert sum(sizes) == blob.size
        assert all(size == 3 * MIB for size in sizes[:-1])
        assert mini.blobs[NAME][blob.digest] == data


def test_a_part_that_was_taken_in_part_is_finished(mini: Scripted) -> None:
    """The registry says how much it has: less than was sent."""
    store = mini.store()
    store._uploads.in_parts = True
    store._uploads.part_bytes = 4 * MIB
    mini.script = _breaking(3 * MIB, method="PATCH")
    store.write_blob(NAME, BLOB, _chunks())
    assert mini.blobs[NAME][BLOB.digest] == LARGE
    assert mini.received == len(LARGE)


@pytest.mark.parametrize("status", [400, 403, 409, 500])
def test_a_registry_that_does_not_mount_gets_the_blob_sent(mini: Scripted, status: int) -> None:
    """Quay fails when a mount names no origin: asked once, and then no more."""
    mini.script = lambda asked: error(status, "UNSUPPORTED") if "mount" in asked.query else None
    store = mini.store()
    for data in (b"one", b"two"):
        store.write_blob(NAME, images.blob(data), [data])
    assert len(mini.blobs[NAME]) == 2
    assert sum("mount" in one.query for one in mini.asked) <= 3


def test_a_blob_that_the_registry_has_elsewhere_is_not_sent(mini: Scripted) -> None:
    """An anonymous mount: the chunks are not even asked for."""
    mini.store().write_blob("other/repository", BLOB, _chunks())

    unread = iter([b"nobody needs these bytes"])
    mini.store().write_blob(NAME, BLOB, unread)
    assert list(unread)
    assert mini.blobs[NAME][BLOB.digest] == LARGE


# --- the next process


@pytest.mark.chaos
def test_killed_in_the_middle_of_a_blob_the_next_process_sends_only_the_rest(mini: Scripted, tmp_path: Path) -> None:
    """The upload was remembered on disk; its bytes are read and verified again, and 7 MiB are not sent twice."""
    stopped = Path(tmp_path / "stopped")

    def until_killed() -> Iterator[bytes]:
        yield from _chunks(LARGE[: 7 * MIB])
        stopped.touch()
        while True:
            yield b""

    with Forked(lambda: mini.store(uploads=tmp_path / "uploads").write_blob(NAME, BLOB, until_killed())) as child:
        while not stopped.exists():
            pass
        child.kill()
    (held,) = mini.uploads.values()
    while not held:  # the registry notices that the line broke, and keeps what came
        pass
    kept, before = len(held), mini.received
    assert kept > 5 * MIB
    mini.store(uploads=tmp_path / "uploads").write_blob(NAME, BLOB, _chunks())
    assert mini.blobs[NAME][BLOB.digest] == LARGE
    assert mini.received - before == len(LARGE) - kept
    assert list((tmp_path / "uploads").iterdir()) == []


def test_bytes_that_changed_since_the_upload_was_begun_never_complete_it(mini: Scripted, tmp_path: Path) -> None:
    """The source lies the second time: what was sent the first time does not help it."""
    sessions = Sessions(directory=tmp_path, registry=mini.url)
    mini.uploads["half"] = bytearray(LARGE[: 5 * MIB])
    sessions.keep(NAME, BLOB, f"{mini.url}/v2/{NAME}/blobs/uploads/half")
    wrong = b"!" + LARGE[1:]
    with pytest.raises(errors.IntegrityError, match="is not the blob"):
        mini.store(uploads=tmp_path).write_blob(NAME, BLOB, _chunks(wrong))
    assert mini.blobs.get(NAME, {}) == {}
    assert mini.uploads == {}  # cancelled
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "location",
    ["/v2/pay/api/blobs/uploads/gone", "http://169.254.169.254/latest", "nonsense\r\n", "http://127.0.0.1:1/v2/x"],
)
def test_an_upload_that_cannot_be_taken_up_is_begun_anew(mini: Scripted, tmp_path: Path, location: str) -> None:
    """It is gone, or somebody wrote something else into the file."""
    Sessions(directory=tmp_path, registry=mini.url).keep(NAME, BLOB, location)
    mini.store(uploads=tmp_path).write_blob(NAME, BLOB, _chunks())
    assert mini.blobs[NAME][BLOB.digest] == LARGE


def test_an_upload_is_remembered_for_a_day_by_its_owner_alone(tmp_path: Path) -> None:
    """Mode 0600, taken by one, for this registry, repository and blob; small blobs are not worth it."""
    now = [1000.0]
    sessions = Sessions(directory=tmp_path / "uploads", registry="https://a.example", now=lambda: now[0])
    sessions.keep(NAME, BLOB, "https://a.example/1")
    (file,) = (tmp_path / "uploads").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert replace(sessions, registry="https://b.example").take(NAME, BLOB) == ""
    assert sessions.take("pay/settle", BLOB) == ""
    assert [sessions.take(NAME, BLOB), sessions.take(NAME, BLOB)] == ["https://a.example/1", ""]
    sessions.keep(NAME, BLOB, "https://a.example/2")
    now[0] += 86_401
    assert sessions.take(NAME, BLOB) == ""
    sessions.keep(NAME, replace(BLOB, size=WORTH_BYTES - 1), "https://a.example/3")
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"location":5,"at":1.0}', b'{"location":"x"}', b"\xff"])
def test_a_damaged_memory_is_no_memory(tmp_path: Path, text: bytes) -> None:
    """Nothing is made of it."""
    sessions = Sessions(directory=tmp_path, registry="https://a.example", now=lambda: 1.0)
    sessions.keep(NAME, BLOB, "https://a.example/1")
    (file,) = tmp_path.iterdir()
    file.write_bytes(text)
    assert sessions.take(NAME, BLOB) == ""


def test_a_place_that_cannot_be_written_only_costs_the_memory(mini: Scripted, tmp_path: Path) -> None:
    """The blob arrives all the same."""
    (tmp_path / "uploads").write_text("a file, not a directory")
    mini.store(uploads=tmp_path / "uploads").write_blob(NAME, BLOB, _chunks())
    assert mini.blobs[NAME][BLOB.digest] == LARGE


# --- the feed


def test_a_feed_replays_what_it_remembers_and_no_more() -> None:
    """A little way back, any number of times; further back is an error."""
    feed = Feed(images.blob(b"abcdefghij"), iter([b"abc", b"", b"def", b"gh", b"ij"]), window=4)
    assert b"".join(feed.span(0, 8)) == b"abcdefgh"
    assert b"".join(feed.span(5, 10)) == b"fghij"
    assert b"".join(feed.span(6, 10)) == b"ghij"
    with pytest.raises(ForgottenError):
        next(feed.span(0, 10))


def test_a_feed_passes_over_what_the_other_side_has() -> None:
    """From the middle on: what was skipped is verified with the rest."""
    assert b"".join(Feed(BLOB, _chunks()).span(9 * MIB + 5, len(LARGE))) == LARGE[9 * MIB + 5 :]
    wrong: ends.Descriptor = images.blob(b"x" + LARGE[1:])
    with pytest.raises(errors.IntegrityError):
        b"".join(Feed(wrong, _chunks()).span(9 * MIB, len(LARGE)))


def _lying(raises: bool) -> Iterator[bytes]:
    """Ten bytes in three chunks; whoever gives them may learn at their end that they are wrong."""
    yield from (b"abc", b"def", b"ghij")
    if raises:
        raise errors.IntegrityError("The source has other bytes.")


def test_verified_chunks_are_ended_by_their_giver_and_counted_here() -> None:
    """Read once for many sites, a blob is hashed once; its last chunk is given when the giver ended without a word."""
    blob: ends.Descriptor = images.blob(b"abcdefghij")
    assert Feed(blob, ends.Verified(_lying(raises=False))).whole() == b"abcdefghij"
    given: list[bytes] = []
    with pytest.raises(errors.IntegrityError, match="other bytes"):
        given.extend(Feed(blob, ends.Verified(_lying(raises=True))).span(0, 10))
    assert b"".join(given) == b"abcdef"
    for size in (9, 11):
        with pytest.raises(errors.IntegrityError, match=f"and {size} bytes"):
            Feed(replace(blob, size=size), ends.Verified(_lying(raises=False))).whole()
