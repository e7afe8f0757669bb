"""Answers that come byte by byte: nobody is held for longer than an answer is worth."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from lockstep import errors
from lockstep.sites.http import places, wire
from tests.support import scripted
from tests.support.scripted import Asked, Reply

# Much longer than any bound here, and than any test may take.
_NEVER = 3600.0


def _call(server: scripted.Scripted) -> wire.Call:
    parts = urlsplit(server.url)
    origin = places.Origin(scheme=parts.scheme, host=parts.hostname or "", port=parts.port or 0)
    return wire.Call(method="GET", target=places.Target(url=f"{server.url}/v2/", origin=origin))


@pytest.fixture
def dripping() -> Iterator[scripted.Scripted]:
    """Answers with a short body, announced as one, of which a byte comes now and then: never silent, never done."""

    def pieces() -> Iterator[bytes]:
        while not server.closing.wait(0.01):
            yield b"x"

    def script(_asked: Asked) -> Reply:
        return Reply(headers={"Content-Length": "60000"}, pieces=pieces())

    with scripted.serving(script) as server:
        yield server


@pytest.mark.parametrize(
    "patience",
    [
        wire.Patience(silence_seconds=_NEVER, slow_seconds=_NEVER, answer_seconds=0.2),
        wire.Patience(silence_seconds=_NEVER, slow_seconds=0.2, answer_seconds=_NEVER),
    ],
    ids=["too late", "too slow"],
)
def test_an_answer_that_drips_is_given_up(dripping: scripted.Scripted, patience: wire.Patience) -> None:
    """However regularly a byte comes: a whole answer has its time, and a body its least speed."""
    with wire.Wire(patience=patience).send(_call(dripping)) as answer, pytest.raises(errors.UnreachableError):
        answer.read(2**20)


def test_the_words_of_an_error_that_drips_are_not_waited_for(dripping: scripted.Scripted) -> None:
    """What came of them is shown."""
    patience = wire.Patience(silence_seconds=0.3, slow_seconds=_NEVER)
    with wire.Wire(patience=patience).send(_call(dripping)) as answer:
        assert set(answer.glimpse()) == {ord("x")}


@pytest.mark.parametrize("drain", [0.2, 0.0])
def test_the_rest_of_an_answer_that_nobody_wants_holds_nobody(dripping: scripted.Scripted, drain: float) -> None:
    """It is read so that the connection can be used again, which is worth a moment and no more."""
    line = wire.Wire(patience=wire.Patience(silence_seconds=_NEVER, slow_seconds=_NEVER, drain_seconds=drain))
    for _ in range(2):
        with line.send(_call(dripping)) as answer:
            assert answer.status == 200
    assert len(dripping.asked) == 2


def test_a_head_that_drips_is_given_up() -> None:
    """A status, and then headers without end: a sign of life each, and never an answer."""
    ended = threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not ended.wait(0.01):
                connection.sendall(b"x")

    patience = wire.Patience(silence_seconds=_NEVER, answer_seconds=0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            server = scripted.Scripted(url=f"http://127.0.0.1:{listening.getsockname()[1]}", script=lambda _: Reply())
            with pytest.raises(errors.UnreachableError), wire.Wire(patience=patience).send(_call(server)):
                pass
        finally:
            ended.set()
            dripping.join()


def test_an_answer_that_says_nothing_more_holds_nobody_either() -> None:
    """The rest of it is not waited for as long as an answer would be."""

    def nothing() -> Iterator[bytes]:
        server.closing.wait()
        yield b""

    patience = wire.Patience(silence_seconds=_NEVER, drain_seconds=0.1)
    with scripted.serving(lambda _asked: Reply(headers={"Content-Length": "10"}, pieces=nothing())) as server:
        with wire.Wire(patience=patience).send(_call(server)) as answer:
            assert answer.status == 200
        # A reader that was held would have been let go by the end of the server alone.
        assert not server.closing.is_set()
