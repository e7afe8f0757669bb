"""Which names of the service a request may use."""

from __future__ import annotations

import pytest

from console import hosts

EVERYBODY = "0.0.0.0"  # noqa: S104 - it is compared, nobody listens there
NAMES = ("localhost", "lockstep.bank.example")


@pytest.mark.parametrize(
    "header",
    [
        *("localhost", "LOCALHOST:8484", "lockstep.bank.example.", "Lockstep.Bank.Example:443"),
        *("127.0.0.1:8484", "10.2.3.4", "[::1]:8484", "[fe80::1]", "::1"),
    ],
)
def test_our_names_and_every_address_are_ours(header: str) -> None:
    """With or without a port, however they are written; an address cannot be made to point elsewhere."""
    assert hosts.is_ours(header, NAMES)


@pytest.mark.parametrize(
    "header",
    [
        *("evil.example", "localhost.evil.example", "evil.example:8484", "", ":8484", "127.0.0.1.evil.example"),
        *("localhost@evil.example", "[localhost]x", "127.0.0.1:80:80", "999.1.1.1", "[::1"),
    ],
)
def test_a_strangers_name_is_not_ours(header: str) -> None:
    """Neither one that looks like ours, nor what is no name."""
    assert not hosts.is_ours(header, NAMES)


def test_any_name_is_ours_when_nobody_said_which() -> None:
    """A service for others does not know by which names they come until it is told."""
    assert hosts.is_ours("evil.example", ())


@pytest.mark.parametrize(
    ("host", "names", "wanted"),
    [
        ("127.0.0.1", (), ("localhost",)),
        ("::1", (), ("localhost",)),
        ("localhost", (), ("localhost",)),
        (EVERYBODY, (), ()),
        ("10.0.0.7", (), ()),
        ("lockstep.bank.example", (), ()),
        (EVERYBODY, ("Lockstep.Bank.Example.",), ("localhost", "lockstep.bank.example")),
        ("127.0.0.1", ("a.example", "b.example"), ("localhost", "a.example", "b.example")),
    ],
)
def test_a_service_on_the_loopback_knows_its_name(host: str, names: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    """Names that were given are the only ones; without any, only the loopback is certain."""
    assert hosts.of_listening(host, names) == wanted
