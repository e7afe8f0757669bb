"""Values that are kept as bytes."""

from __future__ import annotations

import tracemalloc

import orjson
import pytest

from lockstep import documents
from lockstep.values import Json


@pytest.mark.parametrize("value", [None, 1, "한글", [1.5, {"a": None}], {"b": [], "a": {"c": True}}], ids=str)
def test_what_is_packed_is_the_same_when_it_is_unpacked(value: Json) -> None:
    """As JSON, in the order in which it was written."""
    assert orjson.loads(documents.pack(value)) == value
    assert documents.pack(value) == orjson.dumps(value)


def test_what_is_packed_takes_no_more_memory_than_its_bytes() -> None:
    """Ten thousand objects are kept for as long as a process runs; the room that they were written in is not."""
    manifest = {"kind": "ConfigMap", "data": {f"key-{number}": "value" for number in range(60)}}
    documents.pack(manifest)
    tracemalloc.start()
    try:
        kept = [documents.pack(manifest) for _ in range(100)]
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 1.2 * sum(len(one) for one in kept)


@pytest.mark.parametrize("value", [2**64, "\ud800"], ids=["too large a number", "half a surrogate"])
def test_what_has_no_json_is_refused(value: Json) -> None:
    """Whoever keeps it keeps it as it is."""
    with pytest.raises(TypeError):
        documents.pack(value)
