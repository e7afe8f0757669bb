"""What goes to a site goes at the pace of its line: over http, https and ssh, refs, objects and large files."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites import git
from lockstep.sites.ends import LargeFile, PushOutcome, RefUpdate
from lockstep.sites.git import relay
from lockstep.sites.line import Pace
from tests.support import git_http, sshd
from tests.support.lfs_http import Lfs
from tests.support.repositories import Repository

MAIN = "refs/heads/main"
SIZE = 300_000


class Meter(Pace):
    """A line that only counts what goes over it."""

    def __init__(self) -> None:
        super().__init__(1e9)
        self.portions: list[int] = []

    def wait(self, size: int) -> None:
        """Count."""
        self.portions.append(size)

    @property
    def sent(self) -> int:
        """Bytes."""
        return sum(self.portions)


@pytest.fixture
def pushed(source: Repository, cache: git.Cache) -> list[RefUpdate]:
    """What is to be pushed: bytes that no packing makes smaller. Our own copy has them."""
    source.commit(MAIN, {"random": os.urandom(SIZE)})
    cache.fetch(git.Remote(location=str(source.path)), source.refs())
    return [RefUpdate(ref=ref, old="", new=oid) for ref, oid in source.refs().items()]


def _push(cache: git.Cache, remote: git.Remote, updates: list[RefUpdate]) -> set[PushOutcome]:
    return {result.outcome for result in cache.push(remote, updates)}


@pytest.mark.parametrize("secure", [False, True])
def test_a_push_over_http_goes_at_the_pace_of_the_line(
    tmp_path: Path, site: Repository, cache: git.Cache, pushed: list[RefUpdate], secure: bool
) -> None:
    """Every byte of it, in portions of at most 64 KiB; over https the certificate is the server's own."""
    certificate = git_http.certificate(tmp_path) if secure else None
    meter = Meter()
    with git_http.serve(site.path.parents[1], certificate=certificate) as server:
        access = git.Access(ca=certificate.read_text() if certificate else "")
        remote = git.Remote(location=f"{server.url}/bank/pay.git", access=access, pace=meter)
        assert _push(cache, remote, pushed) == {PushOutcome.UPDATED}
    assert meter.sent > SIZE
    assert max(meter.portions) <= 2**16
    assert site.refs() == {update.ref: update.new for update in pushed}


@pytest.mark.needs("sshd")
def test_a_push_over_ssh_goes_at_the_pace_of_the_line(
    tmp_path: Path, site: Repository, cache: git.Cache, pushed: list[RefUpdate]
) -> None:
    """The host proves itself by its own key, under its own name."""
    meter = Meter()
    with sshd.serve(tmp_path / "ssh") as host:
        access = git.Access(ssh_key=host.key, known_hosts=host.known_hosts)
        remote = git.Remote(location=f"ssh://{host.host}{site.path}", access=access, pace=meter)
        assert _push(cache, remote, pushed) == {PushOutcome.UPDATED}
        strange = git.Access(ssh_key=host.key, known_hosts=host.known_hosts.replace("AAAA", "AAAB"))
        with pytest.raises(errors.UnreachableError):
            git.Remote(location=remote.location, access=strange, pace=meter).advertised()
    assert meter.sent > SIZE


def test_a_large_file_goes_at_the_pace_of_the_line(tmp_path: Path, site: Repository) -> None:
    """Exactly its bytes; those that come back from the site are not held up."""
    content = os.urandom(SIZE)
    file = LargeFile(oid=hashlib.sha256(content).hexdigest(), size=SIZE)
    meter = Meter()
    with git_http.serve(site.path.parents[1]) as server:
        server.lfs = Lfs()
        large = git.Remote(location=f"{server.url}/bank/pay.git", pace=meter).large_files()
        large.write(file, [content])
        assert server.lfs.files == {file.oid: content}
        assert meter.sent == SIZE
        assert max(meter.portions) <= 2**16
        with large.read(file) as chunks:
            assert b"".join(chunks) == content
    assert meter.sent == SIZE


@pytest.mark.parametrize("scheme", ["http", "ssh"])
def test_a_server_that_is_away_is_unreachable_through_the_relay_too(scheme: str) -> None:
    """Port 1 is nobody's."""
    access = git.Access(known_hosts="[127.0.0.1]:1 ssh-ed25519 AAAA")
    with pytest.raises(errors.UnreachableError):
        git.Remote(location=f"{scheme}://127.0.0.1:1/x.git", access=access, pace=Meter()).advertised()


@pytest.fixture
def echo() -> Iterator[relay.Place]:
    """A server that sends back what it hears, once it has heard all of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                heard = b"".join(iter(lambda: connection.recv(2**16), b""))
                connection.sendall(heard[::-1])

        thread = threading.Thread(target=serve)
        thread.start()
        yield relay.Place(host="127.0.0.1", port=listener.getsockname()[1])
        thread.join()


_ADDRESSES = [b"\x03\x0bmetadata.ip\x00\x50", b"\x01\xa9\xfe\xa9\xfe\x00\x50", b"\x04" + bytes(18)]


@pytest.mark.parametrize("asked", _ADDRESSES)
def test_a_relay_leads_to_one_place_whatever_is_asked(echo: relay.Place, asked: bytes) -> None:
    """Nobody on this machine reaches anything else through it."""
    with relay.opened(echo, Meter(), socks=True) as port, _connected(port, asked) as client:
        client.sendall(b"hello")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(10, socket.MSG_WAITALL) == b"olleh"


def test_the_end_of_a_relay_ends_what_goes_through_it(echo: relay.Place) -> None:
    """A client that still waits is told; nobody can come in any more."""
    with relay.opened(echo, Meter(), socks=True) as port:
        client = _connected(port, _ADDRESSES[0])
    with client:
        assert client.recv(10) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def _connected(port: int, asked: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.sendall(b"\x05\x01\x00")
    assert client.recv(2, socket.MSG_WAITALL) == b"\x05\x00"
    client.sendall(b"\x05\x01\x00" + asked)
    assert client.recv(10, socket.MSG_WAITALL)[:2] == b"\x05\x00"
    return client
