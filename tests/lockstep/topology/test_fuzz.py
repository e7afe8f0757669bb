"""Whatever is done to a sound configuration, it is loaded whole or refused in plain words."""

from __future__ import annotations

import contextlib
import copy
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep import documents, errors
from lockstep.topology import admission, examples, files, load, schema
from lockstep.values import Json

TEXT = "---\n".join(text for texts in examples.EXAMPLES.values() for text in texts)
DOCUMENTS = [document.value for document in documents.read(TEXT.encode(), file="all.yaml")]
VALIDATOR = jsonschema.Draft202012Validator(schema.document())

# Values that stand where others are wanted, and values that nearly are what is wanted.
strange = st.one_of(
    st.sampled_from(
        [None, True, 0, -1, 1.5, 2**63, "", " ", "x", "A", "seoul", "7d", "50%", [], {}, [[]], [{}], {"": 1}]
    ),
    st.text(max_size=8),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=3), max_size=2),
)


def paths_of(value: Json, at: documents.Path = ()) -> list[documents.Path]:
    """Every path in a value, its own first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, item in inner for path in paths_of(item, (*at, key)))]


PATHS = [path for path in paths_of(DOCUMENTS) if len(path) > 1]


@st.composite
def mutated(draw: st.DrawFn) -> list[dict[str, Any]]:
    """The documents of a sound configuration after a few changes: values replaced, taken out, doubled, renamed."""
    value = copy.deepcopy(DOCUMENTS)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(PATHS))
        # An earlier change may have taken away what this one is about.
        with contextlib.suppress(KeyError, IndexError, TypeError, AttributeError):
            _change(draw, value, path)
    return value


def _change(draw: st.DrawFn, value: Json, path: documents.Path) -> None:
    for part in path[:-1]:
        value = value[part]
    last = path[-1]
    match draw(st.sampled_from(["replace", "take out", "rename", "add", "double"])):
        case "replace":
            value[last] = copy.deepcopy(draw(strange))
        case "take out":
            del value[last]
        case "rename":
            value[draw(st.text(max_size=6))] = value.pop(last)
        case "add":
            value[last][draw(st.text(max_size=6))] = copy.deepcopy(draw(strange))
        case _:
            value[last] = [value[last], copy.deepcopy(value[last])]


def loaded(data: bytes) -> None:
    """Load one file as a configuration, and look at what is said when it is refused."""
    file = files.File(name="all.yaml", data=data)
    try:
        load.check(files.Files(directory=Path("/etc/lockstep"), files=(file,), problems=(), digest=""))
    except errors.ConfigurationError as error:
        problems = error.problems
    else:
        problems = ()
    for problem in problems:
        assert problem.message.endswith(".")
        assert problem.remedy.endswith((".", "?"))
        assert problem.line > 0 or not problem.field
        assert "Input should" not in str(problem)
        assert "is not what is wanted here" not in problem.message
        assert len(str(problem)) < 2000


@given(mutated())
@settings(max_examples=300, deadline=None)
def test_a_changed_configuration_is_loaded_or_refused_in_plain_words(changed: list[dict[str, Any]]) -> None:
    """Nothing but ConfigurationError is raised, and every problem is said in a sentence with a remedy."""
    loaded(documents.dump_all(changed).encode())


@given(mutated())
@settings(deadline=None)
def test_what_the_models_take_the_schema_takes(changed: list[dict[str, Any]]) -> None:
    """An editor never underlines what Lockstep accepts."""
    for value in changed:
        for document in documents.read(documents.dump(value).encode(), file="all.yaml"):
            if not admission.admit(document).problems:
                VALIDATOR.validate(document.value)


@given(
    st.integers(0, len(TEXT)),
    st.integers(0, 40),
    st.binary(max_size=12) | st.sampled_from([b"&a ", b"*a", b"<<: ", b"\n"]),
)
@settings(max_examples=200, deadline=None)
def test_changed_bytes_are_loaded_or_refused(start: int, length: int, inserted: bytes) -> None:
    """A slip of the keyboard, a torn file, a wrong encoding: never a traceback."""
    data = TEXT.encode()
    loaded(data[:start] + inserted + data[start + length :])
