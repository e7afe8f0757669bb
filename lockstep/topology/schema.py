"""The JSON Schema of the configuration, for editors and for other programs.

``python -m lockstep.topology.schema`` prints it. It says what the models say of one document; what must hold
between documents only ``lockstep validate`` knows.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from lockstep.topology import admission, amounts, kinds, scalars

_Schema = dict[str, Any]
# Where a schema holds schemas by name, and where it holds a list of them.
_TABLES = ("properties", "$defs")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONE = ("items", "additionalProperties", "propertyNames", "not")


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, which lets a key that does not match its pattern through."""

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        for pattern, values in made.pop("patternProperties", {}).items():
            made["additionalProperties"] = values
            made["propertyNames"] = {**made.get("propertyNames", {}), "pattern": pattern}
        return made

    def encode_default(self, dft: Any) -> Any:
        """A default as people would write it."""
        return amounts.format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def document() -> _Schema:
    """The schema of any one document of a configuration (JSON Schema, draft 2020-12)."""
    models: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in kinds.KINDS.values()]
    _, generated = models_json_schema(models, by_alias=True, schema_generator=_Generator)
    definitions = {name: _plain(schema) for name, schema in sorted(generated["$defs"].items())}
    definitions |= {kind: _tekton(kind) for kind in sorted(kinds.TEKTON_KINDS)}
    names = [*kinds.KINDS, *sorted(kinds.TEKTON_KINDS)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://{kinds.API_VERSION}/schema.json",
        "title": "Lockstep configuration",
        "description": "One document of a configuration directory.",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {"kind": {"enum": names}},
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in names],
        "$defs": definitions,
    }


def text() -> str:
    """The schema as it is published."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _tekton(kind: str) -> _Schema:
    """Enough of Tekton's kind to let it stand beside ours; Tekton has a schema of its own."""
    return {
        "description": f"Tekton's {kind}, as it is.",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"enum": list(admission.TEKTON_VERSIONS)},
            "kind": {"const": kind},
            "metadata": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string", "pattern": f"^(?:{scalars.NAME_PATTERN})$"}},
            },
            "spec": {"type": "object"},
        },
    }


def _plain(schema: _Schema) -> _Schema:
    """A schema without Pydantic's titles and empty defaults, its descriptions in Markdown."""
    made: _Schema = {}
    for key, value in sorted(schema.items(), key=lambda item: item[0] != "description"):
        # The default of a part is that of its fields.
        if key == "title" or (key == "default" and (value is None or value == [] or isinstance(value, dict))):
            continue
        if key in _TABLES:
            made[key] = {name: _plain(inner) for name, inner in value.items()}
        elif key in _LISTS:
            made[key] = [_plain(inner) for inner in value]
        elif key in _ONE and isinstance(value, dict):
            made[key] = _plain(value)
        elif key == "description":
            made[key] = " ".join(value.replace("``", "`").split())
        else:
            made[key] = value
    return made


if __name__ == "__main__":
    sys.stdout.write(text())
