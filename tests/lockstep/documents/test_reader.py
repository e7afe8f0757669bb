"""Reading documents: places, what is refused, and what it may cost."""

from __future__ import annotations

import pytest

from lockstep import documents, errors


def read(text: str, **limits: int) -> list[documents.Document]:
    """The documents of a text."""
    return documents.read(text.encode(), file="x.yaml", limits=documents.Limits(**limits))


def refused(text: str, **limits: int) -> errors.DocumentError:
    """The error that a text gives."""
    with pytest.raises(errors.DocumentError) as caught:
        read(text, **limits)
    assert caught.value.remedy
    return caught.value


TEXT = """\
# a remark
apiVersion: v1
spec:
  sites:
  - seoul
  - {name: sejong,
     values: [1, 2]}
  empty:
---
second: true
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (2, 1)),
        (("spec",), (3, 1)),
        (("spec", "sites"), (4, 3)),
        (("spec", "sites", 0), (5, 5)),
        (("spec", "sites", 1), (6, 5)),
        (("spec", "sites", 1, "values"), (7, 6)),
        (("spec", "sites", 1, "values", 1), (7, 18)),
        (("spec", "empty"), (8, 3)),
        (("spec", "sites", 7), (4, 3)),
        (("spec", "none", "below"), (3, 1)),
    ],
)
def test_every_value_has_its_place(path: documents.Path, place: tuple[int, int]) -> None:
    """A key stands where it is written, an item where it begins, and what is not there at its nearest ancestor."""
    assert read(TEXT)[0].place(path) == place


def test_places_and_anchors_belong_to_one_document() -> None:
    """Each document of a file has its own lines, and none repeats what another one anchored."""
    first, second = read(TEXT)
    assert (first.line, second.line) == (2, 10)
    assert second.place(("spec",)) == (10, 1)
    assert "repeats nothing" in refused("a: &x 1\n---\nb: *x\n").bare


def test_what_an_alias_repeats_is_a_copy() -> None:
    """Whoever changes one of two equal parts does not change the other."""
    value = read("a: &x {b: [1]}\nc: *x\n")[0].value
    value["a"]["b"].append(2)
    assert value["c"] == {"b": [1]}


def test_quotes_take_the_meaning_from_a_merge_key() -> None:
    """Only a plain << merges; in quotes it is a key like any other."""
    assert read("a: &x {b: 1}\nc: {<<: *x}\nd: {'<<': 1}")[0].value == {"a": {"b": 1}, "c": {"b": 1}, "d": {"<<": 1}}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' is given twice"),
        ("yes: 1\n'true': 2\n", 2, "the key 'true' is given twice"),
        ("{a: 1, a: 2}", 1, "the key 'a' is given twice"),
        ("a: [1\nb: 2\n", 2, "this is not YAML"),
        ("a:\n\tb: 1\n", 2, "this is not YAML"),
        ("a: .inf\n", 1, ".inf is a number that JSON does not have"),
        ("a: .NaN\n", 1, ".NaN is a number that JSON does not have"),
        ("a: !!binary aGk=\n", 1, "the tag tag:yaml.org,2002:binary is not read"),
        ("a: !secret x\n", 1, "the tag !secret is not read"),
        ("a: !!set {b}\n", 1, "the tag tag:yaml.org,2002:set is not read"),
        ("a: &x [*x]\n", 1, "an alias stands inside what it repeats"),
        ("a: *x\n", 1, "the alias x repeats nothing"),
        ("a: {<<: [1]}\n", 1, "<< merges mappings only"),
        ("? [a]\n: 1\n", 1, "a key is not a scalar"),
        ("~: 1\n", 1, "a key is empty or not a scalar"),
        ("a: &x [1]\n*x : 2\n", 2, "a key is empty or not a scalar"),
        ("a: \x07\n", 0, "this is not YAML"),
    ],
)
def test_what_kubernetes_lets_pass_in_silence_is_an_error_with_its_line(text: str, line: int, message: str) -> None:
    """Nothing is guessed: the line says where, and the message what."""
    error = refused(text)
    assert (error.line, message in error.bare) == (line, True)


def test_bytes_that_are_not_utf_8_are_an_error_with_their_line() -> None:
    """The line of the first wrong byte is named; a byte order mark is no part of the text."""
    with pytest.raises(errors.DocumentError) as caught:
        documents.read(b"a: 1\nb: \xff\n", file="x.yaml")
    assert caught.value.line == 2
    assert documents.read(b"\xef\xbb\xbfa: 1\n", file="x.yaml")[0].value == {"a": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]), "values"),
        ("\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 900))]), "deeper"),
        (
            "a: &a {" + ", ".join(f"k{n}: 1" for n in range(500)) + "}\nb:\n  <<: [" + ", ".join(["*a"] * 400) + "]",
            "values",
        ),
        ("[" * 101 + "]" * 101, "deeper"),
        ("".join(" " * n + "a:\n" for n in range(2000)), "deeper"),
        ("- x\n" * 200_000, "values"),
    ],
    ids=["doubling", "a chain of aliases", "merging", "brackets", "indentation", "length"],
)
def test_a_small_file_that_costs_much_is_refused(text: str, message: str) -> None:
    """What a file may cost is bounded before it is paid: values after expansion, and depth through aliases too."""
    assert message in refused(text, values=100_000).bare


def test_the_bounds_are_the_last_thing_that_is_read() -> None:
    """A hundred levels and a file of the largest size are read."""
    assert read("[" * 100 + "]" * 100)[0].value
    assert read("- x\n" * 99, values=100)
    assert "at most 10 are read" in refused("a: 123456789", size=10).bare
    assert read("a: 1234567", size=10)


@pytest.mark.parametrize("digits", ["9" * 5000, "9_" * 5000, "0x" + "f" * 5000, "1." + "9" * 5000, "-" + "1" * 5000])
def test_a_number_without_end_costs_nothing(digits: str) -> None:
    """Thousands of digits are text or a rounded number, as Go has it, and no error of Python's."""
    value = read(f"a: {digits}")[0].value["a"]
    assert value in (digits, 2)
