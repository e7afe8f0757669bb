"""Versions in tags, and ranges of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep.topology.versions import Range, Version

# The order of the specification's own example (Semantic Versioning 2.0.0, 11), with neighbours.
IN_ORDER = [
    "0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
    "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-rc.1", "2.0.0", "10.0.0",
]  # fmt: skip


def _version(text: str) -> Version:
    found = Version.parse(text)
    assert found is not None, text
    return found


def test_versions_are_in_the_order_of_the_specification() -> None:
    """Numbers by value, what comes before a release before it."""
    versions = [_version(text) for text in IN_ORDER]
    shuffled = versions[1::2] + versions[::2]
    assert sorted(shuffled) == versions
    assert len(set(versions)) == len(versions)


@pytest.mark.parametrize(
    ("tag", "same"),
    [("v1.2.3", "1.2.3"), ("1.2", "1.2.0"), ("v2", "2.0.0"), ("1.2.3+build.5", "1.2.3"), ("1.2.3_b", "1.2.3")],
)
def test_a_tag_may_be_written_in_several_ways(tag: str, same: str) -> None:
    """With v, without its last numbers, with a build."""
    assert _version(tag) == _version(same)


@pytest.mark.parametrize("tag", ["latest", "1.2.3.4", "01.2.3", "1..2", "", "v", "1.2.3-", "sha256-abc", "20x"])
def test_what_is_no_version_is_none(tag: str) -> None:
    """Nothing is guessed."""
    assert Version.parse(tag) is None


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=1.2 <2", ["1.2.0", "1.10.0", "1.99"], ["1.1.9", "2.0.0", "2.0.0-rc.1", "1.5.0-rc.1"]),
        (">1.2.3", ["1.2.4", "2.0.0"], ["1.2.3", "1.2.3-rc.1"]),
        (">1.2", ["1.3.0"], ["1.2.5", "1.2.0"]),
        ("<=1.2", ["1.2.9", "0.1.0"], ["1.3.0"]),
        ("<=1.2.3", ["1.2.3"], ["1.2.4", "1.2.4-rc.1"]),
        ("1.2.3", ["1.2.3", "v1.2.3+b"], ["1.2.4", "1.2.3-rc.1"]),
        ("=1.2", ["1.2.0", "1.2.7"], ["1.3.0"]),
        ("1.x", ["1.0.0", "1.9.9"], ["2.0.0", "0.9.0"]),
        ("1.2.*", ["1.2.0", "1.2.9"], ["1.3.0"]),
        ("*", ["0.0.1", "99.0.0"], ["1.0.0-rc.1"]),
        ("^1.4", ["1.4.0", "1.9.0"], ["1.3.9", "2.0.0"]),
        ("^0.4.2", ["0.4.2", "0.4.9"], ["0.5.0", "0.4.1"]),
        ("^0.0.3", ["0.0.3"], ["0.0.4"]),
        ("^0", ["0.0.1", "0.9.0"], ["1.0.0"]),
        ("~1.4.2", ["1.4.2", "1.4.9"], ["1.5.0"]),
        ("~1", ["1.0.0", "1.9.0"], ["2.0.0"]),
        ("1.2.3 || ^3", ["1.2.3", "3.1.0"], ["2.0.0", "4.0.0"]),
        (">=1.0.0-rc.1", ["1.0.0-rc.1", "1.0.0-rc.2", "1.0.0", "2.0.0"], ["1.0.0-beta", "2.0.0-rc.1"]),
        (">=1.2, <2, !=1.5.0", ["1.4.0"], ["1.5.0"]),
        (">= 1.2", ["1.2.0"], ["1.1.0"]),
    ],
)
def test_a_range_holds_what_it_says(text: str, inside: list[str], outside: list[str]) -> None:
    """As npm and Helm read it."""
    found = Range.parse(text)
    assert [tag for tag in inside if not found.holds(_version(tag))] == []
    assert [tag for tag in outside if found.holds(_version(tag))] == []


@pytest.mark.parametrize(
    "text",
    ["", "  ", "||", "1.2.3 ||", "abc", ">", ">=1.2a", "1.2.3.4", "<*", "> = 1", "1.2 || a b", ">=1 " * 60],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    """It says why."""
    with pytest.raises(ValueError, match=r"."):
        Range.parse(text)


_versions = st.builds(
    lambda numbers, before: Version(numbers=numbers, before=tuple(before)),
    st.tuples(*(st.integers(0, 3),) * 3),
    st.lists(st.sampled_from(["0", "1", "rc", "alpha"]), max_size=2),
)


@given(_versions, _versions, _versions)
def test_the_order_is_one(one: Version, two: Version, three: Version) -> None:
    """Of two, one is smaller or they are equal; and smaller than smaller is smaller."""
    assert (one < two) + (two < one) + (one == two) == 1
    if one < two < three:
        assert one < three


@given(st.text(max_size=40))
def test_any_text_is_a_range_or_is_refused(text: str) -> None:
    """No other error, whatever is written."""
    try:
        found = Range.parse(text)
    except ValueError:
        return
    found.holds(_version("1.2.3"))
