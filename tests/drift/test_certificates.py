"""Until when certificates in Secrets are valid, and that nothing in one can do harm."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift import certificates, inventory
from lockstep.sites import ends
from lockstep.values import Json
from tests.drift import golden
from tests.support import certificates as made
from tests.support import drifting


def secret(**data: bytes) -> dict[str, Json]:
    """A Secret."""
    encoded = {name.replace("_", "."): base64.b64encode(value).decode() for name, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls", "namespace": "pay"}, "data": encoded}


@pytest.mark.needs("openssl")
def test_the_end_of_a_real_certificate_is_read(tmp_path: Path) -> None:
    """Of the first in its chain; its key, and what is no certificate, are not looked at."""
    server = made.authority(tmp_path).server()
    chain = server.certificate.read_bytes() * 2
    manifest = secret(tls_crt=chain, tls_key=server.key.read_bytes(), note=b"no certificate")
    (found,) = certificates.of_manifest(manifest)
    assert (found.namespace, found.name, found.key) == ("pay", "tls", "tls.crt")
    assert abs(found.expires - datetime.now(UTC) - timedelta(days=2)) < timedelta(hours=1)


@pytest.mark.needs("openssl")
def test_the_names_of_a_real_certificate_are_read(tmp_path: Path) -> None:
    """Host names alone; an address and a certificate without names are for no host."""
    authority = made.authority(tmp_path)
    names = "DNS:shop.dr.example,DNS:*.dr.example,IP:127.0.0.1"
    for certificate, hosts in (
        (authority.server(names), ("shop.dr.example", "*.dr.example")),
        (authority.server(), ()),
        (authority.own, ()),
    ):
        (found,) = certificates.of_manifest(secret(tls_crt=certificate.certificate.read_bytes()))
        assert found.hosts == hosts
    assert certificates.of_text(authority.server(names).certificate.read_text()) is not None
    assert certificates.of_text("nothing") is None


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("shop.dr.example", True),
        ("SHOP.DR.example.", True),
        ("pay.dr.example", True),
        ("a.pay.dr.example", False),
        ("dr.example", False),
        ("", False),
        ("*.dr.example", True),
    ],
)
def test_a_wildcard_is_for_one_label(host: str, covered: bool) -> None:
    """RFC 6125, section 6.4.3."""
    assert certificates.covers(("shop.dr.example", "*.dr.example"), host) is covered


@pytest.mark.needs("openssl")
def test_a_reading_has_the_certificates_of_its_secrets(tmp_path: Path) -> None:
    """Though their values are sealed as soon as they are read."""
    manifest = secret(tls_crt=made.authority(tmp_path).own.certificate.read_bytes())
    found = ends.Inventory(objects=(manifest,), read_at=drifting.NOW, method="dump")
    reading = inventory.index(found, site="seoul", sealer=golden.SEALER)
    assert [one.key for one in reading.certificates] == ["tls.crt"]
    (sealed,) = reading.objects.values()
    assert sealed["data"]["tls.crt"].startswith("hmac:")


@pytest.mark.parametrize(
    ("tag", "text", "year"),
    [(0x17, "491231235959Z", 2049), (0x17, "500101000000Z", 1950), (0x18, "20991231235959Z", 2099)],
)
def test_both_spellings_of_a_time_are_read(tag: int, text: str, year: int) -> None:
    """Two digits of a year are of the century that RFC 5280 says."""

    def tlv(tag: int, value: bytes) -> bytes:
        return bytes([tag, len(value)]) + value

    validity = tlv(0x30, tlv(0x17, b"200101000000Z") + tlv(tag, text.encode()))
    body = tlv(0xA0, b"\x02\x01\x02") + tlv(0x02, b"\x01") + tlv(0x30, b"") + tlv(0x30, b"") + validity
    assert certificates.not_after(tlv(0x30, tlv(0x30, body))).year == year


@given(st.binary(max_size=80))
def test_what_is_no_certificate_says_nothing(data: bytes) -> None:
    """Whatever its bytes are."""
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(data) + b"\n-----END CERTIFICATE-----\n"
    assert list(certificates.of_manifest(secret(tls_crt=pem, other=data))) == []
