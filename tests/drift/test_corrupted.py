"""Lists of a server that are not what a server says: whatever is in them, a comparison names it or is right.

Real lists are spoilt at random, in their values and in their bytes, and go the whole way: over HTTP, through a
comparison, into the store and out of it again.
"""

from __future__ import annotations

import contextlib
import copy
import json
import random
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift import exclusions, normalise, report, scan
from drift.scanned import Scanned
from lockstep.sites import archive, cluster
from lockstep.store.database import open_database
from lockstep.store.views import drift as views
from lockstep.values import Json, ObjectKey, Stance, Verdict
from tests.drift import golden
from tests.drift import world as worlds
from tests.drift.world import World
from tests.lockstep.sites.cluster import calling
from tests.support import scripted
from tests.support.scripted import Asked, Reply, said

_RECORDED = Path(__file__).parents[1] / "console" / "cli" / "ends" / "seoul.json"
_NAMESPACE = "shop"
# Controllers make these; the application brings the others.
_NOT_OURS = {"Pod", "Endpoints"}
_PLURALS = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}
_SITES = ("seoul", "sejong")


def _from_git() -> list[dict[str, Json]]:
    """What was recorded of a cluster, as somebody would write it in git."""
    found = []
    for item in json.loads(_RECORDED.read_text(encoding="utf-8"))["items"]:
        if item["kind"] in _NOT_OURS:
            continue
        kept = {name: part for name, part in item.items() if name != "status"}
        kept["metadata"] = {name: item["metadata"][name] for name in ("name", "labels") if name in item["metadata"]}
        if item["kind"] == "Service":
            kept["spec"] = {name: part for name, part in item["spec"].items() if not name.startswith("clusterIP")}
        found.append(kept)
    return found


def _lived(manifest: Mapping[str, Json], site: str, number: int) -> dict[str, Json]:
    """A manifest as a server has it, in a list: with what is the server's own, and without what it is."""
    owned = {
        "uid": f"{site}-{number}",
        "resourceVersion": str(number),
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "lockstep", "operation": "Apply", "fieldsV1": {"f:data": {}}}],
    }
    lived = {**copy.deepcopy(dict(manifest)), "metadata": {**manifest["metadata"], **owned}}
    del lived["apiVersion"], lived["kind"]
    return lived


def _plural(kind: str) -> str:
    return _PLURALS.get(kind, f"{kind.lower()}s")


@dataclass(slots=True)
class _Site:
    """A server with a list for each kind; one of them may be answered with other bytes."""

    lists: dict[str, dict[str, Json]] = field(default_factory=dict)
    spoilt: tuple[str, bytes] = ("", b"")
    groups: dict[str, list[dict[str, Json]]] = field(default_factory=dict)

    def take(self, manifests: Iterable[dict[str, Json]], site: str) -> None:
        """Serve these objects."""
        for number, manifest in enumerate(manifests):
            group, _, version = manifest["apiVersion"].rpartition("/")
            kind, path = manifest["kind"], self.path(manifest)
            if path not in self.lists:
                self.lists[path] = {"kind": f"{kind}List", "apiVersion": manifest["apiVersion"]}
                self.lists[path] |= {"metadata": {"resourceVersion": "7"}, "items": []}
                verbs = ["get", "list", "watch"]
                named = {"resource": _plural(kind), "responseKind": {"kind": kind}, "scope": "Namespaced"}
                self.groups.setdefault(group, []).append({**named, "verbs": verbs, "version": version})
            self.lists[path]["items"].append(_lived(manifest, site, number))

    @staticmethod
    def path(manifest: Mapping[str, Json]) -> str:
        """Where the list of a manifest's kind is."""
        root = "apis" if "/" in manifest["apiVersion"] else "api"
        return f"/{root}/{manifest['apiVersion']}/namespaces/{_NAMESPACE}/{_plural(manifest['kind'])}"

    def __call__(self, asked: Asked) -> Reply:
        """Answer."""
        if asked.path in ("/api", "/apis"):
            chosen = [name for name in self.groups if bool(name) == (asked.path == "/apis")]
            return said({"kind": "APIGroupDiscoveryList", "items": [self._group(name) for name in chosen]})
        if asked.path == self.spoilt[0]:
            return Reply(headers={"Content-Type": "application/json"}, body=self.spoilt[1])
        if asked.path in self.lists:
            return said(self.lists[asked.path])
        return said(calling.status(404, "not found"), 404)

    def _group(self, name: str) -> dict[str, Json]:
        resources = self.groups[name]
        return {"metadata": {"name": name}, "versions": [{"version": resources[0]["version"], "resources": resources}]}


@dataclass(slots=True)
class _Doors:
    """The two sites as API servers."""

    open: dict[str, cluster.KubernetesCluster]

    def cluster(self, site: str) -> cluster.KubernetesCluster:
        """A site's server."""
        return self.open[site]

    def archive(self, _site: str) -> archive.Archive | None:
        """There is none."""
        return None


class _Bench:
    """An application that is in step at two servers, one of which may be spoilt."""

    def __init__(
        self,
        world: World,
        *,
        servers: Mapping[str, scripted.Scripted],
        standby: _Site,
        wanted: Mapping[ObjectKey, dict[str, Json]],
    ) -> None:
        self.world = world
        self.servers = servers
        self.standby = standby
        self.wanted = wanted

    def compared(self, path: str, body: bytes) -> Scanned:
        """Compare once, with other bytes in the place of a list, and store what was found."""
        self.standby.spoilt = (path, body)
        with contextlib.ExitStack() as stack:
            # A door remembers what it was told before.
            doors_ = {
                name: cluster.KubernetesCluster(calling.api(one, tries=1), address=name)
                for name, one in self.servers.items()
            }
            for door in doors_.values():
                stack.callback(door.close)
            scanning = replace(self.world.scanning, sites=_Doors(doors_))
            found = scan.scan(scanning, self.world.shop, scanning.topology().pairs[worlds.PAIR])
        with self.world.scanning.database.write() as connection:
            found.store(connection)
        return found

    def tell(self) -> None:
        """Whatever was stored can be told again."""
        topology = self.world.scanning.topology()
        with self.world.scanning.database.read() as connection:
            told = report.of_store(
                views.scans_of(connection, "shop"),
                views.page(connection, views.Filter(application="shop"), limit=1000),
                [(self.world.shop, topology.pairs[worlds.PAIR])],
                now=self.world.clock.now(),
                stale=timedelta(days=1),
            )
        json.dumps(told.to_json())


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[_Bench]:
    """The same for all examples: nothing is left of one but what is stored."""
    folder = tmp_path_factory.mktemp("spoilt")
    shutil.copy(sqlite_template, folder / "lockstep.db")
    world = World.make(folder, open_database(f"sqlite:///{folder / 'lockstep.db'}"))
    world.stance(worlds.PAIR, Stance.NORMAL)
    world.commit("one", *_from_git())
    sites = {name: _Site() for name in _SITES}
    wanted = {name: world.wanted(name).objects for name in _SITES}
    with contextlib.ExitStack() as stack:
        for name, site in sites.items():
            site.take(wanted[name], name)
        stack.callback(world.scanning.database.close)
        yield _Bench(
            world,
            servers={name: stack.enter_context(scripted.serving(site)) for name, site in sites.items()},
            standby=sites["sejong"],
            wanted={ObjectKey.of(one): one for one in wanted["sejong"]},
        )


def test_the_bench_is_in_step(bench: _Bench) -> None:
    """What is found in the other tests is found because of what they spoil."""
    found = bench.compared("", b"")
    assert (found.rows, found.scan.verdict) == ((), Verdict.IN_SYNC)


# --- how a list is spoilt

_DEEP = {f"(nested {depth} deep)": depth for depth in (90, 300, 2_000, 10_000)}
_ODD: list[Json] = [
    *(None, True, 0, -1, 7, 10**40, -(2**63) - 1, 0.1, 1e308),
    *("", "a", "../..", "a/b", "한글", "\0", "x" * 300, "v1", "List", *_DEEP),
    *([], [None], [[]], ["a", 1], {}, {"": None}, {"a": {"b": [1, None]}}),
]


def _spoilt(chance: random.Random, listed: dict[str, Json]) -> bytes:
    """What is answered in the place of a list."""
    content = copy.deepcopy(listed)
    for _ in range(chance.randint(1, 3)):
        _spoil(chance, content)
    body = json.dumps(content).encode()
    for mark, depth in _DEEP.items():
        body = body.replace(f'"{mark}"'.encode(), b'{"a":' * depth + b"1" + b"}" * depth)
    if chance.random() < 0.25:
        at = chance.randint(0, len(body))
        body = chance.choice([body[:at], body[:at] + b"\xff\xfe" + body[at:], body[:at] + body[at + 1 :]])
    return body


def _spoil(chance: random.Random, content: dict[str, Json]) -> None:
    """Something in it becomes something else, goes, or is there twice."""
    holder, key = chance.choice(list(_places(content)))
    how = chance.choice(["odd", "odd", "gone", "twice", "moved"])
    if how == "odd":
        holder[key] = copy.deepcopy(chance.choice(_ODD))
    elif how == "moved":
        other, place = chance.choice(list(_places(content)))
        holder[key] = copy.deepcopy(other[place])
    elif how == "twice" and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    else:
        del holder[key]


def _places(value: Json) -> Iterator[tuple[Any, Any]]:
    """Every place below, as what holds it and its key there; what is higher up comes more often."""
    waiting = [(value, 0)]
    while waiting:
        holder, depth = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            yield from [(holder, key)] * max(1, 4 - depth)
            if isinstance(holder[key], dict | list):
                waiting.append((holder[key], depth + 1))


# --- what holds


@settings(max_examples=120)
@given(seed=st.integers(0, 2**32))
def test_what_a_spoilt_list_says_is_named_or_right(bench: _Bench, seed: int) -> None:
    """Never a traceback, never fewer objects in silence, and nothing is in step that is not as git says."""
    chance = random.Random(seed)  # noqa: S311 - it spoils lists, and guards nothing
    path = chance.choice(sorted(bench.standby.lists))
    listed = bench.standby.lists[path]
    body = _spoilt(chance, listed)
    kind = str(listed["kind"]).removesuffix("List")
    found = bench.compared(path, body)
    told, served = {row.key for row in (*found.rows, *found.explained)}, _served(body)
    by_name = dict(served)
    doubled = len(by_name) != len(served)
    for key, wanted in bench.wanted.items():
        if key.kind == kind and not found.hides(key, "sejong"):
            assert not doubled
            there = by_name.pop(key.name, None)
            assert key in told or (there is not None and _normal(there, wanted) == _normal(wanted, wanted))
    for name, manifest in by_name.items():
        there_too = replace(next(key for key in bench.wanted if key.kind == kind), name=name)
        assert there_too in told or found.hides(there_too, "sejong") or exclusions.reason(manifest, there_too)
    bench.tell()


def _served(body: bytes) -> list[tuple[str, dict[str, Json]]]:
    """The objects of the application that a list holds, as another parser reads it; nothing when it is none."""
    try:
        items = json.loads(body)["items"]
        here = [one for one in items if one["metadata"].get("namespace") == _NAMESPACE]
        return [(one["metadata"]["name"], one) for one in here if isinstance(one["metadata"]["name"], str)]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return []


def _normal(manifest: dict[str, Json], wanted: dict[str, Json]) -> bytes:
    told = {**manifest, "apiVersion": wanted["apiVersion"], "kind": wanted["kind"]}
    sealed = [golden.SEALER.seal(one) for one in (told, wanted)]
    return normalise.normalise(sealed[0], declared=sealed[1:]).encoded
