"""Addresses over ssh: who, where, by which port, and under which name the host's key is known."""

from __future__ import annotations

import pytest

from lockstep.sites.git import ssh


@pytest.mark.parametrize(
    ("location", "login", "port", "path"),
    [
        ("git@host:bank/pay.git", "git@host", "", "bank/pay.git"),
        ("host:bank/pay.git", "host", "", "bank/pay.git"),
        ("ssh://git@host/bank/pay.git", "git@host", "", "/bank/pay.git"),
        ("ssh://git@host:2222/~me/%20pay.git", "git@host", "2222", "/~me/ pay.git"),
    ],
)
def test_an_address_over_ssh_is_taken_apart(location: str, login: str, port: str, path: str) -> None:
    """Both forms that git knows."""
    place = ssh.place_of(location)
    assert (place.login, place.port, place.path) == (login, port, path)


@pytest.mark.parametrize(
    ("location", "alias"),
    [("host:x", "host"), ("ssh://git@HOST:22/x", "host"), ("ssh://git@host:2222/x", "[host]:2222")],
)
def test_a_host_is_known_by_the_name_that_known_hosts_uses(location: str, alias: str) -> None:
    """With its port when that is not the usual one."""
    assert ssh.place_of(location).alias == alias
