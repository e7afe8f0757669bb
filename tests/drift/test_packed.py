"""Renderings that are kept as bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from drift import inventory, packed
from drift.redact import Sealer
from lockstep.sites import ends
from lockstep.sites.directory import DirectoryCluster
from lockstep.values import Json, ObjectKey
from tests.support.times import Clock

WEB, DB = (ObjectKey(group="", kind="ConfigMap", namespace="shop", name=name) for name in ("web", "db"))


def config(value: Json) -> dict[str, Json]:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": value}}


def test_what_two_renderings_of_a_pool_say_alike_is_known_to_be_the_same() -> None:
    """By its bytes: ``true`` is not ``1``, and an object that one of them lacks is not the same."""
    pool: dict[bytes, bytes] = {}
    left = packed.Packed({WEB: config("1"), DB: config(True)}, pool=pool)
    right = packed.Packed({WEB: config("1"), DB: config(1)}, pool=pool)
    assert left.has_same(right, WEB)
    assert not left.has_same(right, DB)
    assert not left.has_same(packed.Packed({}, pool=pool), WEB)
    assert not packed.Packed({}, pool=pool).has_same(packed.Packed({}, pool=pool), WEB)


def test_what_cannot_be_packed_is_known_to_be_the_same_as_nothing() -> None:
    """It is kept, and compared as everything is."""
    odd = packed.Packed({WEB: config(2**70)}, pool={})
    assert odd[WEB] == config(2**70)
    assert not odd.has_same(odd, WEB)


class _Whole:
    """A directory that is read whole: nothing is let go."""

    def __init__(self, directory: DirectoryCluster) -> None:
        self._directory = directory
        self.address, self.runs = directory.address, directory.runs

    def read(self, selection: ends.Selection) -> ends.Inventory:
        """What is there."""
        return self._directory.read(selection)

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """One object."""
        return self._directory.get(key, api_version=api_version)


def test_a_site_that_is_packed_while_it_is_read_is_read_as_any_other(tmp_path: Path) -> None:
    """Secrets sealed, certificates found, an object of two groups once, and gaps where something is no object."""
    directory = DirectoryCluster(root=tmp_path, clock=Clock())
    web = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {}}
    secret = {"metadata": {"name": "keys", "namespace": "shop"}, "data": {"a": "YQ=="}}
    for api_version, kind, manifest in (
        ("extensions/v1beta1", "Ingress", web),
        ("networking.k8s.io/v1", "Ingress", web),
        ("v1", "Secret", secret),
    ):
        directory.apply({"apiVersion": api_version, "kind": kind, **manifest})
    (tmp_path / "shop" / "Secret.core" / "broken.yaml").write_text("{", encoding="utf-8")
    slim, whole = (
        inventory.read(one, ends.EVERYTHING, site="seoul", sealer=Sealer(b"a key of this test"), now=Clock())
        for one in (directory, _Whole(directory))
    )
    assert isinstance(slim.objects, packed.Packed)
    assert replace(slim, objects=dict(slim.objects)) == whole
    assert [key.kind for key in sorted(whole.objects)] == ["Secret", "Ingress"]
    assert slim.hides(ObjectKey(group="", kind="Secret", namespace="shop", name="broken"))
