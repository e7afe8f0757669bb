"""The published JSON Schema says what the models say."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import orjson
import pytest

from lockstep import documents
from lockstep.topology import examples, kinds, schema

HERE = Path(__file__).parent
PUBLISHED = HERE.parents[2] / "docs" / "schema" / "lockstep.dev_v1alpha1.json"
VALIDATOR = jsonschema.Draft202012Validator(schema.document())
SOUND = [
    *(path for folder in ("valid",) for path in sorted((HERE / folder).rglob("*.[yj]*"))),
    *sorted((HERE.parents[2] / "examples").glob("*/configuration/*.yaml")),
]
# Golden folders whose mistakes show in one document, so that a schema can tell.
TELLING = (
    "a-list-a-scalar-and-nothing",
    "a-name-that-is-none",
    "a-pipeline-with-wrong-params",
    "durations-rates-sizes-and-shares",
    "ends-without-exactly-one-place",
    "expected-differences-that-cannot-be-read",
    "kinds-that-are-none",
    "no-name",
    "secrets-in-clear",
    "secrets-that-are-nowhere-or-in-two-places",
    "tekton-that-is-not-read",
    "unknown-fields",
    "values-of-the-wrong-type",
)


def read(path: Path) -> list[documents.Document]:
    """The documents of a file."""
    return documents.read(path.read_bytes(), file=path.name)


def test_the_published_schema_is_current() -> None:
    """Whoever changes a model runs ``python -m lockstep.topology.schema``."""
    assert PUBLISHED.read_text() == schema.text()


def test_the_schema_is_a_schema() -> None:
    """It is valid by the draft that it names."""
    jsonschema.Draft202012Validator.check_schema(orjson.loads(schema.text()))


@pytest.mark.parametrize("path", SOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_sound_documents_are_valid(path: Path) -> None:
    """What Lockstep loads an editor does not underline."""
    for document in read(path):
        VALIDATOR.validate(document.value)


@pytest.mark.parametrize("kind", examples.EXAMPLES)
def test_every_example_is_valid(kind: str) -> None:
    """The examples of the reference are valid, and each is of its kind."""
    for text in examples.EXAMPLES[kind]:
        for document in documents.read(text.encode(), file=kind):
            VALIDATOR.validate(document.value)
            assert document.value["kind"] == kind


@pytest.mark.parametrize("folder", TELLING)
def test_broken_documents_are_not_valid(folder: str) -> None:
    """What is wrong with one document by itself an editor shows, in each file that has a problem."""
    expected = (HERE / "broken" / folder / "expected.txt").read_text().splitlines()
    for file in {line.partition(":")[0] for line in expected}:
        assert not all(VALIDATOR.is_valid(document.value) for document in read(HERE / "broken" / folder / file))


def test_every_field_is_described() -> None:
    """No field of a kind is left without a sentence in the schema."""
    definitions = schema.document()["$defs"]
    fields = [
        (name, field, inner)
        for name, definition in definitions.items()
        if name not in kinds.TEKTON_KINDS
        for field, inner in definition.get("properties", {}).items()
    ]
    assert [f"{name}.{field}" for name, field, inner in fields if "description" not in inner] == []
