"""Objects and fields as rules name them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubernetes import client

from lockstep.topology.forms import FieldError
from lockstep.topology.objects import BUILT_IN, SCALABLE, ObjectPattern
from lockstep.topology.selectors import Selector, parse_pointer, write_pointer

tokens = st.lists(st.text(max_size=6), max_size=4).map(tuple)
# A key that ends in # before a slash would begin an embedded text.
plain_tokens = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="#"), max_size=6), max_size=4).map(
    tuple
)
kinds = st.from_regex(r"[A-Z][A-Za-z0-9]{0,6}", fullmatch=True)
groups = st.none() | st.sampled_from(["apps", "networking.k8s.io", "helm.toolkit.fluxcd.io"])
names = st.from_regex(r"[a-z0-9*?:-]{1,8}", fullmatch=True)
patterns = st.builds(lambda kind, group, name: ObjectPattern(kind=kind, group=group, name=name), kinds, groups, names)
selectors = st.builds(
    lambda objects, pointer, embedded: Selector(
        objects=objects, pointer=pointer, embedded=embedded if pointer else None
    ),
    patterns,
    plain_tokens,
    st.none() | plain_tokens.filter(bool),
)


@given(tokens)
def test_a_pointer_is_read_back_as_it_was_written(pointer: tuple[str, ...]) -> None:
    """Slashes and tildes in keys survive (RFC 6901)."""
    assert parse_pointer(write_pointer(pointer)) == pointer


@given(selectors)
def test_a_selector_is_read_back_as_it_was_written(selector: Selector) -> None:
    """Kind, group, name, pointer and what is embedded."""
    assert Selector.parse(str(selector)) == selector


@given(selectors, st.lists(st.text(max_size=4) | st.integers(0, 9), max_size=3))
def test_a_selector_covers_its_field_and_what_is_below(selector: Selector, below: list[str | int]) -> None:
    """It never covers what is above, nor a brother."""
    if selector.embedded is None:
        assert selector.covers([*selector.pointer, *below])
        assert not selector.pointer or not selector.covers(selector.pointer[:-1])
    else:
        assert selector.covers(selector.pointer, [*selector.embedded, *below])
        assert not selector.covers(selector.pointer)
        assert not selector.covers(selector.pointer, selector.embedded[:-1])


@pytest.mark.parametrize(
    ("selector", "path", "embedded", "covered"),
    [
        ("Ingress /spec/rules/*/host", ["spec", "rules", 3, "host"], None, True),
        ("Ingress /spec/rules/*/host", ["spec", "rules", 3, "http"], None, False),
        ("Ingress /spec/rules/0/host", ["spec", "rules", 0, "host"], None, True),
        ("Ingress /spec/rules/0", ["spec", "rules", 10], None, False),
        ("Ingress/shop", ["anything"], None, True),
        ("ConfigMap/pay /data/app.yaml#/cors/origin", ["data", "app.yaml"], ["cors", "origin"], True),
        ("ConfigMap/pay /data/app.yaml#/cors/origin", ["data", "app.yaml"], ["cors"], False),
        ("ConfigMap/pay /data/app.yaml", ["data", "app.yaml"], ["cors"], True),
        ("ConfigMap/pay /data/*#/*/origin", ["data", "x"], ["y", "origin"], True),
        ("ConfigMap/pay /data#/a", ["data", "x"], ["a"], False),
        ("Deployment /metadata/labels/example.com~1site", ["metadata", "labels", "example.com/site"], None, True),
        ("Deployment /metadata/annotations/a#b", ["metadata", "annotations", "a#b"], None, True),
    ],
)  # fmt: skip
def test_a_star_is_one_key_or_position(
    selector: str, path: list[str | int], embedded: list[str | int] | None, covered: bool
) -> None:
    """Neither more than one step nor a part of one."""
    assert Selector.parse(selector).covers(path, embedded) is covered


@pytest.mark.parametrize(
    ("pattern", "group", "kind", "name", "selected"),
    [
        ("Ingress", "networking.k8s.io", "Ingress", "shop", True),
        ("Ingress/shop", "networking.k8s.io", "Ingress", "shops", False),
        ("Ingress.extensions", "networking.k8s.io", "Ingress", "shop", False),
        ("Secret/*", "", "Secret", "a", True),
        ("Secret/tls-?", "", "Secret", "tls-a", True),
        ("ClusterRole/system:*", "rbac.authorization.k8s.io", "ClusterRole", "system:x", True),
        ("ConfigMap/[a]", "", "ConfigMap", "a", False),
        ("*/shop", "apps", "Deployment", "shop", True),
        ("*", "", "Node", "a", True),
    ],
)
def test_a_pattern_selects_by_kind_group_and_name(
    pattern: str, group: str, kind: str, name: str, selected: bool
) -> None:
    """Without a group any is meant; only * and ? are wild."""
    assert ObjectPattern.parse(pattern).selects(group=group, kind=kind, name=name) is selected


def test_the_narrower_selector_is_the_one_that_says_more() -> None:
    """A name outweighs a kind, a deeper field a shallow one, and a key a star."""
    ordered = [
        "* /spec",
        "Ingress /spec",
        "Ingress /spec/rules/*/host",
        "Ingress /spec/rules/0/host",
        "Ingress/shop-* /spec",
        "Ingress/shop /spec",
        "Ingress/shop /spec/rules",
    ]
    assert sorted(ordered, key=lambda text: Selector.parse(text).narrowness) == ordered


@given(st.text(max_size=40) | st.text("KinIngress./ *#~abc", max_size=30))
def test_a_text_is_a_selector_or_a_field_error(text: str) -> None:
    """Nothing else is raised, and what is read is written as something that means the same."""
    try:
        selector = Selector.parse(text)
    except FieldError as error:
        said = (error.message, error.remedy)
    else:
        said = (str(selector), text)
        assert Selector.parse(str(selector)) == selector
    assert all(said)


def test_the_built_in_kinds_are_those_of_kubernetes() -> None:
    """Each is known to Kubernetes' own client, and exactly those with a scale subresource may have a floor."""
    models = {re.sub(r"^(Core|Events)?V[0-9]+((alpha|beta)[0-9]+)?", "", name) for name in dir(client)}
    methods = {*dir(client.AppsV1Api), *dir(client.CoreV1Api)}
    scaled = {re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower(): kind for kind in BUILT_IN}
    assert set(BUILT_IN) - models == set()
    assert {kind for name, kind in scaled.items() if f"patch_namespaced_{name}_scale" in methods} == SCALABLE
