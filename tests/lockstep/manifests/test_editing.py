"""One value changed in the text of a file: it says what was wanted, and nothing else of it changes."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import documents, errors
from lockstep.manifests import editing
from lockstep.manifests.editing import Edit
from lockstep.values import Json

TEXT = """\
# The limits of the bank.
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api  # the name
spec:
  replicas: 3   # as agreed
  # nobody knows why
  template:
    spec:
      containers:
      - name: api
        image: "pay/api:1"
        args: [--verbose, "--port=80"]
        env:
        - name: MODE
          value: fast
      volumes:
      - name: data
data:
  text: |
    one
    two

  last: x"""


def changed(place: tuple[str | int, ...], value: Json = None, *, remove: bool = False) -> list[str]:
    """The lines of a diff, without its head."""
    after = editing.edited(TEXT, Edit(place=place, value=value, remove=remove), file="f", position=1)
    lines = difflib.unified_diff(TEXT.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


@pytest.mark.parametrize(
    ("place", "value", "lines"),
    [
        (("spec", "replicas"), 5, ["-  replicas: 3   # as agreed", "+  replicas: 5  # as agreed"]),
        (("metadata", "name"), "web", ["-  name: api  # the name", "+  name: web  # the name"]),
        (
            ("spec", "template", "spec", "containers", 0, "env", 0, "value"),
            "yes",
            ["-          value: fast", "+          value: 'yes'"],
        ),
        (("data", "last"), "a # b", ["-  last: x", "+  last: 'a # b'"]),
        (("data", "text"), "one\nthree\n", ["-    two", "+    three"]),
        (("data", "new"), 7, ["+  new: 7"]),
        (("spec", "template", "spec", "containers", 0, "command"), ["sh"], ["+        command:", "+        - sh"]),
    ],
)
def test_only_what_is_meant_changes(place: tuple[str | int, ...], value: Json, lines: list[str]) -> None:
    """Comments, quotes, flow style and other documents stay."""
    assert changed(place, value) == lines


def test_an_entry_is_taken_away_with_all_that_is_below_it() -> None:
    """And nothing beside it."""
    assert changed(("data", "text"), remove=True) == ["-  text: |", "-    one", "-    two"]
    found = changed(("spec", "template", "spec", "containers", 0, "env"), remove=True)
    assert found == ["-        env:", "-        - name: MODE", "-          value: fast"]


@pytest.mark.parametrize("place", [("metadata", "labels", "x"), ("spec", "nothing", "x"), ("spec", "replicas", "x")])
def test_what_has_no_parent_is_left_to_a_person(place: tuple[str | int, ...]) -> None:
    """Nobody guesses where it belongs."""
    with pytest.raises(errors.UnsupportedError):
        changed(place, "x")


def test_a_sign_inside_a_text_is_no_comment() -> None:
    """Nothing of the old value is left behind."""
    made = editing.edited('a: "x #y"\n', Edit(place=("a",), value="z"), file="f", position=0)
    assert made == "a: z\n"


def test_a_mapping_that_is_merged_from_elsewhere_is_left_to_a_person_or_done_right() -> None:
    """Anchors and merge keys: what comes out says what was wanted."""
    text = "base: &b {x: 1}\nuse:\n  <<: *b\n"
    with pytest.raises(errors.UnsupportedError):
        editing.edited(text, Edit(place=("use", "y"), value=2), file="f", position=0)


FLOW = """a:
- {name: MODE, value: fast, "odd key": 'it''s'}  # as agreed
- [1, two, "three"]
"""


@pytest.mark.parametrize(
    ("place", "value", "line"),
    [
        (("a", 0, "value"), "slow", """- {name: MODE, value: "slow", "odd key": 'it\'\'s'}  # as agreed"""),
        (("a", 0, "odd key"), 5, """- {name: MODE, value: fast, "odd key": 5}  # as agreed"""),
        (("a", 0, "name"), ["x"], """- {name: ["x"], value: fast, "odd key": 'it\'\'s'}  # as agreed"""),
        (("a", 1, 1), "2, 3", '- [1, "2, 3", "three"]'),
        (("a", 1, 2), None, "- [1, two, null]"),
    ],
)
def test_a_scalar_in_brackets_or_braces_is_changed_where_it_stands(
    place: tuple[str | int, ...], value: Json, line: str
) -> None:
    """Flow style stays flow style, with its comment."""
    made = editing.edited(FLOW, Edit(place=place, value=value), file="f", position=0)
    assert line in made.splitlines()
    assert len(made.splitlines()) == 3


def test_a_flow_style_that_lines_cannot_change_is_left_to_a_person() -> None:
    """It is refused rather than done wrong."""
    with pytest.raises(errors.UnsupportedError):
        editing.edited(FLOW, Edit(place=("a", 0, "value"), remove=True), file="f", position=0)


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-99, 99), st.text(max_size=12), st.sampled_from(["1e3", "~"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=8,
)


def places(value: Json, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in entries for place in [(*at, key), *places(item, (*at, key))]]


@given(st.dictionaries(st.text(min_size=1, max_size=5), VALUES, min_size=1, max_size=4), VALUES, st.data())
def test_an_edit_says_exactly_what_was_wanted_or_is_refused(document: Json, value: Json, data: st.DataObject) -> None:
    """For documents as they are dumped, with any value, changed or taken away at any place."""
    place = data.draw(st.sampled_from(places(document)))
    wanted = Edit(place=place, value=value, remove=data.draw(st.booleans()))
    text = f"# first\n---\n{documents.dump(document)}"
    known = [one.value for one in documents.read(text.encode(), file="f")]
    try:
        made = editing.edited(text, wanted, file="f", position=0)
    except errors.UnsupportedError:
        return
    read = [one.value for one in documents.read(made.encode(), file="f")]
    assert documents.canonical(read) == documents.canonical([wanted.of(known[0])])
    assert made.startswith("# first\n---\n")


CONTAINER = """\
spec:
  containers:
    - name: web  # the only one
      image: web:1
      env:
        # what the bank says
        - name: MODE
          value: fast  # not slow

        # the end
      args: []
"""


def appended(text: str, place: tuple[str | int, ...], value: Json) -> str:
    """The text with an entry more."""
    return editing.edited(text, Edit(place=place, value=value, append=True), file="f", position=0)


ENV: tuple[str | int, ...] = ("spec", "containers", 0, "env")
EXTRA: Json = {"name": "EXTRA", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}


def test_an_entry_is_appended_as_the_others_are_written() -> None:
    """Behind the last one, as far in, and every comment stays where it was."""
    after = appended(CONTAINER, ENV, EXTRA)
    assert after == CONTAINER.replace(
        "          value: fast  # not slow\n",
        "          value: fast  # not slow\n"
        "        - name: EXTRA\n"
        "          valueFrom:\n"
        "            fieldRef:\n"
        "              fieldPath: spec.nodeName\n",
    )


def test_a_list_that_is_not_there_is_made_as_deep_as_the_others() -> None:
    """Also one that is there and empty."""
    without = CONTAINER.partition("      env:\n")[0]
    assert appended(without, ENV, {"name": "A", "value": "1"}) == (
        f"{without}      env:\n        - name: A\n          value: '1'\n"
    )
    assert appended("a: {}\nb:\n- x\nc: 1\n", ("d",), {"name": "A"}) == "a: {}\nb:\n- x\nc: 1\nd:\n- name: A\n"
    empty = without + "      env: []  # none yet\n"
    assert documents.read(appended(empty, ENV, {"name": "A"}).encode(), file="f")[0].value["spec"]["containers"][0][
        "env"
    ] == [{"name": "A"}]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("env: [{name: A}]  # all\n", 'env: [{name: A}, {"name":"B"}]  # all\n'),
        ("env:\n- {name: A}  # all\nx: 1\n", 'env:\n- {name: A}  # all\n- {"name":"B"}\nx: 1\n'),
        ("env:\n-   name: A\n    x: ']'\n", "env:\n-   name: A\n    x: ']'\n-   name: B\n"),
    ],
)
def test_an_entry_is_appended_in_braces_where_the_others_are(text: str, line: str) -> None:
    """A reader sees one style."""
    assert appended(text, ("env",), {"name": "B"}) == line


@given(
    st.lists(st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional={"v": st.text(max_size=9)}), max_size=3),
    st.dictionaries(
        st.sampled_from("xyz"), st.text(max_size=5) | st.integers(-9, 9) | st.lists(st.booleans(), max_size=2)
    ),
)
def test_appending_says_exactly_what_was_wanted_or_is_refused(entries: list[Json], value: Json) -> None:
    """Whatever stands in the list and beside it."""
    before: Json = {"a": {"list": entries, "z": [1]}, "m": 1}
    text = documents.dump(before)
    try:
        after = appended(text, ("a", "list"), value)
    except errors.UnsupportedError:
        return
    (read,) = documents.read(after.encode(), file="f")
    assert read.value == {"a": {"list": [*entries, value], "z": [1]}, "m": 1}
