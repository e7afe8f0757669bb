"""Calls: tried again where that helps, over in time whatever the other side does."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from lockstep import errors
from lockstep.sites.cluster.transport import TooLargeError
from tests.lockstep.sites.cluster import calling
from tests.support import scripted
from tests.support.scripted import Reply, said


def test_a_server_that_is_busy_is_asked_again_after_what_it_says() -> None:
    """``Retry-After`` is honoured, and nobody comes back at the same moment as all the others."""
    waits: list[float] = []
    busy = said(calling.status(429, "too many requests"), 429, Retry_After="7")
    with scripted.serving(calling.after(2, busy, calling.config)) as server:
        assert calling.api(server, waits=waits).json(calling.CALL)["kind"] == "ConfigMap"
    assert len(waits) == 2
    assert all(7 < seconds <= 8 for seconds in waits)


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_server_that_fails_is_asked_again_a_few_times(code: int) -> None:
    """Each pause is longer; at last the failure is said."""
    waits: list[float] = []
    with scripted.serving(lambda _: said(calling.status(code, "etcd has no leader"), code)) as server:
        with pytest.raises(errors.FaultError, match="etcd has no leader"):
            calling.api(server, waits=waits, tries=4).send(calling.CALL)
        assert len(server.asked) == 4
    assert waits == sorted(waits)


def test_a_server_that_asks_for_more_patience_than_there_is_gets_none() -> None:
    """The call ends with the answer that it has."""
    busy = said(calling.status(429), 429, Retry_After="3600")
    waits: list[float] = []
    with scripted.serving(lambda _: busy) as server, pytest.raises(errors.ThrottledError) as caught:
        calling.api(server, waits=waits).send(calling.CALL)
    assert (caught.value.wait_seconds, waits) == (3600, [])


@pytest.mark.parametrize("first", [Reply(cut=True), Reply(body=b'{"kind"', cut=True)])
def test_a_line_that_is_cut_is_tried_again_at_once(first: Reply) -> None:
    """Most often it is a connection that the server had closed while nobody used it."""
    waits: list[float] = []
    with scripted.serving(calling.after(1, first, calling.config)) as server:
        assert calling.api(server, waits=waits).json(calling.CALL)["kind"] == "ConfigMap"
    assert waits == [0.0]


def test_a_server_that_trickles_is_given_up_at_the_deadline() -> None:
    """Every byte is a sign of life, and the call ends all the same."""

    def trickle() -> Iterator[bytes]:
        while not server.closing.wait(0.02):
            yield b" "

    with scripted.serving(lambda _: Reply(pieces=trickle())) as server:
        began = time.monotonic()
        with pytest.raises(errors.UnreachableError, match="in time"):
            calling.api(server, call_seconds=0.3).send(calling.CALL)
        assert time.monotonic() - began < 10


def test_a_server_that_says_nothing_is_given_up() -> None:
    """A connection that stands is no answer."""

    def nothing() -> Iterator[bytes]:
        server.closing.wait()
        yield b""

    with (
        scripted.serving(lambda _: Reply(pieces=nothing())) as server,
        pytest.raises(errors.UnreachableError, match="in time"),
    ):
        calling.api(server, silence_seconds=0.2).send(calling.CALL)


def test_nobody_there_is_unreachable() -> None:
    """And the message says what the operating system says."""
    with scripted.serving(lambda _: calling.config()) as server:
        pass
    with pytest.raises(errors.UnreachableError, match="refused"):
        calling.api(server).send(calling.CALL)


def test_credentials_go_nowhere_else() -> None:
    """A redirect is refused, not followed."""
    with (
        scripted.serving(lambda _: calling.config()) as elsewhere,
        scripted.serving(lambda _: Reply(status=302, headers={"Location": elsewhere.url})) as server,
    ):
        with pytest.raises(errors.RefusedError, match="another place"):
            calling.api(server).send(calling.CALL)
        assert elsewhere.asked == []


def test_a_login_page_is_no_kubernetes() -> None:
    """A proxy in between often answers 200."""
    page = Reply(headers={"Content-Type": "text/html"}, body=b"<html>Please sign in</html>")
    with scripted.serving(lambda _: page) as server, pytest.raises(errors.UnreachableError, match="text/html"):
        calling.api(server).json(calling.CALL)


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_without_bounds_is_not_read(packed: bool) -> None:
    """Neither as it comes over the line, nor as it unfolds."""
    body = b" " * 2**20
    reply = Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(body)) if packed else Reply(body=body)
    with scripted.serving(lambda _: reply) as server, pytest.raises(TooLargeError):
        calling.api(server, most_bytes=2**18).send(calling.CALL)


def test_an_answer_may_be_packed_in_as_many_members_as_it_likes() -> None:
    """RFC 1952 puts them one after the other, and some proxies do."""
    body = b"".join(gzip.compress(part) for part in (b'{"kind":', b"", b'"ConfigMap"}'))
    with scripted.serving(lambda _: Reply(headers={"Content-Encoding": "gzip"}, body=body)) as server:
        assert calling.api(server).json(calling.CALL) == {"kind": "ConfigMap"}


@pytest.mark.parametrize(
    "body",
    [gzip.compress(b'{"kind":"ConfigMap"}')[:-9], b"plain", gzip.compress(b"{}") + b"x"],
    ids=["cut", "plain", "followed"],
)
def test_an_answer_that_cannot_be_unpacked_whole_is_none(body: bytes) -> None:
    """What was cut short could look like less than there is."""
    with (
        scripted.serving(lambda _: Reply(headers={"Content-Encoding": "gzip"}, body=body)) as server,
        pytest.raises(errors.UnreachableError, match="unpacked"),
    ):
        calling.api(server).json(calling.CALL)


def test_renewed_credentials_are_looked_for_once() -> None:
    """The file or the plugin may have others by now; a server that knows neither is not asked for ever."""
    with scripted.serving(calling.after(1, said(calling.status(401), 401), calling.config)) as server:
        calling.api(server).send(calling.CALL)
        assert [one.headers["authorization"] for one in server.asked] == ["Bearer t0", "Bearer t1"]
    with scripted.serving(lambda _: said(calling.status(401), 401)) as server:
        with pytest.raises(errors.UnauthorisedError):
            calling.api(server).send(calling.CALL)
        assert len(server.asked) == 2


def test_no_more_calls_go_there_at_once_than_are_allowed() -> None:
    """However many threads want something."""
    now, most, lock = 0, 0, threading.Lock()

    def script(_: scripted.Asked) -> Reply:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        entered.wait(0.01)
        with lock:
            now -= 1
        return calling.config()

    entered = threading.Event()
    with scripted.serving(script) as server, ThreadPoolExecutor(max_workers=12) as pool:
        api = calling.api(server, at_once=3)
        list(pool.map(lambda _: api.send(calling.CALL), range(24)))
        assert len(server.asked) == 24
    assert most <= 3


def test_a_turn_that_does_not_come_in_time_is_said() -> None:
    """One call that hangs does not take the others with it."""
    release = threading.Event()

    def script(_: scripted.Asked) -> Reply:
        release.wait(20)
        return calling.config()

    with scripted.serving(script) as server, ThreadPoolExecutor(max_workers=1) as pool:
        api = calling.api(server, at_once=1)
        hanging = pool.submit(api.send, calling.CALL)
        while not server.asked:
            assert not hanging.done()
        with pytest.raises(errors.UnreachableError, match="no turn"):
            api.send(calling.CALL, until=time.monotonic() + 0.05)
        release.set()
        assert hanging.result().status == 200
