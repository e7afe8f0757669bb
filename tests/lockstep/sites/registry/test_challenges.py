"""What a registry asks for when it does not know us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.sites.registry.challenges import Challenge, parse


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('Basic realm="Registry"', [("basic", {"realm": "Registry"})]),
        (
            'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://auth.example/token",
                        "service": "registry.example",
                        "scope": "repository:a/b:pull,push",
                    },
                )
            ],
        ),
        ("BEARER Realm=x , Service = y", [("bearer", {"realm": "x", "service": "y"})]),
        ('Basic realm="a", Bearer realm="b"', [("basic", {"realm": "a"}), ("bearer", {"realm": "b"})]),
        ("Negotiate, Basic realm=x", [("negotiate", {}), ("basic", {"realm": "x"})]),
        ('Negotiate abc==, Bearer realm="y"', [("negotiate", {}), ("bearer", {"realm": "y"})]),
        (r'Basic realm="say \"x\", y"', [("basic", {"realm": 'say "x", y'})]),
        ("", []),
        ('=,=" Basic', []),
    ],
)
def test_challenges_are_read_as_written(header: str, found: list[tuple[str, dict[str, str]]]) -> None:
    """Several in one header, quoted or not, with commas inside (RFC 9110, 11.6.1)."""
    assert parse([header]) == [Challenge(scheme=scheme, parameters=parameters) for scheme, parameters in found]


def test_several_headers_are_several_challenges() -> None:
    """A proxy and a registry may each ask."""
    assert [one.scheme for one in parse(["Basic realm=a", "Bearer realm=b"])] == ["basic", "bearer"]


@given(st.lists(st.text(max_size=200), max_size=3))
def test_nonsense_is_no_challenge_and_no_trouble(headers: list[str]) -> None:
    """Whatever comes, it is read in bounded time, and schemes are words."""
    assert all(one.scheme == one.scheme.lower() for one in parse(headers))


def test_a_long_header_is_not_read() -> None:
    """Nobody needs it, and it could take long."""
    assert parse(["Basic realm=x, " * 1000, 'Basic realm="' + "a" * 10_000 + '"']) == []
