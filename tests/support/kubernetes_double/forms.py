"""What becomes of an object that is read into Go's types and written again.

Fields that are not declared are gone, so are empty ones that are not ``shown``, structs stand there although nobody
set them, quantities are in canonical form. Only built-in kinds go through this: custom resources stay as they are.
"""

from __future__ import annotations

import base64
from typing import Any

from tests.support.kubernetes_double import quantities
from tests.support.kubernetes_double.types import Form, Object, Type

_EMPTY_SCALARS: tuple[Any, ...] = (None, "", 0, False)


def normal(given: Object, of: Type) -> Object:
    """The object as the server would write it."""
    found: Object = {}
    for name, inner in of.fields.items():
        value = _normal(given.get(name), inner)
        if value is None:
            if name in of.shown:
                found[name] = None if name in of.pointers else zero(inner)
        elif name in of.shown or not _vanishes(name, value, of):
            found[name] = value
    return found


def zero(of: Type) -> Any:
    """What stands where nothing was set."""
    if of.form is Form.RECORD and of.rest is None:
        return normal({}, of)
    if of.form is not Form.SCALAR or of.scalar in {"time", "quantity"}:
        return None
    return {"string": "", "boolean": False, "byte": None, "int-or-string": 0}.get(of.scalar, 0)


def _normal(value: Any, of: Type) -> Any:
    if value is None:
        return None
    if of.form is Form.RECORD and of.rest is None:
        return normal(value, of)
    if of.form is Form.RECORD:
        assert of.rest is not None
        shown = {key: _normal(one, of.rest) for key, one in value.items()}
        return {key: zero(of.rest) if one is None else one for key, one in shown.items()}
    if of.form is Form.LIST:
        assert of.item is not None
        item = of.item
        return [zero(item) if (one := _normal(each, item)) is None else one for each in value]
    return _scalar(value, of)


def _scalar(value: Any, of: Type) -> Any:
    if of.scalar == "quantity":
        return quantities.canonical(value)
    if of.scalar == "byte":
        return base64.b64encode(base64.b64decode(value)).decode()
    if of.scalar == "integer" and isinstance(value, float):
        return int(value)
    return value


def _vanishes(name: str, value: Any, of: Type) -> bool:
    """Whether ``omitempty`` leaves it out."""
    inner = of.fields[name]
    if inner.form is Form.LIST or (inner.form is Form.RECORD and inner.rest is not None):
        return not value
    if inner.form is Form.SCALAR and name not in of.pointers and inner.scalar not in {"quantity", "time"}:
        return value in _EMPTY_SCALARS and inner.scalar != "int-or-string"
    return False
