"""Documents mean to Lockstep what they mean to the real kubectl."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockstep import documents, errors
from lockstep.documents.scalars import SPECIAL
from lockstep.values import Json
from tests.support import kubectl

# A few runs of kubectl with many values each: starting it costs a tenth of a second.
BATCHES = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Whatever has ever been read in two ways, and its neighbours.
KNOWN = Path(__file__).with_name("scalars.txt").read_text().split()
UNSAFE = {"-", "!", "&", "*", "|", ">", "?", "[]", "{}", "<<"}

plain_scalars = st.one_of(
    st.sampled_from([word for word in KNOWN if word not in UNSAFE]),
    st.text("0123456789+-._eExXoObB", min_size=1, max_size=12),
    st.text("0123456789abcdefxXoObB_+-", min_size=1, max_size=24),
    st.from_regex(r"[-+]?[0-9]{1,4}([.:_eE-][0-9]{0,4}){0,3}", fullmatch=True),
    st.text("yesnotrufalYESNOTRUFAL~ul", min_size=1, max_size=5),
).filter(lambda text: not text.startswith(("- ", "-\n")) and text not in UNSAFE | {"---", "..."} and text[-1] != ":")


def same(one: Json, other: Json) -> bool:
    """Whether two values are one to JSON: true is not 1, and a number is the same with and without a fraction."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, int):
        # Go writes a large float with zeros where its last digits were: 9223372036854776000.
        return one == float(other)
    return bool(one == other)


def differing(words: list[str], folder: Path) -> list[tuple[str, Json, Json]]:
    """Plain scalars that we and kubectl read differently, with what each makes of them."""
    text = f"{kubectl.HEAD}values:\n" + "".join(f"- {word}\n" for word in words)
    read = zip(words, ours(text)["values"], kubectl.reads(text, folder=folder)["values"], strict=True)
    return [(word, mine, theirs) for word, mine, theirs in read if not same(mine, theirs)]


def ours(text: str) -> Json:
    """The only document of a text, as we read it."""
    [document] = documents.read(text.encode(), file="document.yaml")
    return document.value


@BATCHES
@given(st.lists(plain_scalars, min_size=100, max_size=200))
def test_plain_scalars_mean_what_kubectl_makes_of_them(tmp_path: Path, words: list[str]) -> None:
    """Numbers, booleans, nulls and text are told apart as Kubernetes does it."""
    assert differing([word for word in words if not SPECIAL.fullmatch(word)], tmp_path) == []


def test_known_traps_mean_what_kubectl_makes_of_them(tmp_path: Path) -> None:
    """Every scalar that readers have quarrelled about, as a value."""
    assert differing([word for word in KNOWN if word not in UNSAFE], tmp_path) == []


@pytest.mark.parametrize("key", ["yes", "n", "1", "0x10", "007", "1_000", "on", "True", "a b", "'1'", '"yes"', "1.5"])
def test_keys_become_the_text_that_kubectl_makes_of_them(tmp_path: Path, key: str) -> None:
    """A key that is a boolean or a number to YAML has one name in JSON."""
    text = f"{kubectl.HEAD}data: {{{key}: v}}\n"
    assert ours(text)["data"] == kubectl.reads(text, folder=tmp_path)["data"]


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {b: 1}\nc: *x",
        "a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}",
        "a: &x {b: 1}\ny: &y {b: 2, c: 3}\nd: {<<: [*x, *y]}",
        "a: |\n  one\n  two\n",
        "a: |-\n  one\n\n  two\n\n",
        "a: |+\n  one\n\n",
        "a: >\n  one\n  two\n\n  three\n",
        "a: |2\n    indented\n",
        "a: 'it''s'\nb: \"tab\\there \\x41 \\u00e9 \\U0001F600\"",
        "a: one\n  two\n\n  three",
        'a: !!str 1\nb: !!int "2"\nc: ! 3\nd: !!bool yes',
        "a:\n- b\n- - c\n  - d\n-\n  e: f",
        "a:\nb: ''\nc: ~\nd: {}\ne: []",
        "{a: 1, b: [1, 2,], 'c': {d: e}}",
        "a: b # remark\n# another\nc: 'd # e'",
        '\u00fc: \u4e2d\u6587\n"\\u00e9": x',
        "? a\n: b\n? c",
        "a: http://example.com:80/x?y=z#f",
        "a: -\u00a0b",
    ],
)
def test_documents_mean_what_kubectl_makes_of_them(tmp_path: Path, text: str) -> None:
    """Blocks, quotes, anchors, merges, tags and remarks."""
    if text.startswith("{"):
        whole = "{apiVersion: example.com/v1, kind: Thing, metadata: {name: thing}, " + text.removeprefix("{")
    else:
        whole = f"{kubectl.HEAD}{text}\n"
    read = kubectl.reads(whole, folder=tmp_path)
    assert read["metadata"].pop("labels") == {"read-by": "kubectl"}
    assert same(ours(whole), read)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=40)
    | plain_scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=12), inner, max_size=4)
    ),
    max_leaves=20,
)


@BATCHES
@given(st.lists(json_values, min_size=20, max_size=60))
def test_what_we_write_kubectl_reads_back(tmp_path: Path, values: list[Json]) -> None:
    """Whatever the text, number or nesting, YAML written here means the same there."""
    text = documents.dump(
        {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x"}, "values": values}
    )
    assert same(values, kubectl.reads(text, folder=tmp_path)["values"])


@given(json_values)
def test_what_we_write_we_read_back(value: Json) -> None:
    """Writing and reading give the same value again, in YAML and in canonical JSON."""
    if value is not None:
        assert same(ours(documents.dump({"v": value}))["v"], value)
        assert same(ours(documents.canonical({"v": value}).decode())["v"], value)


@given(json_values)
def test_json_is_read_as_json(value: Json) -> None:
    """Every JSON text means what a JSON reader makes of it, whatever its layout."""
    for text in (
        json.dumps({"v": value}),
        json.dumps({"v": value}, indent="\t"),
        json.dumps({"v": value}, ensure_ascii=False),
    ):
        assert same(ours(text)["v"], json.loads(text)["v"])


@given(json_values, json_values)
def test_equal_values_have_one_canonical_form(one: Json, other: Json) -> None:
    """Values are equal exactly when their canonical bytes are."""
    assert same(one, other) == (documents.canonical(one) == documents.canonical(other))


@given(st.binary(max_size=200) | st.text("{}[]:,&*!|>-? \n\t'\"#%@`<~ab01", max_size=60).map(str.encode))
def test_reading_never_fails_but_with_a_document_error(data: bytes) -> None:
    """Whatever the bytes: documents that can be written again, or a DocumentError."""
    found: list[documents.Document] = []
    with contextlib.suppress(errors.DocumentError):
        found = documents.read(data, file="x.yaml")
    for document in found:
        documents.canonical(document.value)
        assert document.place(("nowhere", 3)) == document.place(())
