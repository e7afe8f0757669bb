"""A server that answers badly for one kind: nothing crashes, the rest is read, and nothing of that kind reads equal."""

from __future__ import annotations

import gc
import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lockstep import errors
from lockstep.sites import cluster
from lockstep.sites.cluster import reading
from lockstep.sites.ends import Inventory, Selection
from lockstep.values import Json, ObjectKey
from tests.lockstep.sites.cluster import calling
from tests.support import scripted
from tests.support.scripted import Asked, Reply, said

_VERBS = ["get", "list", "watch"]
_SELECTION = Selection(namespaces=frozenset({"pay"}))
_SPOILT = "/apis/shop.example/v1/namespaces/pay/widgets"
_HIDDEN = ObjectKey(group="shop.example", kind="Widget", namespace="pay", name="any")
_SHOWN = ObjectKey(group="", kind="ConfigMap", namespace="pay", name="settings")

Spoil = Callable[[scripted.Scripted, Asked], Reply]


def _resource(plural: str, kind: str) -> dict[str, Json]:
    return {"resource": plural, "scope": "Namespaced", "responseKind": {"kind": kind}, "verbs": _VERBS}


def _group(name: str, *resources: dict[str, Json]) -> dict[str, Json]:
    return {"metadata": {"name": name}, "versions": [{"version": "v1", "resources": list(resources)}]}


def _discovered(asked: Asked, *groups: dict[str, Json]) -> Reply:
    core = [_group("", _resource("configmaps", "ConfigMap"))]
    return said({"kind": "APIGroupDiscoveryList", "items": core if asked.path == "/api" else list(groups)})


def _listed(*items: Json, **metadata: Json) -> dict[str, Json]:
    return {"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7", **metadata}, "items": list(items)}


def _settings() -> Reply:
    return said(_listed({"metadata": {"name": "settings", "namespace": "pay"}}))


def _read(spoil: Spoil, *, keep: reading.Keep | None = None, **limits: Any) -> Inventory:
    """What is read of a server with a good kind, and one that is answered for like this."""

    def script(asked: Asked) -> Reply:
        if asked.path in ("/api", "/apis"):
            return _discovered(asked, _group("shop.example", _resource("widgets", "Widget")))
        return spoil(server, asked) if asked.path == _SPOILT else _settings()

    with scripted.serving(script) as server:
        door = cluster.KubernetesCluster(calling.api(server, tries=2, **limits), address="seoul")
        return door.read(_SELECTION, keep=keep)


def _silent(server: scripted.Scripted, _: Asked) -> Reply:
    def nothing() -> Iterator[bytes]:
        server.closing.wait()
        yield b""

    return Reply(pieces=nothing())


def _trickling(server: scripted.Scripted, _: Asked) -> Reply:
    def pieces() -> Iterator[bytes]:
        while not server.closing.wait(0.02):
            yield b" "

    return Reply(pieces=pieces())


def _saying(content: Json, status: int = 200) -> Spoil:
    return lambda _server, _asked: said(content, status)


def _sending(body: bytes, *, cut: bool = False, **headers: str) -> Spoil:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _server, _asked: Reply(headers=named, body=body, cut=cut)


_WHOLE = json.dumps(_listed({"metadata": {"name": "one", "namespace": "pay"}})).encode()
_PACKED = gzip.compress(_WHOLE)
_ONE = {"metadata": {"name": "one", "namespace": "pay"}}

_BAD: dict[str, Spoil] = {
    "says nothing": _silent,
    "trickles": _trickling,
    "is cut": _sending(_WHOLE[:40], cut=True),
    "ends too early": _sending(_WHOLE[:-10]),
    "is packed and ends too early": _sending(_PACKED[:-10], Content_Encoding="gzip"),
    "says that it is packed": _sending(_WHOLE, Content_Encoding="gzip"),
    "is no UTF-8": _sending(_WHOLE.replace(b"one", b"\xff\xfe\xfd")),
    "is nested without end": _sending(b'{"metadata":{},"items":[' + b"[" * 100_000),
    "is empty": _sending(b""),
    "is a login page": _sending(b"<html>Please sign in</html>", Content_Type="text/html"),
    "is a Status": _saying(calling.status(200, "fine")),
    "has no items": _saying({"metadata": {"resourceVersion": "1"}}),
    "has items that are none": _saying({"metadata": {}, "items": "none"}),
    "has no metadata": _saying({"metadata": None, "items": []}),
    "has an item that is no object": _saying(_listed(_ONE, "two")),
    "has an item without metadata": _saying(_listed(_ONE, {"spec": {}})),
    "has an item without a name": _saying(_listed(_ONE, {"metadata": {"namespace": "pay"}})),
    "has an item with a number for a name": _saying(_listed(_ONE, {"metadata": {"name": 7, "namespace": "pay"}})),
    "has an item with a list for a namespace": _saying(
        _listed(_ONE, {"metadata": {"name": "x", "namespace": ["pay"]}})
    ),
    "goes on in a circle": _saying(_listed(_ONE, **{"continue": "again"})),
    "goes on with nonsense": _saying(_listed(_ONE, **{"continue": {"a": ["b"]}})),
    "goes on at a broken page": lambda _server, asked: (
        Reply(body=_WHOLE[:-5]) if "continue" in asked.query else said(_listed(_ONE, **{"continue": "2"}))
    ),
    "is of a moment that is always gone": _saying(calling.status(410, "too old", reason="Expired"), 410),
    "is a service that is away": _saying(calling.status(503, "no endpoints available for the service"), 503),
    "is served no longer": _saying(calling.status(404, "the server could not find the requested resource"), 404),
    "is broken": _saying(calling.status(500, "conversion webhook failed"), 500),
    "asks for patience": _saying(calling.status(429, "later"), 429),
    "leads elsewhere": lambda _server, _asked: Reply(status=302, headers={"Location": "https://elsewhere.example/"}),
    "is one object that is too large": _saying(_listed({**_ONE, "data": "x" * 2**20})),
}


@pytest.mark.parametrize("spoil", _BAD.values(), ids=_BAD.keys())
def test_a_kind_that_is_answered_for_badly_is_a_gap_and_nothing_else_suffers(spoil: Spoil) -> None:
    """Not even half of it is shown, for half of a list looks like a list."""
    found = _read(spoil, call_seconds=0.5, silence_seconds=0.25, most_bytes=2**19)
    assert [ObjectKey.of(one) for one in found.objects] == [_SHOWN]
    (gap,) = found.gaps
    assert gap.hides(_HIDDEN)
    assert not gap.hides(_SHOWN)
    assert gap.why
    assert gap.why.isprintable()


def test_objects_of_a_megabyte_are_read_in_pages_that_fit() -> None:
    """A page is bounded in bytes, and a page of one object is as small as it gets."""

    def large(_: scripted.Scripted, asked: Asked) -> Reply:
        first, limit = int(asked.query.get("continue", 0)), int(asked.query["limit"])
        items = [
            {"metadata": {"name": f"w{number}", "namespace": "pay"}, "data": "x" * 2**20}
            for number in range(first, min(6, first + limit))
        ]
        return said(_listed(*items, **({"continue": str(first + limit)} if first + limit < 6 else {})))

    found = _read(large, most_bytes=3 * 2**20)
    assert found.gaps == ()
    assert sum(one["kind"] == "Widget" for one in found.objects) == 6


def _is_large(one: object) -> bool:
    """Whether this is the data of one of the large ConfigMaps, of all that is in memory."""
    return type(one) is dict and isinstance(text := one.get("large"), str) and len(text) > 2**20


def test_a_long_list_of_large_objects_is_in_memory_a_page_or_two_at_a_time() -> None:
    """ConfigMaps as large as etcd takes them: of the pages before, what is kept of each is left."""
    most_there = 0

    def page(first: int) -> Reply:
        items = [
            {"metadata": {"name": f"w{number}", "namespace": "pay"}, "data": {"large": "x" * (3 * 2**19)}}
            for number in range(first, first + 4)
        ]
        return said(_listed(*items, **({"continue": str(first + 4)} if first + 4 < 24 else {})))

    # Made before anything is read: what the server has in hand is none of what the reader keeps.
    pages = {str(first): page(first) for first in range(0, 24, 4)}

    def large(_: scripted.Scripted, asked: Asked) -> Reply:
        assert asked.query["limit"] == "4"
        return pages[asked.query.get("continue", "0")]

    def keep(manifest: dict[str, Json]) -> dict[str, Json]:
        nonlocal most_there
        most_there = max(most_there, sum(map(_is_large, gc.get_objects())))
        return {"kind": manifest["kind"], "name": manifest["metadata"]["name"]}

    found = _read(large, keep=keep, most_bytes=7 * 2**20, page=4)
    assert found.gaps == ()
    assert sum(one["kind"] == "Widget" for one in found.objects) == 24
    assert most_there <= 2 * 4


def test_objects_without_managed_fields_and_of_unknown_kinds_are_read_like_any_other() -> None:
    """Whoever wrote them, and whatever else stands in them: nothing is taken for granted."""
    odd: dict[str, Json] = {
        "metadata": {"name": "one", "namespace": "pay", "managedFields": None},
        "spec": None,
        "Ünï": [1, None, {}],
    }
    found = _read(_saying(_listed(odd, _ONE | {"metadata": {"name": "two", "namespace": "pay"}})))
    assert found.gaps == ()
    assert [one["metadata"]["name"] for one in found.objects if one["kind"] == "Widget"] == ["one", "two"]
    assert all("managedFields" not in one["metadata"] for one in found.objects)


def test_what_a_server_adds_of_other_namespaces_is_not_taken_for_this_one() -> None:
    """A proxy that mixes tenants up shows nobody's objects as ours."""
    elsewhere = {"metadata": {"name": "two", "namespace": "shop"}}
    found = _read(_saying(_listed(_ONE, elsewhere)))
    assert [one["metadata"]["name"] for one in found.objects if one["kind"] == "Widget"] == ["one"]


def test_one_object_under_two_groups_is_read_under_both_and_hidden_under_one() -> None:
    """Each says what it was read as; when one group is away, what is under it is Unknown and the other is there."""
    ingress = {"metadata": {"name": "web", "namespace": "pay", "uid": "the same"}}

    def script(asked: Asked) -> Reply:
        if asked.path in ("/api", "/apis"):
            groups = [_group(name, _resource("ingresses", "Ingress")) for name in ("networking.k8s.io", "old.example")]
            return _discovered(asked, *groups)
        if asked.path.startswith("/apis/old.example/") and away:
            return said(calling.status(503, "away"), 503)
        return said(_listed(ingress)) if asked.path.endswith("ingresses") else _settings()

    away = False
    with scripted.serving(script) as server:
        door = cluster.KubernetesCluster(calling.api(server, tries=1), address="seoul")
        both = door.read(_SELECTION)
        away = True
        one = door.read(_SELECTION)
    groups = ["networking.k8s.io/v1", "old.example/v1"]
    assert sorted(found["apiVersion"] for found in both.objects if found["kind"] == "Ingress") == groups
    assert both.gaps == ()
    assert [found["apiVersion"] for found in one.objects if found["kind"] == "Ingress"] == groups[:1]
    assert [gap.group for gap in one.gaps] == ["old.example"]


def test_a_definition_whose_group_does_not_answer_hides_its_group() -> None:
    """A server that tells group by group cannot even say which kinds it has."""

    def script(asked: Asked) -> Reply:
        if asked.path == "/api":
            return said({"kind": "APIVersions", "versions": ["v1"]})
        if asked.path == "/apis":
            version = {"groupVersion": "shop.example/v1", "version": "v1"}
            return said({"kind": "APIGroupList", "groups": [{"name": "shop.example", "versions": [version]}]})
        if asked.path == "/api/v1":
            kind = {"name": "configmaps", "kind": "ConfigMap", "namespaced": True, "verbs": _VERBS}
            return said({"kind": "APIResourceList", "groupVersion": "v1", "resources": [kind]})
        return said(calling.status(503, "away"), 503) if asked.path.startswith("/apis/shop") else _settings()

    with scripted.serving(script) as server:
        door = cluster.KubernetesCluster(calling.api(server, tries=1), address="seoul")
        found = door.read(_SELECTION)
        with pytest.raises(errors.FaultError, match="away"):
            door.get(_HIDDEN, api_version="shop.example/v1")
    assert [ObjectKey.of(one) for one in found.objects] == [_SHOWN]
    (gap,) = found.gaps
    assert gap.hides(_HIDDEN)
    assert not gap.hides(_SHOWN)


def test_an_object_that_is_another_than_was_asked_for_is_none() -> None:
    """A cache in between that mixes answers up is no Kubernetes API."""
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other", "namespace": "pay"}}

    def script(asked: Asked) -> Reply:
        return _discovered(asked) if asked.path in ("/api", "/apis") else said(other)

    with scripted.serving(script) as server:
        door = cluster.KubernetesCluster(calling.api(server), address="seoul")
        with pytest.raises(errors.UnreachableError, match="something else"):
            door.get(_SHOWN, api_version="v1")
