"""Laws of the normal form, for objects of every kind, sound and broken."""

from __future__ import annotations

import copy

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift import compare, normalise
from drift.normalise import tame
from lockstep.values import Json
from tests.drift import objects


@given(objects.manifests())
def test_normalising_twice_changes_nothing(manifest: dict[str, Json]) -> None:
    """A normal form written out as a manifest is its own normal form."""
    once = normalise.normalise(manifest)
    assert normalise.normalise(normalise.plain(once.tree)).encoded == once.encoded


@given(objects.manifests(), objects.manifests())
def test_nothing_that_is_given_is_changed(manifest: dict[str, Json], declared: dict[str, Json]) -> None:
    """Neither the object nor what git says of it."""
    before = copy.deepcopy((manifest, declared))
    normalise.normalise(manifest, declared=[declared])
    assert (manifest, declared) == before


@given(objects.manifests())
def test_comparing_an_object_with_itself_finds_nothing(manifest: dict[str, Json]) -> None:
    """Whatever is in it."""
    form = normalise.normalise(manifest, declared=[manifest])
    assert compare.fields([form, form, form, form], texts=True) == []


@given(objects.manifests())
def test_the_normal_form_follows_from_the_bytes_of_what_is_filled_in(manifest: dict[str, Json]) -> None:
    """Two whose bytes are equal before their lists are looked at need not be looked at: they are equal after it."""
    whole = normalise.filled(normalise.slim(manifest))
    again = normalise.Filled(manifest=orjson.loads(whole.encoded), shape=whole.shape)
    assert normalise.conformed(again) == normalise.conformed(whole) == normalise.normalise(manifest)


@given(objects.manifests(), objects.manifests())
def test_two_objects_differ_somewhere_or_are_equal(left: dict[str, Json], right: dict[str, Json]) -> None:
    """The hash and the fields never disagree, and every field that is named does differ."""
    right = {**right, "kind": left["kind"], "apiVersion": left["apiVersion"]}
    forms = [normalise.normalise(left), normalise.normalise(right)]
    found = compare.fields(forms)
    assert bool(found) == (forms[0].encoded != forms[1].encoded) or forms[0].custom
    for field in found:
        assert normalise.encode(repr(field.values[0])) != normalise.encode(repr(field.values[1]))


@given(objects.manifests(), st.sampled_from(["labels", "annotations"]), st.sampled_from(["team", "a/b", "한글"]))
def test_what_is_added_at_one_side_is_found_with_its_path(manifest: dict[str, Json], part: str, name: str) -> None:
    """Both directions: no engine that merges git into what lives can see it."""
    before = {**manifest, "metadata": {"name": "x", "namespace": "shop"}}
    after = {**manifest, "metadata": {"name": "x", "namespace": "shop", part: {name: "by hand"}}}
    forms = [normalise.normalise(before), normalise.normalise(after)]
    pointers = [field.pointer for field in compare.fields(forms)]
    assert pointers == [f"/metadata/{part}/{name.replace('/', '~1')}"]
    assert [field.pointer for field in compare.fields(forms[::-1])] == pointers


def _nested(depth: int, leaf: Json) -> Json:
    value = leaf
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("depth", [10, tame.DEEPEST - 2, tame.DEEPEST + 1, 300, 5000])
def test_depth_breaks_nothing_and_hides_nothing(depth: int) -> None:
    """An object nested more deeply than JSON libraries go is compared, and a difference at its bottom is found."""
    forms = [
        normalise.normalise({"apiVersion": "example.com/v1", "kind": "Deep", "metadata": {"name": "x"}, "spec": value})
        for value in (_nested(depth, 1), _nested(depth, 1), _nested(depth, 2))
    ]
    assert compare.fields(forms[:2]) == []
    (found,) = compare.fields([forms[0], forms[2]])
    assert found.pointer.startswith("/spec/a/a")


@pytest.mark.parametrize(
    "odd",
    [2**70, -(2**70), "\ud800", {"\ud800": 1}, {1: "a number as key"}, {"a": {2**80: b"bytes"}}, float("inf"), {3, 4}],
)
def test_what_is_no_json_is_compared_all_the_same(odd: Json) -> None:
    """Numbers beyond 64 bits, half surrogates, keys that are no text."""
    forms = [
        normalise.normalise({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": value}})
        for value in (odd, odd, "another")
    ]
    assert forms[0].encoded == forms[1].encoded
    assert forms[0].encoded != forms[2].encoded


@settings(max_examples=5)
@given(st.integers(0, 3))
def test_a_long_list_without_keys_is_put_beside_another_in_a_moment(shift: int) -> None:
    """Thousands of entries, with some put in front: what is equal is found equal."""
    entries = [{"value": number} for number in range(5000)]
    added = [{"value": -number - 1} for number in range(shift)]
    forms = [
        normalise.normalise({"apiVersion": "example.com/v1", "kind": "Long", "metadata": {"name": "x"}, "list": value})
        for value in (entries, added + entries)
    ]
    assert len(compare.fields(forms)) == shift
