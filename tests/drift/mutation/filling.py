"""An object of a kind with every field that its schema has, and what each place in it is."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from lockstep.values import Json

Path: TypeAlias = tuple[str | int, ...]
Schema: TypeAlias = Mapping[str, Json]

_QUANTITY = "resource.Quantity"
# Where a schema says what a quantity looks like: k8s.io/apimachinery, Quantity.OpenAPISchemaType.
_QUANTITY_PATTERN = "(([KMGTPE]i)|[numkMGTPE]|"
_TEXTS: dict[str, Callable[[int], str]] = {
    "byte": lambda number: base64.b64encode(f"bytes {number}".encode()).decode(),
    "date-time": lambda number: f"2026-01-01T00:00:00.{number:06}Z",
}
_NUMBERS: dict[str, Callable[[int], Json]] = {
    "flag": lambda _number: True,
    "number or name": lambda number: number if number % 2 else f"name-{number}",
    "quantity": lambda number: f"{number}m",
}
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_PLAIN = (*_NUMBERS, "number", "text")
_ANY = "any"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in an object: what stands there, what it is, and whether null is a value of its own there.

    ``what`` is ``text``, ``number``, ``flag``, ``quantity``, ``number or name``, ``record``, ``mapping`` or ``any``,
    or of a list ``map``, ``set`` or ``atomic``.
    """

    path: Path
    value: Json
    what: str
    null: bool = False


@dataclass(slots=True)
class Filling:
    """Fills in schemas; each text and number is another one, and a type is not filled in again below itself.

    A list has two entries, of which the first has every field.
    """

    components: Mapping[str, Schema] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    _counter: Iterator[int] = field(default_factory=lambda: itertools.count(1011))
    is_structural: bool = False
    """Whether the schemas are those of a definition, by which nothing is kept that they do not describe."""
    _above: list[str] = field(default_factory=list)
    _is_second: int = 0

    def fill(self, schema: Schema, path: Path = (), *, null: bool = False) -> Json | None:
        """A value of a schema; None where there can be none."""
        names = [name for name in _references(schema) if name]
        if any(name in self._above for name in names):
            return None
        self._above += names
        resolved = self._resolved(schema)
        what = _what(resolved, names)
        position = len(self.places)
        value = self._value(resolved, what, path)
        del self._above[len(self._above) - len(names) :]
        if value is not None:
            null = null or (resolved.get("nullable") is True and "default" in resolved)
            self.places.insert(position, Place(path, value, what, null))
        return value

    def _resolved(self, schema: Schema) -> Schema:
        whole: dict[str, Json] = {}
        for name in _references(schema):
            whole.update(self._resolved(self.components[name]) if name else {})
        return {**whole, **{key: one for key, one in schema.items() if key not in ("$ref", "allOf")}}

    def _value(self, schema: Schema, what: str, path: Path) -> Json | None:
        number = next(self._counter)
        if what in ("record", "mapping"):
            return self._mapping(schema, path, number) or None
        if what in ("map", "set", "atomic"):
            made = [self.fill(schema.get("items") or {}, (*path, 0)), self._second(schema.get("items") or {}, path)]
            return None if None in made else made
        if what == _ANY:
            is_closed = self.is_structural and schema.get("type") == "object" and _PRESERVE not in schema
            return None if is_closed else self._free(path, number)
        return _scalar(schema, what, number, is_bundle=bool(path) and path[-1] == "caBundle")

    def _second(self, schema: Schema, path: Path) -> Json | None:
        """The second entry of a list: what is plain of it, by which it is told from the first, in which all is."""
        self._is_second += 1
        value = self.fill(schema, (*path, 1))
        self._is_second -= 1
        return self.fill(schema, (*path, 1)) if value is None else value

    def _mapping(self, schema: Schema, path: Path, number: int) -> dict[str, Json]:
        properties: Mapping[str, Schema] = schema.get("properties") or {}
        if schema.get("x-kubernetes-embedded-resource"):
            properties = {**_EMBEDDED, **properties}
        if self._is_second:
            # What is named by its metadata is told by those.
            plain = {
                name: one for name, one in properties.items() if self._what_of(one) in _PLAIN or name == "metadata"
            }
            # A flag alone does not tell it from the first.
            is_told = any(self._what_of(one) != "flag" for one in plain.values())
            properties = plain if is_told else properties
        made = {name: self.fill(one, (*path, name)) for name, one in properties.items()}
        more = schema.get("additionalProperties")
        if isinstance(more, dict) or more is True or (schema.get(_PRESERVE) and path):
            inner = more if isinstance(more, dict) else {}
            # Keys as people write them, and as they may.
            for key in (f"key-{number}", f"odd.example/~{number}-한"):
                made[key] = self.fill(inner, (*path, key), null=not inner)
        return {name: value for name, value in made.items() if value is not None}

    def _what_of(self, schema: Schema) -> str:
        return _what(self._resolved(schema), [name for name in _references(schema) if name])

    def _free(self, path: Path, number: int) -> Json:
        """Where anything may stand: some of each."""
        value = {
            "text": f"free-{number}",
            "list": [number, f"free-{number + 1}"],
            "inner": {"number": number, "no": False},
        }
        self.places += [Place((*path, *below), one, _ANY, null=True) for below, one in walk(value) if below]
        return value


def walk(value: Json, path: Path = ()) -> Iterator[tuple[Path, Json]]:
    """Every place of a value with what stands there, itself first."""
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from walk(item, (*path, key))


_EMBEDDED: dict[str, Schema] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "labels": {"additionalProperties": {"type": "string"}}},
    },
}


def _references(schema: Schema) -> Iterator[str]:
    """The names of the schemas that one refers to; an empty one for what is written in place."""
    for one in (schema, *(schema.get("allOf") or ())):
        yield str(one.get("$ref", "")).removeprefix("#/components/schemas/")


def _scalar(schema: Schema, what: str, number: int, *, is_bundle: bool) -> Json:
    if is_bundle:
        return base64.b64encode(f"-----BEGIN CERTIFICATE-----\n{number}\n".encode()).decode()
    if what in _NUMBERS:
        return _NUMBERS[what](number)
    if what == "number":
        return number if schema.get("type") == "integer" else number + 0.5
    return _TEXTS.get(str(schema.get("format")), "text-{}".format)(number)


def _what(schema: Schema, names: list[str]) -> str:
    kind = schema.get("type")
    is_quantity = any(name.endswith(_QUANTITY) for name in names) or _QUANTITY_PATTERN in str(schema.get("pattern"))
    is_port = schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string")
    is_record = schema.get("properties") or schema.get("x-kubernetes-embedded-resource")
    if is_quantity or is_port:
        return "quantity" if is_quantity else "number or name"
    if kind == "array":
        return str(schema.get("x-kubernetes-list-type", "atomic"))
    if is_record or isinstance(schema.get("additionalProperties"), dict):
        return "record" if is_record else "mapping"
    return {"integer": "number", "number": "number", "string": "text", "boolean": "flag"}.get(str(kind), _ANY)
