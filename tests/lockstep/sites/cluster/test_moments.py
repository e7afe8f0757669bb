"""Answers that go back in time: a server that lags behind the others, or one that was restored."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.sites import cluster
from lockstep.sites.cluster import listing, moments, watching
from lockstep.sites.cluster.discovery import Resource, Served
from lockstep.sites.ends import Selection
from lockstep.values import Json
from tests.lockstep.sites.cluster import calling
from tests.support import scripted
from tests.support.scripted import Asked, Reply, said

_VERBS = ["get", "list", "watch"]
_CONFIGS = Resource(
    group="", version="v1", kind="ConfigMap", plural="configmaps", namespaced=True, verbs=frozenset(_VERBS)
)
_PAY = Selection(namespaces=frozenset({"pay"}))
_SECONDS = 20.0


def _list(version: str, *names: str, **metadata: Json) -> dict[str, Json]:
    items = [{"metadata": {"name": name, "namespace": "pay"}} for name in names]
    return {"kind": "ConfigMapList", "metadata": {"resourceVersion": version, **metadata}, "items": items}


def _served(asked: Asked) -> Reply:
    """Discovery of a server that has ConfigMaps alone."""
    named = {"resource": "configmaps", "responseKind": {"kind": "ConfigMap"}, "scope": "Namespaced", "verbs": _VERBS}
    core = {"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [named]}]}
    return said({"kind": "APIGroupDiscoveryList", "items": [core] if asked.path == "/api" else []})


@given(st.integers(0, 2**64), st.integers(0, 2**64))
def test_of_two_numbers_the_smaller_one_is_before(one: int, other: int) -> None:
    """As numbers, not as texts."""
    assert moments.is_before(str(one), str(other)) == (one < other)


@pytest.mark.parametrize("odd", ["", "a1b2", "-1", "１", "9" * 5000, "1.5", " 1"])
def test_what_is_no_number_is_never_before_anything(odd: str) -> None:
    """Some aggregated servers tell no number, or none at all: nobody can say what came first."""
    assert not moments.is_before(odd, "7")
    assert not moments.is_before("7", odd)


def test_an_older_answer_is_believed_after_a_while() -> None:
    """A server that lags behind catches up; one that was restored stays where it is, and there it is right."""
    newest = moments.Newest()

    def take(version: str, now: float) -> None:
        newest.take(version, what="configmaps", now=now, patience=100.0)

    take("9", 0.0)
    for now in (1000.0, 1050.0):
        with pytest.raises(errors.FaultError, match="at 7, which is before 9"):
            take("7", now)
    take("9", 1060.0)
    with pytest.raises(errors.FaultError, match="before 9"):
        take("8", 1070.0)
    take("8", 1171.0)
    take("8", 1172.0)


def test_a_site_that_is_read_as_it_was_before_is_unknown() -> None:
    """The older list is whole, and sound, and no longer true."""
    versions = iter(["9", "7", "10"])

    def script(asked: Asked) -> Reply:
        return _served(asked) if asked.path in ("/api", "/apis") else said(_list(next(versions), "one"))

    with scripted.serving(script) as server:
        door = cluster.KubernetesCluster(calling.api(server), address="seoul")
        assert door.read(_PAY).gaps == ()
        with pytest.raises(errors.FaultError, match="at 7, which is before 9"):
            door.read(_PAY)
        assert door.read(_PAY).gaps == ()


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (_list("6", "two"), "goes back in the middle of a list"),
        (_list("7", "one"), "lists one of its configmaps twice"),
        (_list("7", "two", "two"), "lists one of its configmaps twice"),
    ],
    ids=["of an earlier moment", "the page before", "one object twice"],
)
def test_pages_that_do_not_fit_together_are_no_list(second: dict[str, Json], told: str) -> None:
    """A page that comes twice came for another one, and nobody knows which."""

    def script(asked: Asked) -> Reply:
        return said(second if "continue" in asked.query else _list("7", "one", **{"continue": "2"}))

    with scripted.serving(script) as server, pytest.raises(errors.FaultError, match=told):
        listing.walk(calling.api(server), _CONFIGS, "pay", until=time.monotonic() + _SECONDS)


def _event(kind: str, version: str, name: str = "") -> bytes:
    named = {"name": name, "namespace": "pay"} if name else {}
    content = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {**named, "resourceVersion": version}}
    return json.dumps({"type": kind, "object": content}).encode() + b"\n"


@pytest.mark.parametrize("back", [_event("BOOKMARK", "8"), _event("MODIFIED", "8", "one")], ids=["bookmark", "event"])
def test_a_watch_that_goes_back_is_listed_anew_and_an_older_list_is_not_believed(back: bytes) -> None:
    """What is known stays as it is until a server that has caught up says more: nothing older takes its place."""
    lists = iter([_list("9", "one"), _list("7", "old"), _list("7", "old"), _list("12", "one", "two")])
    watches = iter([[_event("ADDED", "11", "later"), back]])
    names: list[set[str]] = []

    def silent() -> Iterator[bytes]:
        server.closing.wait()
        yield b""

    def script(asked: Asked) -> Reply:
        return Reply(pieces=next(watches, silent())) if "watch" in asked.query else said(next(lists))

    with scripted.serving(script) as server:
        served = Served(resources=(_CONFIGS,))
        with watching.Watching(calling.api(server), served, _PAY).running() as running:
            end = time.monotonic() + _SECONDS
            while not names or "two" not in names[-1]:
                assert time.monotonic() < end, names
                running.changed(seconds=0.02)
                names.append({one["metadata"]["name"] for one in running.inventory().objects})
    assert all("old" not in one for one in names)
    assert names[-1] == {"one", "two"}
