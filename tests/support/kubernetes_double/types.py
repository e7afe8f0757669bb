"""What a value may be: one model of types for the kinds that are built in and for those that a CRD brings.

It knows what server-side apply has to know (which lists are keyed, which values are replaced as a whole), and what
Go's types do to an object that goes through them (which fields are written although they are empty).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

Object = dict[str, Any]
"""A JSON object. What is stored is never changed in place, only replaced."""

Pattern = Mapping[str, Any]
"""Defaults beside an object, see ``defaulting``."""

FACTS = Path(__file__).with_name("facts")
"""What was read off a real server."""


class Form(Enum):
    """The four forms of values."""

    SCALAR = "scalar"
    RECORD = "record"
    LIST = "list"
    ANY = "any"  # nothing is declared: maps are merged, lists are replaced


@dataclass(slots=True, eq=False, kw_only=True)
class Type:
    """One type. Types refer to themselves in circles, so they are filled in after they are made."""

    form: Form
    scalar: str = ""
    """``string``, ``byte``, ``integer``, ``number``, ``boolean``, ``time``, ``quantity`` or ``int-or-string``."""
    fields: dict[str, Type] = field(default_factory=dict)
    rest: Type | None = None
    """The type of the values under names that are not declared; None where there may be none."""
    item: Type | None = None
    keys: tuple[str, ...] = ()
    """The fields that name an item of a list."""
    unique: bool = False
    """Whether a list is a set."""
    atomic: bool = False
    merge_key: str | None = None
    """How a strategic merge patch merges this list: by a field, by value (""), or not at all (None)."""
    defaults: Object = field(default_factory=dict)
    enums: Mapping[str, list[str]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    shown: frozenset[str] = frozenset()
    """Fields that are written although they are empty."""
    nullable: frozenset[str] = frozenset()
    """Fields of a custom resource that may be null."""
    rest_nullable: bool = True
    """Whether the values under names that are not declared may be."""
    pointers: frozenset[str] = frozenset()
    """Fields that Go has pointers for: a zero that is set stays, what is not set is null."""

    @property
    def keyed(self) -> bool:
        """Whether its items are merged one by one."""
        return not self.atomic and bool(self.keys or self.unique)

    def under(self, name: str) -> Type | None:
        """The type of the value under a name; None when there may be none."""
        return self.fields.get(name, self.rest)


ANY = Type(form=Form.ANY)
RAW = Type(form=Form.ANY, atomic=True)
STRING = Type(form=Form.SCALAR, scalar="string")


@functools.cache
def _table() -> dict[str, Type]:
    facts: dict[str, Object] = json.loads((FACTS / "types.json").read_text())
    table = {name: Type(form=Form.RECORD) for name in facts}
    for name, entry in facts.items():
        _fill(table[name], entry, table)
    return table


def _fill(made: Type, entry: Object, table: Mapping[str, Type]) -> None:
    made.fields = {key: _of(one, table) for key, one in entry["fields"].items()}
    made.atomic = entry.get("atomic", False)
    made.defaults = entry.get("default", {})
    made.enums = entry.get("enum", {})
    made.required = frozenset(entry.get("required", ()))
    made.shown = frozenset(entry.get("shown", ()))
    made.pointers = frozenset(entry.get("pointers", ()))


def _of(fact: Any, table: Mapping[str, Type]) -> Type:
    if isinstance(fact, str):
        if fact in table:
            return table[fact]
        return RAW if fact in {"any", "object"} else Type(form=Form.SCALAR, scalar=fact)
    if "map" in fact:
        return Type(form=Form.RECORD, rest=_of(fact["map"], table), atomic=fact.get("atomic", False))
    keys, unique = tuple(fact.get("keys", ())), fact.get("set", False)
    return Type(
        form=Form.LIST,
        item=_of(fact["list"], table),
        keys=keys,
        unique=unique,
        atomic=not keys and not unique,
        merge_key=fact.get("merge"),
    )


def built_in(group: str, version: str, kind: str) -> Type:
    """The type of a kind that is built in, by its place in the API."""
    return named(f"{group.partition('.')[0] or 'core'}.{version}.{kind}")


def named(name: str) -> Type:
    """A type that is built in, by its own name, such as ``meta.v1.ObjectMeta``."""
    return _table()[name]
