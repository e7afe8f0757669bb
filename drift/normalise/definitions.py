"""The shape of a CustomResourceDefinition (apiextensions/v1 types.go)."""

from __future__ import annotations

from drift.normalise.shapes import COUNT, FLAG, METADATA, TEXT, TEXTS, Shape, bag, listed, part, record

# A schema is made of schemas: it refers to itself.
_FIELDS: dict[str, Shape] = {}
_SCHEMA = Shape(fields=_FIELDS)
_SCHEMAS = Shape(values=_SCHEMA, blank=(dict,))
_RULE = record(fieldPath=TEXT, message=TEXT, messageExpression=TEXT)
_FIELDS |= {
    **dict.fromkeys(("$schema", "description", "format", "id", "pattern", "title", "type"), TEXT),
    **dict.fromkeys(
        (
            *("exclusiveMaximum", "exclusiveMinimum", "nullable", "uniqueItems"),
            *("x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"),
        ),
        FLAG,
    ),
    **dict.fromkeys(("enum", "required", "x-kubernetes-list-map-keys"), listed()),
    **dict.fromkeys(("additionalItems", "additionalProperties", "items", "not"), _SCHEMA),
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), listed(_SCHEMA)),
    # Whatever a property is called, it is a schema.
    **dict.fromkeys(("definitions", "patternProperties", "properties"), _SCHEMAS),
    "dependencies": TEXTS,
    "externalDocs": record(description=TEXT, url=TEXT),
    "x-kubernetes-validations": listed(_RULE, "rule"),
}
_VERSION = record(
    additionalPrinterColumns=listed(record(description=TEXT, format=TEXT, priority=COUNT)),
    deprecated=FLAG,
    schema=record(openAPIV3Schema=_SCHEMA),
    selectableFields=listed(),
    subresources=part(),
)
DEFINITION = record(
    metadata=METADATA,
    spec=record(
        versions=listed(_VERSION, "name"),
        names=record(shortNames=bag(), categories=bag()),
        preserveUnknownFields=FLAG,
    ),
)
"""A CustomResourceDefinition."""
