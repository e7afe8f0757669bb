"""What GitHub and Gitea mean, in the shapes that they send."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from tests.support import payloads
from webhooks import events
from webhooks.events import Action, GitPush, Nothing, RefKind
from webhooks.providers import forge
from webhooks.providers.gitea import Gitea
from webhooks.providers.github import GitHub
from webhooks.providers.provider import Identity, Post
from webhooks.signatures import Judgement

OID = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
OTHER = "bffeb74224043ba2feb48d137756c8a9331c449a"
json = orjson.dumps


def push(**changes: object) -> bytes:
    """A push of a branch, with some fields changed."""
    return json({**payloads.document("gitea/push"), **changes})


def only(found: list[events.Event]) -> GitPush:
    """The one event, which must be a push."""
    (event,) = found
    assert isinstance(event, GitPush)
    return event


def test_githubs_own_example_is_a_deleted_tag() -> None:
    """The example of GitHub's documentation deletes a tag; every URL of the repository is kept."""
    event = only(GitHub().parse("push", payloads.body("github/push-payload")))
    assert (event.ref, event.kind, event.action) == ("refs/tags/simple-tag", RefKind.TAG, Action.DELETE)
    assert (event.before, event.after, event.forced) == (OID, "", False)
    assert event.names == ("Codertocat/Hello-World",)
    assert {"git@github.com:Codertocat/Hello-World.git", "https://github.com/Codertocat/Hello-World.git"} <= set(
        event.urls
    )


def test_a_repository_of_an_organisation_is_read_likewise() -> None:
    """Fields that come and go, such as the organisation, change nothing."""
    event = only(GitHub().parse("push", payloads.body("github/push-with-organization.payload")))
    assert event.names == ("Codertocat/Hello-World",)


def test_a_delete_event_names_its_ref_in_full() -> None:
    """The short name and its type become a full ref, so that a branch and a tag of one name stay apart."""
    event = only(GitHub().parse("delete", payloads.body("github/delete-payload")))
    assert (event.ref, event.action) == ("refs/tags/simple-tag", Action.DELETE)
    event = only(Gitea().parse("delete", payloads.body("gitea/delete")))
    assert (event.ref, event.action) == ("refs/tags/v1.0", Action.DELETE)


def test_a_create_event_carries_its_commit_where_the_forge_says_it() -> None:
    """Gitea names the commit of a new branch, GitHub does not."""
    created: dict[str, Any] = {**payloads.document("gitea/delete"), "ref": "main", "ref_type": "branch", "sha": OID}
    event = only(Gitea().parse("create", json(created)))
    assert (event.ref, event.kind, event.action, event.after) == ("refs/heads/main", RefKind.BRANCH, Action.CREATE, OID)
    del created["sha"]
    assert only(GitHub().parse("create", json(created))).after == ""


def test_gitea_says_by_zeros_what_github_says_by_flags() -> None:
    """Without flags, forty zeros before mean new and forty zeros after mean gone."""
    assert only(Gitea().parse("push", push())).action is Action.UPDATE
    assert only(Gitea().parse("push", push(before="0" * 40))).action is Action.CREATE
    assert only(Gitea().parse("push", push(after="0" * 40))).action is Action.DELETE
    assert only(Gitea().parse("push", push())).forced is None


def test_zeros_of_a_sha256_repository_are_zeros_too() -> None:
    """Sixty-four zeros mean the same in a repository of the other object format."""
    event = only(Gitea().parse("push", push(before="0" * 64, after="a" * 64)))
    assert (event.action, event.before, event.after) == (Action.CREATE, "", "a" * 64)


def test_flags_of_a_forced_and_a_new_branch_are_kept() -> None:
    """A forge that says that history was rewritten is quoted."""
    assert only(GitHub().parse("push", push(forced=True, created=False, deleted=False))).forced is True
    assert only(GitHub().parse("push", push(created=True))).action is Action.CREATE


def test_a_form_is_read_like_json() -> None:
    """GitHub's interface offers a form by default: the same document in its field ``payload``."""
    form = urlencode({"payload": payloads.body("gitea/push").decode()}).encode()
    assert GitHub().parse("push", form) == GitHub().parse("push", payloads.body("gitea/push"))


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("issues", json({})),
        ("registry_package", payloads.body("github/registry_package-published.docker.payload")),
        ("push", json({})),
        ("push", push(ref=None)),
        ("push", push(ref="main")),
        ("push", push(ref="refs/heads/a\nb")),
        ("push", push(ref="refs/heads/" + "x" * 1000)),
        ("push", push(repository="bank/pay")),
        ("push", push(repository={"full_name": 7, "clone_url": ["x"]})),
        ("delete", json({"ref": "x", "ref_type": "sausage", "repository": {"full_name": "a/b"}})),
        ("create", json({"ref": "", "ref_type": "tag", "repository": {"full_name": "a/b"}})),
    ],
)
def test_what_moves_no_ref_is_nothing_with_a_reason(event: str, body: bytes) -> None:
    """Other events, and pushes in which a name is missing or of another type, are no error and no push."""
    (found,) = forge.parse(event, body)
    assert isinstance(found, Nothing)
    assert found.reason


def test_an_object_id_of_another_shape_is_left_out() -> None:
    """A field that is no object id is not handed on as one."""
    event = only(Gitea().parse("push", push(before="; rm -rf /", after=7)))
    assert (event.before, event.after) == ("", "")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"{", b"\xff\xfe", b'"text"', b"[" * 5000, b'{"ref": "\\ud800"}'),
        *(b"payload=", b"payload=%7B", b"payload=%FF", b"payload=%7B%7D" + b"&a=b" * 20),
    ],
)
def test_a_body_that_is_no_object_is_an_input_error(body: bytes) -> None:
    """Broken, cut and deep bodies raise the error that says what to look at."""
    with pytest.raises(errors.InputError, match="body"):
        forge.parse("push", body)


shapes = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20) | st.just("refs/heads/main"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ref", "ref_type", "repository", "full_name", "clone_url", "before", "deleted", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(document=st.dictionaries(st.sampled_from(["ref", "ref_type", "repository", "before", "after"]), shapes))
def test_no_document_makes_the_parser_fail(document: dict[str, Any]) -> None:
    """Whatever types stand where, there is one event, and it can be kept."""
    for event in ("push", "create", "delete", "ping"):
        (found,) = forge.parse(event, json(document))
        assert json(events.as_json(found))


def test_the_id_of_a_delivery_and_its_event_come_from_headers() -> None:
    """Gitea sends GitHub's headers too; its own speak first."""
    github = {"x-github-delivery": "g", "x-github-event": "push"}
    gitea = {**github, "x-gitea-delivery": "t", "x-gitea-event": "create"}
    assert GitHub().identity(Post(headers=github, body=b"")) == Identity(delivery="g", event="push")
    assert Gitea().identity(Post(headers=gitea, body=b"")) == Identity(delivery="t", event="create")
    assert Gitea().identity(Post(headers=github, body=b"")) == Identity(delivery="g", event="push")
    assert GitHub().identity(Post(headers={}, body=b"")) == Identity(delivery="", event="")


def test_the_older_signature_alone_is_refused() -> None:
    """SHA-1 proves nothing today, also where unsigned posts are allowed."""
    post = Post(headers={"x-hub-signature": "sha1=" + "0" * 40}, body=b"")
    assert GitHub().verify(post, [b"s"]) is Judgement.REFUSED
