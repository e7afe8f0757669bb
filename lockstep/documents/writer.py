"""Values as YAML that every reader reads back as the same values, and as the one canonical JSON."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import orjson
import yaml
from yaml.cyaml import CSafeDumper
from yaml.nodes import Node, ScalarNode

from lockstep.documents.scalars import SPECIAL, plain
from lockstep.values import Json

_NOT_PLAIN = "lockstep:quoted"
_STRING = "tag:yaml.org,2002:str"
# Text that other YAML readers take for a time or a base-60 number: we write it in quotes.
_AMBIGUOUS = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|=|<<")


def dump(value: Json) -> str:
    """Write a value as YAML that every reader reads back as the same value; keys keep their order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)


def dump_all(values: list[Json]) -> str:
    """Write several documents with ``---`` between them."""
    return "---\n".join(dump(value) for value in values)


def canonical(value: Json) -> bytes:
    """The one way to write a JSON value: keys sorted, no spaces. Equal values give equal bytes.

    ``1`` and ``1.0`` are one number in JSON and in Kubernetes, so a float without a fraction is written whole.
    """
    return orjson.dumps(_whole(value), option=orjson.OPT_SORT_KEYS)


def _whole(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    # Within 64 bits, which is what Kubernetes keeps as an integer.
    if isinstance(value, float) and value.is_integer() and -(2**63) <= value < 2**63:
        return int(value)
    return value


class _Dumper(CSafeDumper):
    """Quotes whatever any reader could take for something other than text; never writes an alias."""

    def resolve(self, kind: type[Node], value: str | None, implicit: tuple[bool, bool] | bool) -> str:
        if kind is ScalarNode and isinstance(implicit, tuple) and implicit[0]:
            return _written_tag(value or "")
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call] # the stubs leave it open

    def ignore_aliases(self, data: Hashable) -> bool:  # noqa: ARG002 - the base class asks about each value
        return True


def _written_tag(text: str) -> str:
    """The tag that all readers agree on for unquoted text; the emitter quotes what has another."""
    if _AMBIGUOUS.fullmatch(text) or SPECIAL.fullmatch(text):
        return _NOT_PLAIN
    try:
        value = plain(text)
    except ValueError:
        return _NOT_PLAIN
    names = {bool: "bool", int: "int", float: "float", str: "str", type(None): "null"}
    return f"tag:yaml.org,2002:{names[type(value)]}"


def _represent_text(dumper: Any, text: str) -> ScalarNode:  # a dumper of PyYAML has no useful type
    node: ScalarNode = dumper.represent_scalar(_STRING, text, style="|" if "\n" in text else None)
    return node


_Dumper.add_representer(str, _represent_text)
