"""Whether an object is what its type says: what server-side apply refuses with a 500, in the server's words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.support.kubernetes_double import paths
from tests.support.kubernetes_double.types import Form, Type

_NUMERIC = {"integer", "number"}
_TEXT = {"string", "byte"}


def errors(value: Any, of: Type, at: paths.Path = ()) -> Iterator[str]:
    """Every error, as ``.spec.replicas: expected numeric (int or float), got string``."""
    if value is None or of.form is Form.ANY:
        return
    if of.form is Form.SCALAR:
        yield from (f"{paths.shown(at)}: {error}" for error in _scalar(value, of))
    elif of.form is Form.LIST:
        yield from _list(value, of, at)
    elif not isinstance(value, dict):
        yield f"{paths.shown(at)}: expected map, got {_go(value)}"
    else:
        yield from _record(value, of, at)


def _record(value: dict[str, Any], of: Type, at: paths.Path) -> Iterator[str]:
    for name, one in value.items():
        inner = of.under(name)
        here = (*at, f"f:{name}")
        if inner is None:
            yield f"{paths.shown(here)}: field not declared in schema"
            return  # the server looks no further
        yield from errors(one, inner, here)


def _list(value: Any, of: Type, at: paths.Path) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{paths.shown(at)}: expected list, got {_go(value)}"
        return
    assert of.item is not None
    seen: Counter[str] = Counter()
    for index, item in enumerate(value):
        element = f"i:{index}"
        if of.keyed:
            try:
                element = paths.item_element(item, of)
            except KeyError as error:
                yield f"{paths.shown(at)}: element {index}: {_keyless(error.args[0], of)}"
                continue
            seen[element] += 1
        yield from errors(item, of.item, (*at, element))
    for element, count in seen.items():
        if count > 1:
            yield f"{paths.shown(at)}: duplicate entries for key {paths.shown((element,))}"


def _keyless(key: str, of: Type) -> str:
    omits = "associative list with keys has an element that omits"
    if len(of.keys) == 1:
        return f'{omits} all key fields ["{key}"] (and doesn\'t have default values for any key fields)'
    return f'{omits} key field "{key}" (and doesn\'t have default value)'


def _scalar(value: Any, of: Type) -> Iterator[str]:
    if isinstance(value, dict | list):
        yield f"expected {_wanted(of)}, got {_go_wrapped(value)}"
    elif of.scalar in _NUMERIC and (isinstance(value, bool) or not isinstance(value, int | float)):
        yield f"expected numeric (int or float), got {_go_type(value)}"
    elif of.scalar in _TEXT and not isinstance(value, str):
        yield f"expected string, got {_go_wrapped(value)}"
    elif of.scalar == "boolean" and not isinstance(value, bool):
        yield f"expected boolean, got {_go(value)}"


def _wanted(of: Type) -> str:
    if of.scalar in _NUMERIC:
        return "numeric (int or float)"
    return of.scalar if of.scalar in {"string", "boolean"} else "scalar"


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    names = {str: "string", int: "int64", float: "float64", dict: "map[string]interface {}", list: "[]interface {}"}
    return names[type(value)]


def _go(value: Any) -> str:
    """A value as Go's ``%v`` writes it, behind a pointer to a struct."""
    return f"&{{{_plain(value)}}}"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_plain(one)}' for key, one in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(_plain(one) for one in value)}]"
    return value if isinstance(value, str) else json.dumps(value)


def _go_wrapped(value: Any) -> str:
    """A value as Go's ``%#v`` writes it."""
    return f"&value.valueUnstructured{{Value:{_literal(value)}}}"


def _literal(value: Any) -> str:
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else ()
        inner = [f"{json.dumps(key)}:{_literal(one)}" for key, one in pairs] or [_literal(one) for one in value]
        return f"{_go_type(value)}{{{', '.join(inner)}}}"
    return json.dumps(value)
