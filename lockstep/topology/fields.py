"""The fields of the models, as data: which there are at a path of a document, and of which model."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo

from lockstep.documents import Path
from lockstep.topology.kinds import Model


def named(model: type[Model]) -> dict[str, FieldInfo]:
    """The fields of a model, by the name that people write."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def model_in(annotation: Any) -> type[Model] | None:
    """The model inside a type such as ``tuple[Image, ...]`` or ``GitEnd | None``; None when there is none."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    for argument in typing.get_args(annotation):
        found = model_in(argument)
        if found is not None:
            return found
    return None


def model_at(model: type[Model], path: Path) -> type[Model] | None:
    """The model that describes the value at a path of a document; None where no model does."""
    annotation: Any = model
    for part in path:
        annotation = _inside(annotation, part)
        if annotation is None:
            return None
    found = plain(annotation)
    return found if isinstance(found, type) and issubclass(found, Model) else None


def homes(model: type[Model], field: str, *, at: Path = ()) -> Iterator[Path]:
    """The paths, below a model, of the models that have a field of this name; lists and tables are not entered."""
    for name, info in named(model).items():
        if name == field:
            yield at
        nested = plain(info.annotation)
        if isinstance(nested, type) and issubclass(nested, Model):
            yield from homes(nested, field, at=(*at, name))


def _inside(annotation: Any, part: str | int) -> Any:
    """The type of one entry of a value of this type; None when it has no such entry."""
    bare = plain(annotation)
    if isinstance(bare, type) and issubclass(bare, Model):
        info = named(bare).get(str(part))
        return info.annotation if info else None
    arguments = typing.get_args(bare)
    if typing.get_origin(bare) is dict:
        return arguments[1]
    return arguments[0] if typing.get_origin(bare) is tuple else None


def without_none(annotation: Any) -> Any:
    """The type of an optional field, as if it were not optional."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [argument for argument in typing.get_args(annotation) if argument is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def plain(annotation: Any) -> Any:
    """The type without ``Annotated`` and ``None``."""
    while (bare := _once(annotation)) is not annotation:
        annotation = bare
    return annotation


def _once(annotation: Any) -> Any:
    if typing.get_origin(annotation) is typing.Annotated:
        return typing.get_args(annotation)[0]
    return without_none(annotation)
