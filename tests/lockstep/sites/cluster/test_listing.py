"""Lists: whole or not at all, in whatever pages."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from lockstep import errors
from lockstep.sites.cluster import listing
from lockstep.sites.cluster.discovery import Resource
from lockstep.values import Json
from tests.lockstep.sites.cluster import calling
from tests.support import scripted
from tests.support.scripted import Asked, Reply, said

_CONFIGS = Resource(
    group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True, verbs=frozenset({"list"})
)


def _page(asked: Asked, total: int, *, padding: int = 0) -> dict[str, Json]:
    """A page of so many objects in all, from where the token says."""
    first, limit = int(asked.query.get("continue", 0)), int(asked.query["limit"])
    items = [
        {"metadata": {"name": f"c{number}", "managedFields": [{}]}, "data": {"x": "x" * padding}}
        for number in range(first, min(total, first + limit))
    ]
    token = str(first + limit) if first + limit < total else ""
    return {"kind": "ConfigMapList", "metadata": {"resourceVersion": "7", "continue": token}, "items": items}


def _walk(server: scripted.Scripted, **limits: Any) -> listing.Listed:
    return listing.walk(calling.api(server, **limits), _CONFIGS, "pay", until=time.monotonic() + 20)


def test_a_walk_whose_moment_is_gone_begins_again() -> None:
    """Half of one moment and half of another is no list."""
    calls = itertools.count()

    def script(asked: Asked) -> Reply:
        gone = "continue" in asked.query and next(calls) == 1
        return said(calling.status(410, "too old", reason="Expired"), 410) if gone else said(_page(asked, 6))

    with scripted.serving(script) as server:
        listed = _walk(server, page=2)
    assert [one["metadata"]["name"] for one in listed.objects] == [f"c{number}" for number in range(6)]


def test_a_moment_that_is_always_gone_is_said() -> None:
    """It is not walked for ever."""

    def script(asked: Asked) -> Reply:
        gone = "continue" in asked.query
        return said(calling.status(410, "too old"), 410) if gone else said(_page(asked, 6))

    with scripted.serving(script) as server, pytest.raises(errors.TemporaryError, match="no longer has that moment"):
        _walk(server, page=2)


def test_pages_that_are_too_large_are_asked_for_smaller() -> None:
    """Objects can be large, and a page is bounded in bytes."""
    with scripted.serving(lambda asked: said(_page(asked, 40, padding=1000))) as server:
        listed = _walk(server, page=64, most_bytes=10_000)
        assert len(listed.objects) == 40
        assert {int(one.query["limit"]) for one in server.asked} == {64, 8}


def test_a_list_that_leads_in_a_circle_ends() -> None:
    """A broken proxy may answer everything with the same page."""

    def circle(asked: Asked) -> Reply:
        page = _page(asked, 6)
        return said({**page, "metadata": {"continue": "2"}})

    with scripted.serving(circle) as server, pytest.raises(errors.FaultError, match="circle"):
        _walk(server, page=2)


def test_a_list_without_end_is_not_walked_to_its_end() -> None:
    """Memory has one."""
    with scripted.serving(lambda asked: said(_page(asked, 10**9))) as server, pytest.raises(errors.UnsupportedError):
        _walk(server, page=50, most_objects=200)


@pytest.mark.parametrize("content", [{}, {"metadata": {}, "items": "none"}, {"metadata": [], "items": []}])
def test_what_is_no_list_is_not_taken_for_an_empty_one(content: Json) -> None:
    """An empty list says that nothing is there."""
    with scripted.serving(lambda _: said(content)) as server, pytest.raises(errors.UnreachableError):
        _walk(server)


def test_an_empty_list_may_be_null() -> None:
    """As servers that are written in Go say it."""
    with scripted.serving(lambda _: said({"metadata": {"resourceVersion": "3"}, "items": None})) as server:
        assert _walk(server) == listing.Listed(objects=[], resource_version="3")


def _count(server: scripted.Scripted, **limits: Any) -> int:
    return listing.count(calling.api(server, **limits), _CONFIGS, "pay", until=time.monotonic() + 20)


@pytest.mark.parametrize("total", [0, 1, 2, 7])
@pytest.mark.parametrize("tells", [True, False], ids=["that says how many more", "that does not"])
def test_objects_are_counted_by_a_look_at_the_first(total: int, tells: bool) -> None:
    """One request and one object, where the server says how many more there are; else it is walked."""

    def script(asked: Asked) -> Reply:
        page = _page(asked, total)
        if tells and page["metadata"]["continue"]:
            page["metadata"]["remainingItemCount"] = total - int(page["metadata"]["continue"])
        return said(page)

    with scripted.serving(script) as server:
        assert _count(server, page=3) == total
    assert asked_for(server) == [1] if tells or total < 2 else [1, *[3] * -(-total // 3)]


def asked_for(server: scripted.Scripted) -> list[int]:
    """The limits of the lists that were asked for."""
    return [int(one.query["limit"]) for one in server.asked]


@pytest.mark.parametrize(
    "body", [{"items": "none", "metadata": {}}, {"metadata": None}, {"items": [7], "metadata": {}}]
)
def test_what_is_no_list_is_not_counted(body: Json) -> None:
    """Nobody is told that there is nothing."""
    with scripted.serving(lambda _asked: said(body)) as server, pytest.raises(errors.LockstepError):
        _count(server)
