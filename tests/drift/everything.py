"""Every built-in kind with every field that its schema has: what the published OpenAPI of Kubernetes says.

The schemas are those that the ``kubernetes`` client was generated from; its classes name the type of each field.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kubernetes.client import models

from drift import exclusions
from lockstep.topology.objects import BUILT_IN
from lockstep.values import Json

_CLASS = re.compile(r"(?P<version>V[0-9]+(?:(?:alpha|beta)[0-9]+)?)(?P<kind>[A-Z].*)")
_SCALARS: dict[str, Callable[[int], Json]] = {
    "bool": bool,
    "int": int,
    "float": int,
    "datetime": lambda number: f"2026-01-01T00:00:00.{number:06}Z",
    **dict.fromkeys(("str", "bytes", "object"), lambda number: f"text-{number}"),
}
_LIST, _DICT = re.compile(r"List\[(.*)\]"), re.compile(r"Dict\[str, (.*)\]")


def kinds() -> dict[str, type]:
    """Every built-in kind that is compared, with its class in its newest stable version, by kind."""
    found: dict[str, tuple[tuple[bool, str], type]] = {}
    for name in dir(models):
        match = _CLASS.fullmatch(name)
        if match is None or match["kind"] not in BUILT_IN:
            continue
        made = getattr(models, name)
        if not {"api_version", "kind", "metadata"} <= set(made.openapi_types):
            continue
        kind = match["kind"]
        if exclusions.is_excluded(BUILT_IN[kind], kind):
            continue
        rank = ("alpha" not in match["version"] and "beta" not in match["version"], match["version"])
        if kind not in found or found[kind][0] < rank:
            found[kind] = (rank, made)
    return {kind: made for kind, (_, made) in sorted(found.items())}


def manifest(kind: str, made: type) -> dict[str, Json]:
    """An object of this kind with every field set, each text and number another."""
    version = made.__name__.removesuffix(kind).lower()
    group = BUILT_IN[kind]
    whole: dict[str, Json] = _Filling().of_class(made)
    return {**whole, "apiVersion": f"{group}/{version}" if group else version, "kind": kind}


@dataclass(slots=True)
class _Filling:
    """Makes values by their types; a type is not filled in again below itself."""

    counter: Iterator[int] = field(default_factory=lambda: itertools.count(11))
    above: list[type] = field(default_factory=list)

    def of_class(self, made: Any) -> dict[str, Json]:
        self.above.append(made)
        filled = {}
        for attribute, type_ in made.openapi_types.items():
            value = self.of_type(type_)
            if value is not None:
                filled[made.attribute_map[attribute]] = value
        self.above.pop()
        return filled

    def of_type(self, type_: str) -> Json | None:
        if match := _LIST.fullmatch(type_):
            entries = [self.of_type(match[1]), self.of_type(match[1])]
            return None if None in entries else entries
        if match := _DICT.fullmatch(type_):
            value = self.of_type(match[1])
            return None if value is None else {f"key-{next(self.counter)}": value}
        if type_ in _SCALARS:
            return _SCALARS[type_](next(self.counter))
        made = getattr(models, type_)
        return None if made in self.above else self.of_class(made)
