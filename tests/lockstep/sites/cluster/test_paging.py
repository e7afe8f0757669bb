"""The next page comes while the present one is looked at, and no more than that one."""

from __future__ import annotations

import gc
import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.sites.cluster import listing, paging
from lockstep.sites.cluster.discovery import Resource
from lockstep.values import Json
from tests.lockstep.sites.cluster import calling
from tests.support import scripted
from tests.support.scripted import Asked, Reply, said

_CONFIGS = Resource(
    group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True, verbs=frozenset({"list"})
)
_SECONDS = 20.0
_PAGE = 10
_PAGES = 6


def _built_in(metadata: Json, items: Json) -> dict[str, Json]:
    """A list as Go's types write it."""
    return {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": items}


def _custom(metadata: Json, items: Json) -> dict[str, Json]:
    """A list of custom resources, whose fields stand in the order of the alphabet."""
    return {"apiVersion": "shop.example/v1", "items": items, "kind": "WidgetList", "metadata": metadata}


def _bytes(content: Json) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


class _Server:
    """Pages of a list; ``came`` notes which were asked for."""

    def __init__(self, form: Callable[[Json, Json], dict[str, Json]] = _built_in) -> None:
        self.bodies = [self._body(form, number) for number in range(_PAGES)]
        self.came: list[int] = []
        self.some = threading.Condition()

    def __call__(self, asked: Asked) -> Reply:
        number = int(asked.query.get("continue") or 0)
        with self.some:
            self.came.append(number)
            self.some.notify_all()
        return Reply(headers={"Content-Type": "application/json"}, body=self.bodies[number])

    @staticmethod
    def _body(form: Callable[[Json, Json], dict[str, Json]], number: int) -> bytes:
        items = [{"metadata": {"name": f"c{number}-{one}"}, "data": {"marked": "x"}} for one in range(_PAGE)]
        following = {"continue": str(number + 1)} if number < _PAGES - 1 else {}
        return _bytes(form({"resourceVersion": "7", **following}, items))

    def wait(self, number: int) -> bool:
        """Whether a page is asked for."""
        with self.some:
            return self.some.wait_for(lambda: number in self.came, timeout=_SECONDS)


def _walk(server: scripted.Scripted, keep: listing.Keep | None = None, **limits: Any) -> listing.Listed:
    until = time.monotonic() + _SECONDS
    return listing.walk(calling.api(server, **limits), _CONFIGS, "pay", until=until, keep=keep)


@pytest.mark.parametrize("form", [_built_in, _custom])
def test_the_next_page_is_asked_for_before_the_present_one_is_done_with(
    form: Callable[[Json, Json], dict[str, Json]],
) -> None:
    """Wherever a list says how it goes on; and no page further than the next one is asked for."""
    script = _Server(form)
    looked_at: list[int] = []

    def keep(objects: list[dict[str, Json]]) -> Iterable[dict[str, Json]]:
        number = len(looked_at)
        looked_at.append(number)
        if number < _PAGES - 1:
            assert script.wait(number + 1)
        assert max(script.came) <= number + 1
        return objects

    with scripted.serving(script) as server:
        listed = _walk(server, keep, page=_PAGE)
    assert script.came == list(range(_PAGES))
    assert [one["metadata"]["name"] for one in listed.objects] == [
        f"c{number}-{one}" for number in range(_PAGES) for one in range(_PAGE)
    ]


def test_of_the_pages_that_were_looked_at_only_what_is_kept_stays_in_memory() -> None:
    """However long the list is: while a page is looked at, the objects of no other are there."""
    most = 0

    def names(objects: list[dict[str, Json]]) -> Iterable[dict[str, Json]]:
        nonlocal most
        there = (one for one in gc.get_objects() if type(one) is dict)
        most = max(most, sum(one.get("data") == {"marked": "x"} for one in there))
        return [{"name": one["metadata"]["name"]} for one in objects]

    with scripted.serving(_Server()) as server:
        listed = _walk(server, names, page=_PAGE)
    assert len(listed.objects) == _PAGE * _PAGES
    assert most == _PAGE


def test_what_a_page_seems_to_say_is_thrown_away_when_it_says_something_else() -> None:
    """A guess is one about bytes; the page itself is right."""

    def script(asked: Asked) -> Reply:
        token = asked.query.get("continue", "")
        told = {"": '"continue":"wrong"', "right": '"resourceVersion":"7"'}.get(token, '"continue":"worse"')
        again = ',"metadata":{"continue":"right"}' if not token else ""
        head = f'{{"kind":"ConfigMapList","apiVersion":"v1","metadata":{{{told}}}'
        return Reply(body=f'{head},"items":[{{"metadata":{{"name":"of-{token}"}}}}]{again}}}'.encode())

    with scripted.serving(script) as server:
        assert [one["metadata"]["name"] for one in _walk(server).objects] == ["of-", "of-right"]


def test_a_failure_of_the_page_that_was_on_its_way_is_the_failure_of_the_list() -> None:
    """Half of a list is none."""

    def script(asked: Asked) -> Reply:
        if "continue" in asked.query:
            return said(calling.status(403, "no more"), 403)
        return Reply(body=_bytes(_built_in({"continue": "1"}, [])))

    with scripted.serving(script) as server, pytest.raises(errors.ForbiddenError, match="no more"):
        _walk(server)


_TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ['"metadata":{"continue":"x"}}', '},"metadata":{"continue":"x"}}', "{", "}}", "\\", '"', "continue"]
)
_ITEM = st.recursive(
    st.none() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT | st.just("metadata"), inner, max_size=3),
    max_leaves=8,
)


@given(
    form=st.sampled_from([_built_in, _custom]),
    token=_TEXT,
    more=st.dictionaries(st.sampled_from(["resourceVersion", "remainingItemCount", "selfLink"]), _ITEM),
    items=st.lists(_ITEM, max_size=4),
)
def test_where_a_list_goes_on_is_guessed_rightly_or_not_at_all(
    form: Callable[[Json, Json], dict[str, Json]], token: str, more: dict[str, Json], items: Json
) -> None:
    """Whatever stands in its objects: a wrong guess would ask a server for what nobody wants."""
    body = _bytes(form({**more, "continue": token}, items))
    assert paging.guessed(body) in ("", token)


def test_a_list_of_either_form_shows_where_it_goes_on() -> None:
    """As a real server writes them: with a line break at the end, and a token of base64."""
    token = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjE3fQ=="
    metadata = {"resourceVersion": "217", "continue": token, "remainingItemCount": 8}
    items = [{"metadata": {"name": "a"}, "data": {"x": "}}"}}]
    for form in (_built_in, _custom):
        assert paging.guessed(_bytes(form(metadata, items))) == token
        assert paging.guessed(_bytes(form({"resourceVersion": "217"}, items))) == ""
