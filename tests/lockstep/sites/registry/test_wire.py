"""The wire: TLS with the authorities that a site names, and connections to judged addresses only."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lockstep import errors
from lockstep.sites.http import distrust, places
from lockstep.sites.http.places import Guard, Origin
from lockstep.sites.http.wire import Wire
from lockstep.sites.registry import RegistryStore
from lockstep.sites.registry.conversation import Conversation
from tests.support import images, mini_registry
from tests.support.images import Maker
from tests.support.mini_registry import QUICK, Asked, Reply, Scripted

pytestmark = pytest.mark.needs("openssl")


def _certificate(folder: Path, *names: str) -> Path:
    """A key and a certificate for some names that only itself vouches for, in one file."""
    file, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=tests", "-addext", f"subjectAltName={','.join(names)}", "-keyout", str(key), "-out", str(file)],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + key.read_bytes())
    return file


def _public(certificate: Path) -> str:
    return certificate.read_text().partition("-----BEGIN PRIVATE")[0].partition("-----BEGIN EC")[0]


def _store(running: Scripted, ca: str = "") -> RegistryStore:
    return RegistryStore(Conversation(Wire(ca=ca, patience=QUICK), Guard(home=running.origin)))


def test_a_registry_is_believed_by_the_authorities_that_its_site_names(tmp_path: Path) -> None:
    """Over TLS with them; without them nobody knows who answers."""
    certificate = _certificate(tmp_path, "IP:127.0.0.1")
    with mini_registry.serve(certificate=certificate) as running:
        made = Maker(store=_store(running, _public(certificate)), repository="pay/api").image(b"layer", tag="v1")
        assert made.size
        with pytest.raises(
            errors.UnreachableError, match=r"not believed: self-signed certificate\. Give its authority"
        ):
            _store(running).resolve("pay/api", "v1")


def test_authorities_that_are_none_are_refused_and_their_place_is_named() -> None:
    """They are read when the first connection is made."""
    wire = Wire(ca="not PEM", ca_from="the file ca.pem", patience=QUICK)
    store = RegistryStore(Conversation(wire, Guard(home=Origin(scheme="https", host="x", port=1))))
    with pytest.raises(errors.InputError, match=r"from the file ca\.pem\. Give them as PEM"):
        store.resolve("pay/api", "v1")


def test_a_server_without_tls_is_told_apart_from_one_that_is_away(mini: Scripted) -> None:
    """A scheme that is mistyped in a URL sends nobody to look at cables."""
    guard = Guard(home=Origin(scheme="https", host=mini.origin.host, port=mini.origin.port))
    with pytest.raises(errors.UnreachableError, match=r"does not speak TLS\. Write http://"):
        RegistryStore(Conversation(Wire(patience=QUICK), guard)).resolve("pay/api", "v1")


@pytest.mark.parametrize(
    ("why", "remedy"),
    [
        ("certificate has expired", "Renew it there, or set the clock that is wrong."),
        ("certificate is not yet valid", "Renew it there, or set the clock that is wrong."),
        ("Hostname mismatch, certificate is not valid for 'x'", "Give its authority in `ca`, or mend the certificate."),
    ],
)
def test_why_a_certificate_is_not_believed_is_told_with_what_to_do(why: str, remedy: str) -> None:
    """A clock that is wrong at night looks like a certificate that ended: both are named."""
    found = distrust.of("https://x", f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {why} (_ssl.c:1)")
    assert str(found) == f"https://x shows a certificate that is not believed: {why}. {remedy}"
    assert distrust.of("https://x", "[Errno 111] Connection refused") is None


def test_another_host_is_reached_at_the_judged_address_under_its_own_name(
    tmp_path: Path, mini: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is asked for once; TLS and Host still speak of the name, so that nobody can stand in for it."""
    certificate = _certificate(tmp_path, "DNS:storage.example")
    monkeypatch.setattr(places, "is_public", lambda _address: True)
    made = Maker(store=mini.store(), repository="pay/api").put(b"layer")
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with mini_registry.serve(lambda _asked: Reply(200, b"layer"), certificate=certificate) as storage:
        place = f"https://storage.example:{storage.origin.port}/bucket?signature=1"
        mini.script = lambda one: Reply(307, headers={"Location": place}) if one.is_("GET", "/blobs/") else None
        guard = Guard(home=mini.origin, resolve=resolve)
        store = RegistryStore(Conversation(Wire(ca=_public(certificate), patience=QUICK), guard))
        assert images.read(store, "pay/api", made) == b"layer"
        assert storage.asked[0].headers["host"] == f"storage.example:{storage.origin.port}"
        mini.script = lambda one: (
            Reply(307, headers={"Location": place.replace("storage", "other")}) if one.is_("GET", "/blobs/") else None
        )
        with pytest.raises(errors.UnreachableError, match="certificate"):
            images.read(store, "pay/api", made)
    assert asked[0] == "storage.example"


def test_a_connection_is_used_for_many_requests(mini: Scripted) -> None:
    """Found or not found, with a body that nobody read or without one: the next request goes over the same line."""
    store = mini.store()
    made = Maker(store=store, repository="pay/api").image(b"layer", tag="v1")
    ports = set()

    def note(asked: Asked) -> None:
        ports.add(asked.port)

    mini.script = note
    for _ in range(5):
        assert store.resolve("pay/api", "v1") == made
        assert store.resolve("pay/api", "v2") is None
        assert store.manifest("pay/api", images.digest(b"absent")) is None
        assert store.has_blob("pay/api", images.blob(b"layer"))
        assert not store.has_blob("pay/api", images.blob(b"absent"))
        assert store.tags("pay/other") is None
        Maker(store=store, repository="pay/api").put(b"another")
    assert len(ports) == 1
