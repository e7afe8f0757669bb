"""Sending to a real receiver of Standard Webhooks, also to a hostile one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from lockstep import errors
from lockstep.sites import channels
from lockstep.sites.channels import standard
from tests.support import receivers

MESSAGE = channels.Message(id="msg_1", timestamp=1_780_000_000, body='{"type": "lockstep.test", "말": "✓"}'.encode())


@pytest.fixture
def receiver() -> Iterator[receivers.Receiver]:
    """A receiver with the secret."""
    with receivers.served() as opened:
        yield opened


def sender(url: str, **wishes: object) -> channels.Receiver:
    """Sends to a URL with both keys."""
    keys = [channels.key_of(receivers.OLDER), channels.key_of(receivers.SECRET)]
    return channels.Receiver(url=url, keys=keys, **wishes)  # type: ignore[arg-type]  # a test's own wishes


def test_a_receiver_verifies_what_it_gets(receiver: receivers.Receiver) -> None:
    """Path with query, body byte for byte, and a signature that an independent receiver believes."""
    sender(receiver.url).send(MESSAGE)
    (came,) = receiver.came
    assert (came.path, came.body, came.believed) == ("/hook?tenant=bank", MESSAGE.body, True)
    assert came.headers["webhook-id"] == "msg_1"
    assert came.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, errors.RefusedError),
        (307, errors.RefusedError),
        (400, errors.UnreachableError),
        (410, errors.RefusedError),
        (429, errors.ThrottledError),
        (500, errors.UnreachableError),
        (503, errors.ThrottledError),
    ],
)
def test_any_other_answer_is_a_failure(
    receiver: receivers.Receiver, status: int, kind: type[errors.LockstepError]
) -> None:
    """Only 2xx is taken; a redirect is not followed, and no error says the URL."""
    with receivers.served() as elsewhere:
        receiver.answers.append((status, {"Location": elsewhere.url, "Retry-After": "120"}))
        with pytest.raises(kind) as failed:
            sender(receiver.url).send(MESSAGE)
        assert elsewhere.came == []
    assert "tenant" not in str(failed.value)
    if isinstance(failed.value, errors.ThrottledError):
        assert failed.value.wait_seconds == 120.0


@pytest.mark.parametrize("wait", ["", "soon", "-1", "99999999", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_wait_that_is_no_number_of_seconds_is_left_to_us(receiver: receivers.Receiver, wait: str) -> None:
    """Dates and nonsense are not believed."""
    receiver.answers.append((429, {"Retry-After": wait}))
    with pytest.raises(errors.ThrottledError) as failed:
        sender(receiver.url).send(MESSAGE)
    assert failed.value.wait_seconds == 0.0


@pytest.mark.parametrize("address", ["10.0.0.7", "127.0.0.1", "169.254.169.254", "::1", "fd00::1"])
def test_a_name_that_leads_to_a_private_address_is_refused(address: str) -> None:
    """Nobody makes us post inside the network by what a name server says."""
    with pytest.raises(errors.RefusedError, match="private"):
        sender("https://hooks.example/x", resolve=lambda _host, _port: [address]).send(MESSAGE)


def test_a_private_address_is_right_where_the_configuration_says_so(receiver: receivers.Receiver) -> None:
    """As an address in the URL itself, or by ``allowPrivate``; the name stays in the request."""
    named = f"http://hooks.example:{receiver.port}/x"
    sender(named, allow_private=True, resolve=lambda _host, _port: ["127.0.0.1"]).send(MESSAGE)
    assert receiver.came[0].headers["host"] == f"hooks.example:{receiver.port}"
    sender(f"http://localhost:{receiver.port}/x", resolve=lambda _host, _port: ["127.0.0.1"]).send(MESSAGE)
    assert len(receiver.came) == 2


@pytest.mark.parametrize(
    "url", ["", "hooks", "ftp://hooks/x", "https://me:secret@hooks/x", "https://hooks/ x", "http://"]
)
def test_a_url_that_is_none_is_refused_and_not_repeated(url: str) -> None:
    """It is a secret: a wrong one too."""
    with pytest.raises(errors.InputError) as refused:
        sender(url).send(MESSAGE)
    assert "hooks" not in str(refused.value)


def test_a_body_beyond_the_recommended_size_is_not_sent(receiver: receivers.Receiver) -> None:
    """20 kB at most."""
    with pytest.raises(errors.InputError, match="too large"):
        sender(receiver.url).send(channels.Message(id="msg_1", timestamp=1, body=b"x" * (standard.MOST_BYTES + 1)))
    assert receiver.came == []


def test_a_receiver_that_drips_is_cut_at_the_deadline() -> None:
    """A byte now and then is no answer, however long it goes on."""
    stop = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 ")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"O")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        try:
            with pytest.raises(errors.UnreachableError):
                sender(f"http://127.0.0.1:{listening.getsockname()[1]}/", deadline_seconds=0.3).send(MESSAGE)
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize(
    "said", [b"", b"\x00\xff" * 50, b"HTTP/1.1 nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500]
)
def test_what_is_no_http_is_no_answer(said: bytes) -> None:
    """Nothing, nonsense and endless headers are each a failure that can be tried again."""

    def answer(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=(listening,))
        thread.start()
        with pytest.raises(errors.UnreachableError):
            sender(f"http://127.0.0.1:{listening.getsockname()[1]}/").send(MESSAGE)
        thread.join()
