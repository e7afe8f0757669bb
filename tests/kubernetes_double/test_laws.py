"""What holds for whatever is applied: the laws of the double's pure core."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kubernetes_double.asking import Asker
from tests.support.kubernetes_double import (
    Double,
    defaulting,
    forms,
    merging,
    ownership,
    paths,
    quantities,
    types,
)

_POD_TYPE = types.built_in("", "v1", "Pod")
_NAMES = st.sampled_from(["a", "b", "c", "d"])
# What is empty is nobody's: objects do not keep it.
_ENV = st.lists(_NAMES, unique=True, min_size=1, max_size=4).map(
    lambda names: [{"name": one, "value": one * 2} for one in names]
)
_CONTAINERS = st.lists(
    st.builds(lambda name, env: {"name": name, "image": "x", "env": env}, _NAMES, _ENV),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one["name"],
)
_LABELS = st.dictionaries(_NAMES, _NAMES, min_size=1, max_size=3)


def _pod(containers: list[Any], labels: dict[str, str]) -> dict[str, Any]:
    head = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": labels}}
    return {**head, "spec": {"containers": containers}}


_PODS = st.builds(_pod, _CONTAINERS, _LABELS)


def _writing(name: str) -> ownership.Writing:
    manager = ownership.Manager(name=name, applies=True, version="v1")
    return ownership.Writing(manager=manager, of=_POD_TYPE, now="2026-01-01T00:00:00Z")


def _applied(live: Any, owners: ownership.Owners, patch: Any, by: str) -> tuple[Any, ownership.Owners]:
    return ownership.applied(live, patch, owners, _writing(by), force=True)


@given(_PODS, _PODS)
def test_applying_the_same_again_changes_nothing(first: Any, second: Any) -> None:
    """Neither the object nor who owns what of it, whatever was applied before."""
    live, owners = _applied({}, {}, first, "one")
    live, owners = _applied(live, owners, second, "one")
    again, still = _applied(live, owners, second, "one")
    assert merging.compare(live, again, _POD_TYPE).same
    assert still == owners


@given(_PODS, _PODS)
def test_what_an_applier_drops_is_gone_if_nobody_else_has_it(first: Any, second: Any) -> None:
    """After two applies by one there is what the second has, as if there had been no first."""
    live, owners = _applied({}, {}, first, "one")
    live, owners = _applied(live, owners, second, "one")
    fresh, alone = _applied({}, {}, second, "one")
    assert merging.fields_of(live, _POD_TYPE) == merging.fields_of(fresh, _POD_TYPE)
    assert owners == alone


@given(_PODS, _PODS, _PODS)
def test_what_one_applies_is_there_whatever_another_does_by_force_to_the_rest(a: Any, b: Any, c: Any) -> None:
    """Every field that somebody owns is in the object."""
    live, owners = _applied({}, {}, a, "one")
    live, owners = _applied(live, owners, b, "two")
    live, owners = _applied(live, owners, c, "one")
    there = merging.fields_of(live, _POD_TYPE)
    owned = {path for one in owners.values() for path in one.fields}
    assert owned <= there


@given(_PODS, _PODS)
def test_a_merge_has_every_field_of_both(live: Any, applied: Any) -> None:
    """Nothing is lost before something is pruned, and what is applied keeps its order."""
    merged = merging.merge(live, applied, _POD_TYPE)
    fields = merging.fields_of(merged, _POD_TYPE)
    assert merging.fields_of(live, _POD_TYPE) | merging.fields_of(applied, _POD_TYPE) <= fields
    names = [one["name"] for one in applied["spec"]["containers"]]
    assert [one["name"] for one in merged["spec"]["containers"] if one["name"] in names] == names


@given(_PODS)
def test_fields_survive_being_written_down(pod: Any) -> None:
    """``fieldsV1`` says what it was made of."""
    fields = merging.fields_of(pod, _POD_TYPE)
    assert paths.decoded(paths.encoded(fields)) == fields


@given(_PODS)
def test_reading_what_was_written_changes_nothing(pod: Any) -> None:
    """Defaults and the normal form are filled in once."""
    once = forms.normal(defaulting.filled(forms.normal(pod, _POD_TYPE), "", "Pod"), _POD_TYPE)
    assert forms.normal(defaulting.filled(once, "", "Pod"), _POD_TYPE) == once


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=3), st.sampled_from(["", "m", "k", "Ki", "Gi", "e3"]))
def test_a_quantity_keeps_its_amount_in_canonical_form(number: Any, suffix: str) -> None:
    """Rounded up where it is finer than a billionth, or than a byte in binary."""
    written = quantities.canonical(f"{number:f}{suffix}")
    assert quantities.canonical(written) == written
    assert abs(quantities.value(written) - quantities.value(f"{number:f}{suffix}")) < 1


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1e3", "1e3"),
        ("1.5Gi", "1536Mi"),
        ("0", "0"),
        ("100k", "100k"),
    ],
)
def test_quantities_are_written_as_the_server_writes_them(given: str, written: str) -> None:
    """The largest suffix of the family that leaves a whole number."""
    assert quantities.canonical(given) == written


def test_every_built_in_kind_can_be_listed(double: Double, asker: Asker) -> None:
    """As discovery says, whoever reads everything finds everything."""
    groups = asker.ask("GET", "/apis").body["groups"]
    roots = ["/api/v1", *(f"/apis/{one['groupVersion']}" for group in groups for one in group["versions"])]
    for root in roots:
        for resource in asker.ask("GET", root).body["resources"]:
            if "list" in resource["verbs"]:
                assert asker.ask("GET", f"{root}/{resource['name']}").body["kind"] == f"{resource['kind']}List"
