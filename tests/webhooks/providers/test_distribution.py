"""What a registry means: which of the many things that it posts bring an image."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from tests.support import payloads
from webhooks import events
from webhooks.events import Action, ImagePush, Nothing
from webhooks.providers.distribution import Distribution
from webhooks.providers.provider import Post

PUSHED = payloads.document("distribution/index-push")["events"][2]


def parse(**target: object) -> events.Event:
    """What the push of an index means, with some fields of its target changed."""
    event = {**PUSHED, "target": {**PUSHED["target"], **target}}
    (found,) = Distribution().parse("", orjson.dumps({"events": [event]}))
    return found


def test_only_manifests_bring_an_image() -> None:
    """Of an index with one child, the blob is nothing, the child comes by digest and the index with its tag."""
    blob, child, index = Distribution().parse("", payloads.body("distribution/index-push"))
    assert blob == Nothing(reason="application/octet-stream is not a manifest")
    assert child == ImagePush(repository="pay/api", tag="", digest="sha256:" + "a" * 64, action=Action.UPDATE)
    assert index == ImagePush(repository="pay/api", tag="1.4.2", digest="sha256:" + "b" * 64, action=Action.UPDATE)


@pytest.mark.parametrize("action", ["pull", "mount", "delete", "", None, 7])
def test_other_actions_bring_nothing(action: object) -> None:
    """Pulls, mounts and deletions are told and pass by."""
    (found,) = Distribution().parse("", orjson.dumps({"events": [{**PUSHED, "action": action}]}))
    assert isinstance(found, Nothing)


def test_what_lockstep_pushed_itself_is_no_news() -> None:
    """A mirror that is told of its own writing would go round in a circle."""
    ours = {**PUSHED, "request": {"useragent": "lockstep/0.1.0"}}
    (found,) = Distribution().parse("", orjson.dumps({"events": [ours]}))
    assert found == Nothing(reason="Lockstep pushed it itself")


@pytest.mark.parametrize(
    "target",
    [
        {"repository": ""},
        {"repository": "../etc"},
        {"repository": "Pay/Api"},
        {"repository": "-rm"},
        {"tag": "a b"},
        {"tag": "../x"},
        {"digest": "sha256:short"},
        {"tag": "", "digest": ""},
        {"tag": None, "digest": None},
    ],
    ids=str,
)
def test_names_that_are_no_names_bring_nothing(target: dict[str, Any]) -> None:
    """Only what the grammar of the distribution specification allows is handed on."""
    assert isinstance(parse(**target), Nothing)


def test_an_unknown_media_type_brings_nothing() -> None:
    """Manifests are known by their media type; what is new to us is not taken for one."""
    assert isinstance(parse(mediaType="application/vnd.new+json"), Nothing)
    assert isinstance(parse(mediaType=None), Nothing)


def test_an_envelope_without_events_is_nothing() -> None:
    """An empty list, no list and a list of no objects are answered like any other post."""
    for envelope in (b"{}", b'{"events": []}', b'{"events": null}', b'{"events": [1, "x"]}'):
        assert Distribution().parse("", envelope) == [Nothing(reason="the envelope holds no event")]


def test_a_body_that_is_no_object_is_an_input_error() -> None:
    """Broken bodies are kept and said, by the worker."""
    with pytest.raises(errors.InputError):
        Distribution().parse("", b"[]")


def test_a_post_is_known_by_the_ids_of_its_events() -> None:
    """A registry that tries again sends the same ids; one id is shown as it is, several as one digest."""
    one = Post(headers={}, body=orjson.dumps({"events": [PUSHED]}))
    several = Post(headers={}, body=payloads.body("distribution/index-push"))
    assert Distribution().identity(one).delivery == PUSHED["id"]
    assert Distribution().identity(one).event == "push"
    again = Distribution().identity(several).delivery
    assert (len(again), again) == (64, Distribution().identity(several).delivery)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b'{"events": [{"id": 7}]}'])
def test_a_post_without_ids_has_an_empty_identity(body: bytes) -> None:
    """Then the body itself is the key; nothing fails."""
    assert Distribution().identity(Post(headers={}, body=body)).delivery == ""


@given(
    event=st.recursive(
        st.none() | st.integers(-(2**53), 2**53) | st.text(max_size=9) | st.sampled_from(["push", "pay/api", "1.0"]),
        lambda inner: st.dictionaries(
            st.sampled_from(["action", "target", "mediaType", "repository", "tag", "digest", "request"]), inner
        ),
        max_leaves=10,
    )
)
def test_no_event_makes_the_parser_fail(event: object) -> None:
    """Whatever types stand where, each event has a meaning that can be kept."""
    for found in Distribution().parse("", orjson.dumps({"events": [event]})):
        assert orjson.dumps(events.as_json(found))
