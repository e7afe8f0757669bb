"""Watches on bad days: a place that is gone, a server that falls silent, an answer that is none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lockstep import errors
from lockstep.sites.cluster import watching
from lockstep.sites.cluster.discovery import Resource, Served
from lockstep.sites.ends import Inventory, Selection
from lockstep.values import Json
from tests.lockstep.sites.cluster import calling
from tests.support import scripted
from tests.support.scripted import Asked, Reply, said

_VERBS = frozenset({"get", "list", "watch"})
_CONFIGS = Resource(group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True, verbs=_VERBS)
_SERVED = Served(resources=(_CONFIGS,))
_SELECTION = Selection(namespaces=frozenset({"pay"}))
_SECONDS = 20.0


def _config(name: str, version: str) -> dict[str, Json]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "pay", "resourceVersion": version},
    }


def _line(kind: str, content: Json) -> bytes:
    return json.dumps({"type": kind, "object": content}).encode() + b"\n"


def _names(inventory: Inventory) -> list[str]:
    return sorted(one["metadata"]["name"] for one in inventory.objects)


class _Script:
    """Lists what is there, and lets each watch tell the next of some lines; then it stays silent."""

    def __init__(self, *watches: bytes) -> None:
        self.lists = [[_config("first", "1")]]
        self.watches = list(watches)
        self.server: scripted.Scripted

    def __call__(self, asked: Asked) -> Reply:
        if "watch" not in asked.query:
            listed = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
            items = [{"metadata": one["metadata"]} for one in listed]
            return said({"kind": "ConfigMapList", "metadata": {"resourceVersion": "1"}, "items": items})
        if self.watches:
            return Reply(pieces=[self.watches.pop(0)])
        return Reply(pieces=self._silent())

    def _silent(self) -> Iterator[bytes]:
        self.server.closing.wait()
        yield b""


def _watch(script: _Script, check: Callable[[Inventory], bool], **limits: Any) -> tuple[Inventory, list[Asked]]:
    """Watch until a check holds; what is known then, and what was asked."""
    with scripted.serving(script) as server:
        script.server = server
        api = calling.api(server, **limits)
        with watching.Watching(api, _SERVED, _SELECTION).running() as running:
            end = time.monotonic() + _SECONDS
            while not check(running.inventory()):
                assert time.monotonic() < end, running.inventory()
                running.changed(seconds=0.05)
            return running.inventory(), list(server.asked)


def test_a_place_that_is_gone_is_listed_anew() -> None:
    """Whatever happened in between is in the new list."""
    script = _Script(_line("ERROR", calling.status(410, "too old resource version", reason="Expired")))
    script.lists.append([_config("second", "9")])
    inventory, asked = _watch(script, lambda inventory: _names(inventory) == ["second"])
    assert inventory.gaps == ()
    assert sum("watch" not in one.query for one in asked) == 2


def test_a_watch_goes_on_where_a_bookmark_left_it() -> None:
    """So that a place does not grow too old while nothing changes."""
    bookmark = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"resourceVersion": "77"}}
    script = _Script(_line("BOOKMARK", bookmark), _line("ADDED", _config("later", "78")))
    _, asked = _watch(script, lambda inventory: _names(inventory) == ["first", "later"])
    assert [one.query["resourceVersion"] for one in asked if "watch" in one.query][:2] == ["1", "77"]


def test_a_watch_that_falls_silent_makes_everything_unknown() -> None:
    """An old truth is none, and what was known is not shown as if it still were."""
    script = _Script(_line("ADDED", _config("later", "2")))
    inventory, _ = _watch(script, lambda inventory: bool(inventory.gaps) and _known(script), stale_seconds=0.3)
    assert (inventory.objects, inventory.method) == ((), "")
    assert "nothing has been heard" in inventory.gaps[0].why
    assert (inventory.gaps[0].kind, inventory.gaps[0].namespace) == ("ConfigMap", "pay")


def _known(script: _Script) -> bool:
    return not script.watches


@pytest.mark.parametrize(
    "told",
    [
        b"<html>\n",
        b"[]\n",
        _line("NEWS", _config("x", "2")),
        _line("ADDED", "text"),
        _line("ADDED", {"metadata": {}}),
        b'{"type":"ADDED"',
    ],
)
def test_what_is_no_event_is_said_and_changes_nothing(told: bytes) -> None:
    """The watch begins again."""
    script = _Script(told)
    inventory, asked = _watch(script, lambda _: not script.watches)
    assert _names(inventory) in ([], ["first"])
    assert asked


def test_before_the_first_list_everything_is_unknown() -> None:
    """Nothing is there is something else than nothing is known: it does not count as read."""
    with scripted.serving(lambda _: said(calling.status(403, "no"), 403)) as server:
        watch = watching.Watching(calling.api(server), _SERVED, _SELECTION)
        assert (watch.inventory().objects, watch.inventory().method) == ((), "")
        (gap,) = watch.inventory().gaps
        assert "not been listed" in gap.why


def test_a_server_whose_watches_end_at_once_is_not_asked_without_pause() -> None:
    """A proxy that cuts every stream would otherwise be asked as fast as it answers."""
    script = _Script(*[b""] * 1000)
    _, asked = _watch(script, lambda inventory: _names(inventory) == ["first"] and len(script.watches) < 998)
    assert len(asked) < 20


class _Forbidding(_Script):
    """Lets us list something new each time, and not watch until ``allowed``."""

    def __init__(self) -> None:
        super().__init__()
        self.lists = [[_config(f"c{number}", str(number))] for number in range(100)]
        self.allowed = False

    def __call__(self, asked: Asked) -> Reply:
        if "watch" in asked.query and not self.allowed:
            return said(calling.status(403, "no watching here"), 403)
        return super().__call__(asked)


def test_what_may_be_listed_and_not_watched_is_listed_again_and_again() -> None:
    """A missing right makes it slower, not Unknown, and how it came to be known is said."""
    script = _Forbidding()
    inventory, asked = _watch(script, lambda inventory: _names(inventory) == ["c3"], relist_seconds=0.05)
    assert inventory.gaps == ()
    assert "lists" in inventory.method
    assert sum("watch" in one.query for one in asked) >= 3  # a right that is given later is found out


def test_a_list_that_is_too_old_is_no_knowledge_either() -> None:
    """Listing again may be forbidden in its turn."""
    script = _Forbidding()

    def fail(asked: Asked) -> Reply:
        return script(asked) if len(script.lists) > 97 else said(calling.status(403, "nothing any more"), 403)

    with scripted.serving(fail) as server:
        api = calling.api(server, relist_seconds=0.05, stale_seconds=0.4)
        with watching.Watching(api, _SERVED, _SELECTION).running() as running:
            end = time.monotonic() + _SECONDS
            while not (running.inventory().gaps and len(script.lists) == 97):
                assert time.monotonic() < end, running.inventory()
                running.changed(seconds=0.05)
            assert running.inventory().objects == ()


def test_a_right_to_watch_that_is_given_later_is_used() -> None:
    """From then on changes are told at once."""
    script = _Forbidding()

    def check(inventory: Inventory) -> bool:
        script.allowed = script.allowed or bool(inventory.objects)
        return script.allowed and inventory.method == "watch" and bool(inventory.objects)

    inventory, _ = _watch(script, check, relist_seconds=0.05)
    assert inventory.gaps == ()


def test_a_kind_without_watches_is_listed_and_not_passed_over() -> None:
    """Some aggregated servers have none; nothing is read by a list that a watch would leave out."""
    unwatched = Resource(
        group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True, verbs=_VERBS - {"watch"}
    )
    script = _Script()
    with scripted.serving(script) as server:
        script.server = server
        watch = watching.Watching(calling.api(server), Served(resources=(unwatched,)), _SELECTION)
        with watch.running() as running:
            end = time.monotonic() + _SECONDS
            while running.inventory().gaps:
                assert time.monotonic() < end
                running.changed(seconds=0.05)
            assert _names(running.inventory()) == ["first"]
            assert all("watch" not in one.query for one in server.asked)


_SECRETS = Resource(group="", version="v1", kind="Secret", plural="secrets", namespaced=True, verbs=_VERBS)


def test_a_kind_that_is_served_later_is_followed_from_then_on() -> None:
    """And one that is no longer served is forgotten, which is told of each of its objects."""
    script = _Script()
    answers = [Served(resources=(_CONFIGS, _SECRETS)), Served(resources=(_SECRETS,))]
    kinds: list[set[str]] = []
    told: list[str] = []
    with scripted.serving(script) as server:
        script.server = server
        watch = watching.Watching(
            calling.api(server, relist_seconds=0.2),
            _SERVED,
            _SELECTION,
            discover=lambda: answers.pop(0) if len(answers) > 1 else answers[0],
        )
        with watch.running() as running:
            end = time.monotonic() + _SECONDS
            while not kinds or kinds[-1] != {"Secret"}:
                assert time.monotonic() < end, kinds
                told += [key.kind for key in running.changed(seconds=0.02)]
                found = running.inventory()
                if not found.gaps:
                    kinds.append({one["kind"] for one in found.objects})
            # When it came, and when it went.
            while told.count("ConfigMap") < 2:
                assert time.monotonic() < end, told
                told += [key.kind for key in running.changed(seconds=0.02)]
    assert {"ConfigMap"} in kinds


def test_a_server_that_no_longer_says_what_it_serves_may_serve_anything() -> None:
    """After a while, what may be there unseen is Unknown."""

    def discover() -> Served:
        raise errors.FaultError("it does not say")

    script = _Script()
    with scripted.serving(script) as server:
        script.server = server
        api = calling.api(server, relist_seconds=0.05, stale_seconds=0.5)
        with watching.Watching(api, _SERVED, _SELECTION, discover=discover).running() as running:
            end = time.monotonic() + _SECONDS
            while not any("does not say" in gap.why for gap in running.inventory().gaps):
                assert time.monotonic() < end, running.inventory()
                running.changed(seconds=0.05)


def test_a_definition_that_changes_makes_the_watch_ask_what_is_served() -> None:
    """Whoever installs something is not waited for until the next round."""
    definition = Resource(
        group="apiextensions.k8s.io",
        version="v1",
        kind="CustomResourceDefinition",
        plural="customresourcedefinitions",
        namespaced=False,
        verbs=_VERBS,
    )
    served = Served(resources=(definition,))
    asked_again = threading.Event()

    def discover() -> Served:
        asked_again.set()
        return served

    script = _Script()
    selection = Selection(namespaces=frozenset(), cluster_scoped=None)
    with scripted.serving(script) as server:
        script.server = server
        # The list at the beginning tells of definitions too.
        with watching.Watching(calling.api(server), served, selection, discover=discover).running():
            assert asked_again.wait(_SECONDS)
