"""Who is let in, before anybody looks at what he says."""

from __future__ import annotations

import pytest

from webhooks import admission, providers
from webhooks.providers.github import GitHub

JSON = frozenset({"application/json"})


@pytest.mark.parametrize(
    ("address", "sources", "admitted"),
    [
        ("10.1.2.3", (), True),
        (None, (), True),
        ("10.1.2.3", ("10.1.0.0/16",), True),
        ("::ffff:10.1.2.3", ("10.1.0.0/16",), True),
        ("10.2.0.1", ("10.1.0.0/16", "10.2.0.1"), True),
        ("fe80::1%eth0", ("fe80::/10",), True),
        ("10.2.0.1", ("10.1.0.0/16",), False),
        ("fd00::1", ("10.1.0.0/16",), False),
        (None, ("10.1.0.0/16",), False),
        ("localhost", ("127.0.0.0/8",), False),
    ],
)
def test_only_networks_that_may_post_are_let_in(address: str | None, sources: tuple[str, ...], admitted: bool) -> None:
    """Every network when none is named; IPv4 in IPv6 clothes is IPv4; who has no address is nowhere."""
    refusal = admission.by_source(address, sources)
    assert (refusal is None) is admitted
    assert refusal is None or refusal.status == 403


@pytest.mark.parametrize(
    ("content_type", "encoding", "admitted"),
    [
        ("application/json", "", True),
        ("Application/JSON; charset=utf-8", "identity", True),
        ("application/json;", "", True),
        ("", "", False),
        ("text/plain", "", False),
        ("application/jsonx", "", False),
        ("application/json, text/plain", "", False),
        ("application/json", "gzip", False),
        ("application/json", "identity, gzip", False),
    ],
)
def test_only_what_the_sender_posts_is_let_in(content_type: str, encoding: str, admitted: bool) -> None:
    """The media type whatever its case and parameters; nothing compressed, which could be of any size."""
    refusal = admission.by_type(content_type, encoding, JSON)
    assert (refusal is None) is admitted
    assert refusal is None or refusal.status == 415


def test_unsigned_posts_are_let_in_only_where_that_is_allowed() -> None:
    """Where it is allowed, a post without a signature passes; one with a wrong signature does not."""
    bare = providers.Post(headers={}, body=b"")
    forged = providers.Post(headers={"x-hub-signature-256": "sha256=" + "0" * 64}, body=b"")
    refuse = admission.by_signature
    assert refuse(GitHub(), bare, [b"s"], allow_unsigned=True) is None
    assert refuse(GitHub(), forged, [], allow_unsigned=True) is None
    for post, allowed in ((bare, False), (forged, False), (forged, True)):
        refusal = refuse(GitHub(), post, [b"s"], allow_unsigned=allowed)
        assert refusal is not None
        assert refusal.status == 401
