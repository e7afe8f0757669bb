"""What a param or a result holds: text, a list of texts, or texts by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

import orjson
from pydantic import BeforeValidator

from lockstep.values import Json

Value: TypeAlias = str | tuple[str, ...] | Mapping[str, str]
"""The value of a param or result; its type is ``string``, ``array`` or ``object``."""
Type: TypeAlias = Literal["string", "array", "object"]


def value_of(json: Json) -> Value:
    """A JSON value as Tekton takes it: what is neither a list nor a mapping of texts becomes text.

    ``5`` is ``"5"``, ``true`` is ``"true"``, ``[1, 2]`` is ``"[1,2]"`` (ParamValue.UnmarshalJSON).
    """
    if json is None:
        return ""
    if isinstance(json, str):
        return json
    if isinstance(json, list | tuple) and all(isinstance(item, str) for item in json):
        return tuple(json)
    if isinstance(json, dict) and all(isinstance(item, str) for item in json.values()):
        return dict(json)
    return orjson.dumps(json).decode()


def type_of(value: Value) -> Type:
    """``string``, ``array`` or ``object``."""
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, tuple) else "object"


def texts_of(value: Value) -> list[str]:
    """Every text in a value."""
    if isinstance(value, str):
        return [value]
    return list(value) if isinstance(value, tuple) else list(value.values())


def as_json(value: Value) -> Json:
    """The value as JSON has it: text, list or mapping."""
    if isinstance(value, str):
        return value
    return list(value) if isinstance(value, tuple) else dict(value)


ParamValue = Annotated[str | tuple[str, ...] | dict[str, str], BeforeValidator(value_of)]
"""A value inside a document."""
