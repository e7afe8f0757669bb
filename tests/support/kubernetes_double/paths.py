"""Sets of fields, as ``managedFields`` writes them.

A path is a tuple of elements in the notation of ``FieldsV1``: ``f:spec``, ``k:{"name":"web"}``, ``v:"a"``. A set of
fields is a set of paths. (The format: sigs.k8s.io/structured-merge-diff, ``fieldpath``.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from tests.support.kubernetes_double.types import Form, Object, Type

Path = tuple[str, ...]
Fields = frozenset[Path]


def decoded(fields: Mapping[str, Any], at: Path = ()) -> set[Path]:
    """The paths of a ``fieldsV1``."""
    found: set[Path] = set()
    for element, inner in fields.items():
        if element == ".":
            found.add(at)
            continue
        here = (*at, element)
        if not inner:
            found.add(here)
        found |= decoded(inner, here)
    return found


def encoded(fields: Iterable[Path]) -> Object:
    """A ``fieldsV1``."""
    root: Object = {}
    chosen = set(fields)
    for path in sorted(chosen):
        node = root
        for element in path:
            node = node.setdefault(element, {})
    for path in chosen:
        node = root
        for element in path:
            node = node[element]
        if node:
            node["."] = {}
    return root


def item_element(item: Any, of: Type) -> str:
    """What names an item of a keyed list: its keys, or for a set its value.

    Raises:
        KeyError: It lacks a key that has no default.
    """
    if not of.keys:
        return f"v:{_compact(item)}"
    assert of.item is not None
    # A key that Go writes although it is empty has that as its default.
    defaults = {key: "" if of.item.fields[key].scalar == "string" else 0 for key in of.keys if key in of.item.shown}
    defaults |= of.item.defaults
    found = {}
    for key in of.keys:
        if not isinstance(item, dict) or (key not in item and key not in defaults):
            raise KeyError(key)
        found[key] = item.get(key, defaults.get(key))
    return f"k:{_compact(found)}"


def _compact(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def shown(path: Path) -> str:
    """A path as messages write it: ``.spec.containers[name="web"].image``."""
    return "".join(_shown(element) for element in path)


def _shown(element: str) -> str:
    kind, _, value = element.partition(":")
    if kind == "k":
        return f"[{keys_shown(element)}]"
    return f"[={value}]" if kind == "v" else f".{value}"


def keys_shown(element: str) -> str:
    """The keys of an item as messages write them: ``name="web"``."""
    keys = orjson.loads(element.partition(":")[2])
    return ",".join(f"{name}={_compact(value)}" for name, value in keys.items())


def with_named(fields: Iterable[Path], of: Type) -> set[Path]:
    """The set, and every declared field that one of its paths goes through."""
    found: set[Path] = set()
    for path in fields:
        found.add(path)
        inner: Type | None = of
        for depth, element in enumerate(path[:-1], start=1):
            name = element[2:] if element.startswith("f:") else None
            if inner is None or inner.form is Form.ANY:
                break
            if name is None:
                inner = inner.item
                continue
            if name in inner.fields:
                found.add(path[:depth])
            inner = inner.under(name)
    return found
