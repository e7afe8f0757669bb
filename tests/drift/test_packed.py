"""Renderings that are kept as bytes."""

from __future__ import annotations

from drift import packed
from lockstep.values import Json, ObjectKey

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
