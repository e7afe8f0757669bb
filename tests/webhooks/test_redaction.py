"""What is kept of headers."""

from __future__ import annotations

import pytest

from webhooks import redaction

SENT = {
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/1",
    "x-github-event": "push",
    "x-github-delivery": "72d3162e",
    "idempotency-key": "abc",
}


def test_what_helps_to_understand_a_post_is_kept() -> None:
    """Names of events, ids and media types stay readable."""
    assert redaction.kept(SENT, frozenset()) == SENT


@pytest.mark.parametrize(
    "name",
    [
        *("authorization", "proxy-authorization", "cookie", "x-hub-signature-256", "x-gitea-signature"),
        *("x-gitlab-token", "x-github-api-key", "x-my-own-header", "x-harbor-auth"),
    ],
)
def test_what_proves_who_sent_it_is_never_kept(name: str) -> None:
    """Of credentials, and of every header that nobody knows, only the name is kept."""
    assert redaction.kept({name: "s3cret"}, frozenset()) == {name: redaction.REDACTED}


def test_a_header_that_was_chosen_to_carry_the_secret_is_not_kept() -> None:
    """The configured header is secret, whatever it is called."""
    kept = redaction.kept({"x-gitea-event": "s3cret"}, frozenset({"x-gitea-event"}))
    assert kept == {"x-gitea-event": redaction.REDACTED}


def test_long_values_are_cut() -> None:
    """Nobody can fill the store with headers."""
    kept = redaction.kept({"user-agent": "x" * 10_000, "y" * 10_000: "z"}, frozenset())
    assert sorted(map(len, kept)) == [10, 500]
    assert len(kept["user-agent"]) == 500
