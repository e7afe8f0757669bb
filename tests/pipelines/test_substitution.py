"""Variables are replaced once, without escaping, and only what is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import substitution
from pipelines.substitution import Scope

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_-]{0,8}", fullmatch=True)
SCOPE = Scope(
    texts={"params.a": "1", "params.b": "$(params.a)", "params.list[0]": "x"},
    arrays={"params.list": ("x", "y"), "params.none": ()},
    objects={"params.o": {"k": "v"}},
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("$(params.a)", "1"),
        ("<$(params.a)$(params.a)>", "<11>"),
        ("$(params.b)", "$(params.a)"),
        ("$(params.unknown) $(date) $HOME $$", "$(params.unknown) $(date) $HOME $$"),
        ("$($(params.a))", "$(1)"),
        ("$(params.a", "$(params.a"),
        ("$(echo $(params.a))", "$(echo 1)"),
        ("$(params.list[0])$(params.list[9])", "x$(params.list[9])"),
        ("$(params.list) $(params.list[*])", "$(params.list) $(params.list[*])"),
    ],
)
def test_a_text_is_replaced_in_one_pass(source: str, expected: str) -> None:
    """What a value brings along is not looked at again, and what is not known stays as it is written."""
    assert substitution.text(source, SCOPE) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (["$(params.list[*])"], ("x", "y")),
        (["a", "$(params.list)", "b"], ("a", "x", "y", "b")),
        (["-$(params.list[*])"], ("-$(params.list[*])",)),
        (["$(params.none[*])"], ()),
        ([" $(params.list[*])"], (" $(params.list[*])",)),
    ],
)
def test_an_array_stands_only_as_a_whole_element(source: list[str], expected: tuple[str, ...]) -> None:
    """An element that is nothing but an array becomes its elements; any other keeps the variable."""
    assert substitution.items(source, SCOPE) == expected


def test_the_value_of_a_param_may_become_an_array_or_object() -> None:
    """A text that is nothing but a whole array or object takes its type."""
    assert substitution.value("$(params.list[*])", SCOPE) == ("x", "y")
    assert substitution.value("$(params.o[*])", SCOPE) == {"k": "v"}
    assert substitution.value({"z": "$(params.a)"}, SCOPE) == {"z": "1"}


def test_an_array_is_compared_as_its_json() -> None:
    """``when.input`` takes a whole array as JSON text."""
    assert substitution.comparable("$(params.list[*])", SCOPE) == '["x","y"]'


@pytest.mark.parametrize("spelling", ["params.{}", "params['{}']", 'params["{}"]', "inputs.params.{}"])
def test_a_param_is_known_by_each_of_its_spellings(spelling: str) -> None:
    """Dots, quotes and the old prefix name the same param."""
    scope = substitution.of_params({"one": "1"})
    assert substitution.text(f"$({spelling.format('one')})", scope) == "1"


def test_elements_and_keys_are_known_by_their_place() -> None:
    """``[i]`` reads an element of an array, ``.key`` a key of an object, of params and of results."""
    params = substitution.of_params({"l": ("a", "b"), "o": {"k": "v"}})
    results = substitution.of_results({"t": {"l": ("a", "b"), "o": {"k": "v"}}})
    assert substitution.text("$(params.l[1])$(params['l'][0])$(params.o.k)", params) == "bav"
    assert substitution.text("$(tasks.t.results.l[1])$(tasks.t.results.o.k)", results) == "bv"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("$(tasks.a.results.r)", ("tasks", "a", "r", None, False, "")),
        ("x$(tasks.a.results.r[3])y", ("tasks", "a", "r", 3, False, "")),
        ("$(tasks.a.results.r[*])", ("tasks", "a", "r", None, True, "")),
        ("$(tasks.a.results.r.key)", ("tasks", "a", "r", None, False, "key")),
        ("$(tasks.a.results['r.s'])", ("tasks", "a", "r.s", None, False, "")),
        ("$(finally.a.results.r)", ("finally", "a", "r", None, False, "")),
    ],
)
def test_references_to_results_are_found(source: str, expected: tuple[object, ...]) -> None:
    """Section, task, result, element and key are told apart."""
    (ref,) = substitution.result_refs(source)
    assert (ref.section, ref.task, ref.result, ref.index, ref.whole, ref.key) == expected


@pytest.mark.parametrize("source", ["$(tasks.a.status)", "$(tasks.a.results)", "$(params.a.results.r)", "tasks.a"])
def test_other_variables_read_no_result(source: str) -> None:
    """Only tasks.<task>.results.<result> reads one."""
    assert not list(substitution.result_refs(source))


@given(st.dictionaries(NAMES, st.text(max_size=20), max_size=5), st.text(max_size=60))
def test_text_without_variables_is_left_alone(params: dict[str, str], source: str) -> None:
    """Nothing but a known variable is ever touched."""
    if "$(" not in source:
        assert substitution.text(source, substitution.of_params(params)) == source


@given(st.dictionaries(NAMES, st.text(max_size=20), min_size=1, max_size=5))
def test_a_value_arrives_unchanged_whatever_it_holds(params: dict[str, str]) -> None:
    """There is no escaping and no second look: the value stands where its variable stood."""
    scope = substitution.of_params(params)
    for name, value in params.items():
        assert substitution.text(f"<$(params.{name})>", scope) == f"<{value}>"
