"""Which fields differ, and what their paths are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift import compare, normalise
from drift.sides import ABSENT
from lockstep.topology.selectors import Selector
from lockstep.values import Json
from tests.drift import objects


def custom(spec: Json) -> normalise.Normal:
    """A custom resource: nothing is known of its fields."""
    return normalise.normalise(
        {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": spec}
    )


def deployment(*containers: Json, **spec: Json) -> normalise.Normal:
    """A Deployment with these containers."""
    template = {"spec": {"containers": list(containers), **spec}}
    return normalise.normalise(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": {"template": template}}
    )


def found(*sides: normalise.Normal | None) -> list[tuple[str, str]]:
    """Pointer and path of each difference."""
    return [(field.pointer, field.path) for field in compare.fields(sides)]


def test_a_container_is_found_by_its_name_and_named_by_its_place() -> None:
    """The pointer counts in the object of the first side, git's."""
    web, log = {"name": "web", "image": "web:1"}, {"name": "log", "image": "log:1"}
    newer = {"name": "web", "image": "web:2"}
    template = "/spec/template/spec/containers"
    assert found(deployment(web, log), deployment(log, newer)) == [
        (f"{template}/0/image", "spec.template.spec.containers[web].image")
    ]
    assert found(deployment(log, newer), deployment(web, log)) == [
        (f"{template}/1/image", "spec.template.spec.containers[web].image")
    ]


def test_an_entry_that_one_side_lacks_is_one_difference() -> None:
    """Not one for each of its fields; its place is that of the side that has it."""
    web = {"name": "web", "image": "web:1"}
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    (field,) = compare.fields([deployment(web), deployment({**web, "env": env[:1]}), deployment(web)])
    assert (field.pointer, field.path) == (
        "/spec/template/spec/containers/0/env/0",
        "spec.template.spec.containers[web].env[A]",
    )
    assert field.values == (ABSENT, {"name": "A", "value": "1"}, ABSENT)


def test_a_probe_that_one_side_lacks_is_one_difference() -> None:
    """People think of it as one thing."""
    web = {"name": "web", "image": "web:1"}
    probe = {"livenessProbe": {"httpGet": {"port": 80}, "periodSeconds": 5}}
    assert found(deployment({**web, **probe}), deployment(web)) == [
        ("/spec/template/spec/containers/0/livenessProbe", "spec.template.spec.containers[web].livenessProbe")
    ]


def test_the_order_of_containers_that_run_one_after_another_counts() -> None:
    """Of those that run beside each other it does not."""
    a, b = {"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}
    assert found(deployment(a, b), deployment(b, a)) == []
    (field,) = compare.fields([deployment(a, initContainers=[a, b]), deployment(a, initContainers=[b, a])])
    assert (field.pointer, field.path) == (
        "/spec/template/spec/initContainers",
        "spec.template.spec.initContainers (order)",
    )
    assert field.values == (["a", "b"], ["b", "a"])


@pytest.mark.parametrize(("value", "counts"), [("1", False), ("$(B)/x", True)])
def test_the_order_of_variables_counts_when_one_refers_to_another(value: str, *, counts: bool) -> None:
    """$(B) is expanded only from the variables before it."""
    a, b = {"name": "A", "value": value}, {"name": "B", "value": "2"}
    sides = [deployment({"name": "web", "env": env}) for env in ([b, a], [a, b])]
    assert bool(found(*sides)) is counts


@pytest.mark.parametrize(
    ("left", "right", "pointers"),
    [
        (["a", "b"], ["x", "a", "b"], ["/spec/list/0"]),
        (["a", "b"], ["a", "x", "b"], ["/spec/list/1"]),
        (["a", "b"], ["a", "x"], ["/spec/list/1"]),
        (["a", "b"], ["b", "a"], ["/spec/list"]),
        (["a", "a"], ["a"], ["/spec/list/1"]),
        ([], ["a"], ["/spec/list/0"]),
        (
            [{"host": "a", "n": 1}, {"host": "b"}],
            [{"host": "new"}, {"host": "a", "n": 2}, {"host": "b"}],
            ["/spec/list/0/n", "/spec/list/0"],
        ),
        ([[1], [2]], [[1], [3]], ["/spec/list/1/0"]),
        ([1, True], [True, 1], ["/spec/list"]),
    ],
)
def test_a_list_without_keys_is_put_beside_another_by_what_is_in_it(
    left: Json, right: Json, pointers: list[str]
) -> None:
    """What was put in front does not make every other entry differ."""
    sides = [custom({"list": value}) for value in (left, right)]
    assert [field.pointer for field in compare.fields(sides)] == pointers


@pytest.mark.parametrize(
    ("key", "pointer", "path"),
    [
        ("a/b", "/spec/a~1b", 'spec["a/b"]'),
        ("a~b", "/spec/a~0b", 'spec["a~b"]'),
        ("한글", "/spec/한글", "spec.한글"),
        ("", "/spec/", 'spec[""]'),
        ("app.kubernetes.io/name", "/spec/app.kubernetes.io~1name", 'spec["app.kubernetes.io/name"]'),
        ("__private__", "/spec/__private__", "spec.__private__"),
        ("#", "/spec/#", 'spec["#"]'),
        ("\0order", "/spec/\0order", 'spec["\0order"]'),
        ("root['x']", "/spec/root['x']", "spec[\"root['x']\"]"),
    ],
)
def test_odd_keys_have_their_paths(key: str, pointer: str, path: str) -> None:
    """Slashes, tildes, Korean, nothing at all, and names that libraries take for their own."""
    assert found(custom({key: 1}), custom({key: 2})) == [(pointer, path)]


@pytest.mark.parametrize(("left", "right"), [(1, True), (0, False), ("1", 1), ({}, []), ([], ""), ("", None), (1.5, 1)])
def test_values_of_different_types_differ(left: Json, right: Json) -> None:
    """Python and DeepDiff take some of them for equal."""
    assert found(custom({"a": left}), custom({"a": right})) == [("/spec/a", "spec.a")]


def test_a_long_text_costs_nothing_to_tell_apart() -> None:
    """A megabyte of lines, one of them changed: no search for lines that moved."""
    lines = [f"line {number}" for number in range(60_000)]
    left = custom({"text": "\n".join(lines)})
    lines[30_000] = "changed"
    assert found(left, custom({"text": "\n".join(lines)})) == [("/spec/text", "spec.text")]


def test_a_text_of_a_config_map_is_entered_only_when_every_side_can_be() -> None:
    """Else it is compared as it is written."""
    sides = [
        normalise.normalise(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a.yaml": text}}
        )
        for text in ("a: 1\nb: 1", "a: 2\nb: 1", "broken: [")
    ]
    assert [field.pointer for field in compare.fields(sides[:2], texts=True)] == ["/data/a.yaml#/a"]
    assert [field.pointer for field in compare.fields(sides, texts=True)] == ["/data/a.yaml"]


def test_context_comes_along_and_decides_nothing() -> None:
    """Older renderings are asked for their values where the sides differ, and nowhere else."""
    old = custom({"a": 0, "b": 0})
    (field,) = compare.fields([custom({"a": 1, "b": 1}), custom({"a": 2, "b": 1})], context=[old, None])
    assert field.values == (1, 2, 0, ABSENT)
    assert compare.fields([custom({"a": 1}), custom({"a": 1})], context=[old]) == []


def test_a_selector_finds_equal_fields_too() -> None:
    """With * in lists and mappings, and inside texts."""
    sides = [
        normalise.normalise(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "x"},
                "data": {"a.yaml": "db: {host: h}\nx: 1"},
            }
        )
    ] * 2
    (field,) = compare.lookup(sides, Selector.parse("ConfigMap /data/*#/db/host"), texts=True)
    assert (field.pointer, field.values) == ("/data/a.yaml#/db/host", ("h", "h"))
    assert compare.lookup(sides, Selector.parse("ConfigMap /data/nowhere/host"), texts=True) == []


@given(st.lists(objects.ANYTHING, min_size=4, max_size=4))
def test_every_value_that_differs_is_told_on_every_side(values: list[Json]) -> None:
    """Four sides at once: the values that are told are those of the sides, and a side that is not there has none."""
    sides = [custom({"a": value}) for value in values]
    for field in compare.fields([*sides[:2], None, sides[3]]):
        assert field.values[2] is ABSENT
        assert len({normalise.encode(str(value)) for value in (*field.values[:2], field.values[3])}) > 1
