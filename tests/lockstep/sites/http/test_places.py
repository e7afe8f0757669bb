"""Where a registry may send us, and where not."""

from __future__ import annotations

import pytest

from lockstep import errors
from lockstep.sites.http.places import Guard, Origin, origin_of, resolve

REGISTRY = Origin(scheme="https", host="registry.example", port=443)
AT = "https://registry.example/v2/pay/api/blobs/uploads/1"
ADDRESSES = {
    "cdn.example": ["93.184.216.34"],
    "six.example": ["2606:2800:220:1::1"],
    "inside.example": ["10.1.2.3"],
    "both.example": ["93.184.216.34", "192.168.0.1"],
    "metadata.example": ["169.254.169.254"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "nowhere.example": [],
}


def _guard(*trusted: str, registry: Origin = REGISTRY) -> Guard:
    return Guard(home=registry, trusted=trusted, resolve=lambda host, _port: ADDRESSES.get(host, [host]))


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("/v2/x?_state=a%2Fb", "https://registry.example/v2/x?_state=a%2Fb"),
        ("2?y=1", "https://registry.example/v2/pay/api/blobs/uploads/2?y=1"),
        ("https://registry.example:443/v2/x", "https://registry.example:443/v2/x"),
        # Behind a proxy that ends TLS: the same place, written wrong.
        ("http://registry.example/v2/x?_state=1", "https://registry.example/v2/x?_state=1"),
        ("http://registry.example:5000/v2/x", "https://registry.example/v2/x"),
    ],
)
def test_the_registry_itself_is_always_a_place_to_go(said: str, url: str) -> None:
    """Relative or absolute, with its query as it is; and never in the clear when the registry is not."""
    target = _guard().judge(said, at=AT)
    assert (target.url, target.origin, target.address) == (url, REGISTRY, "")


@pytest.mark.parametrize(("host", "address"), [("cdn.example", "93.184.216.34"), ("six.example", "2606:2800:220:1::1")])
def test_a_public_host_is_connected_to_by_the_address_that_was_judged(host: str, address: str) -> None:
    """Its name is not asked for again: it could have another answer then."""
    assert _guard().judge(f"https://{host}/layer?sig=1", at=AT).address == address


@pytest.mark.parametrize(
    "said",
    [
        "http://cdn.example/layer",  # in the clear
        "https://inside.example/layer",
        "https://both.example/layer",
        "https://metadata.example/latest",
        "https://mapped.example/",
        "https://nowhere.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1:8443/",
        "https://0.0.0.0/",
        "https://100.64.0.1/",
        "https://user:secret@cdn.example/",
        "ftp://cdn.example/",
        "file:///etc/passwd",
        "https://cdn.example:99999/",
        "https://cdn.example/a\r\nX-Evil: 1",
        "https://cdn.example/ü",
        "/" + "a" * 20_000,
    ],
)
def test_nobody_is_led_where_a_registry_has_no_business(said: str) -> None:
    """Private addresses, other schemes, users in URLs, lines that break, endless ones: refused by name."""
    with pytest.raises(errors.RefusedError, match=r"https://registry\.example sends us to"):
        _guard().judge(said, at=AT)


@pytest.mark.parametrize("trusted", ["inside.example", "inside.example:443"])
def test_a_host_that_the_site_trusts_may_be_private(trusted: str) -> None:
    """The store of its layers in the same building, say."""
    assert _guard(trusted).judge("https://inside.example/layer", at=AT).url == "https://inside.example/layer"


def test_trust_in_one_port_is_none_in_another() -> None:
    """Another service listens there."""
    with pytest.raises(errors.RefusedError):
        _guard("inside.example:9000").judge("https://inside.example:22/", at=AT)


@pytest.mark.parametrize("url", ["https://", "https://a@b/", "gopher://x/", "nonsense", "https://[::1", ""])
def test_what_is_no_address_has_no_origin(url: str) -> None:
    """Nothing is guessed."""
    assert origin_of(url) is None


def test_an_origin_is_written_as_people_write_it() -> None:
    """The usual port is left out; IPv6 has its brackets."""
    assert str(origin_of("https://registry.example:443/v2/")) == "https://registry.example"
    assert str(origin_of("http://[2001:db8::1]:5000/")) == "http://[2001:db8::1]:5000"


def test_a_name_without_an_address_is_a_host_that_cannot_be_reached() -> None:
    """It may have one later."""
    with pytest.raises(errors.UnreachableError, match="has no address"):
        resolve("no-such-host.invalid", 443)
