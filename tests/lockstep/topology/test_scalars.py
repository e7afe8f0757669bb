"""The small types of the configuration."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from lockstep.topology import amounts, scalars, templates
from lockstep.topology.forms import FieldError

seconds = st.integers(0, 36525 * 86400)


def takes(kind: Any, value: object) -> bool:
    """Whether a type takes a value, as a document would give it."""
    try:
        TypeAdapter(kind).validate_json(orjson.dumps(value), strict=True)
    except ValidationError:
        return False
    return True


@given(seconds)
def test_a_duration_is_read_back_as_it_was_written(count: int) -> None:
    """Whatever the length, writing and reading agree."""
    value = timedelta(seconds=count)
    assert amounts.parse_duration(amounts.format_duration(value)) == value


parts_of_durations = st.tuples(*[st.none() | st.integers(0, 2_000)] * 5)


@given(parts_of_durations.filter(lambda parts: any(part is not None for part in parts)))
def test_a_duration_is_the_sum_of_its_units(parts: tuple[int | None, ...]) -> None:
    """Weeks, days, hours, minutes and seconds, each left out or given."""
    text = "".join(f"{part}{unit}" for part, unit in zip(parts, "wdhms", strict=True) if part is not None)
    weeks, days, hours, minutes, rest = (part or 0 for part in parts)
    assert amounts.parse_duration(text) == timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=rest)


@pytest.mark.parametrize(
    "text", ["", "5", "1.5h", "-5m", "5 m", "5m1h", "1y", "٣m", "40000d", "9" * 99 + "s", "5M", 5, None, True]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    """Neither other alphabets, nor another order, nor what no calendar holds."""
    with pytest.raises(FieldError):
        amounts.parse_duration(text)


@pytest.mark.parametrize(("rate", "bits"), [("20Mbit", 20e6), ("1.5Gbit", 1.5e9), ("9 Kbit", 9e3), ("64bit", 64)])
def test_a_rate_is_bits_for_each_second(rate: str, bits: float) -> None:
    """Decimal units, as lines are sold."""
    assert takes(amounts.Rate, rate)
    assert amounts.bits_per_second(rate) == bits


@given(st.integers(0, 100), st.integers(0, 10**6))
def test_a_share_never_rounds_something_to_nothing(percent: int, whole: int) -> None:
    """A share is rounded up, and never is more than the whole."""
    share = amounts.share_of(f"{percent}%", whole)
    assert 0 <= share <= whole
    assert (share == 0) == (percent == 0 or whole == 0)


# Each type with what people write, and with what could mean something else to another program.
GIT_URLS = [
    "https://git.example/{repository}.git",
    "ssh://git@git.example:22/x",
    "git@git.example:x/y",
    "file:///srv/x",
]
NO_GIT_URLS = """
    git.example/x ftp://git.example/x https://u:p@git.example/x https://token@git.example/x https://git.example/x?y=z
    https://git.example/x#y https:///x file://host/x ssh://-oProxyCommand=x/y -u@host:x git@host:-x ext::sh
    ssh://-oProxyCommand=x@host/y
    https://git.example:port/x https://[::1/x ssh://git:pw@host/x ssh://git.example:99999999/x
"""
HTTP_URLS = ["https://registry.example", "http://10.0.0.1:5000/prefix", "https://[::1]:5000"]
NO_HTTP_URLS = [
    "registry.example",
    "https://",
    "ftp://x",
    "https://u@x",
    "https://x?y",
    "https://x y",
    "https://x:99999",
]
BRANCHES = ["main", "release/1.2", "ü"]
NO_BRANCHES = ["-x", "a..b", "a b", "a~1", "a.lock", "/a", "a/", "a//b", ".a", "a@{1}", "", "a.", "a\x01", "a\\b"]
REPOSITORIES = ["pay", "bank/pay", "a/b/c", "_x/y.z"]
NO_REPOSITORIES = ["", "/a", "a/", "a//b", "a/../b", "a.git", "-a", "a b", "a\n", "a.lock", "ä"]
FLOORS = ["default", "Deployment", "StatefulSet/a", "Deployment.apps/a", "Rollout.argoproj.io"]
NO_FLOORS = ["Job", "Rollout", "*", "deployment", "DaemonSet.apps/x", "Default", "", "/x", "Deployment/"]
TABLE: list[tuple[str, list[object], list[object]]] = [
    ("Size", ["25MiB", "512KiB", "1GiB", 4096, "7B", "8"], ["25MB", "-1", 0, "0", 1.5, True, "", "1 MiB"]),
    ("Share", ["50%", 2, "2", "0%", "100%"], ["101%", "-1", 1.5, True, "half", "%", ""]),
    ("Bound", ["150%", 2], ["-1%", "1.5", None]),
    ("Interval", ["1s", "5m"], ["0s", "0m", ""]),
    ("Name", ["a", "seoul-1", "0", "a" * 63], ["A", "-a", "a-", "a.b", "a" * 64, "", "seoul\n", "sé", 1]),
    ("Names", [["a", "b"], []], [["a", "a"], "a", [1]]),
    ("GitRepository", [*REPOSITORIES], [*NO_REPOSITORIES]),
    ("GitGlob", ["bank/*", "*", "b?nk/[ab]"], ["", "../*", "bank/ *", "-*"]),
    ("Branch", [*BRANCHES], [*NO_BRANCHES]),
    ("GitUrl", [*GIT_URLS], ["", "https://a b/x", "git@host:x\ny", *NO_GIT_URLS.split()]),
    ("HttpUrl", [*HTTP_URLS], [*NO_HTTP_URLS]),
    ("LocalPath", ["/srv/x", "../x", "~/x", "x y"], ["", " ", "~root/x", "a\0b"]),
    ("RelativePath", ["deploy", "a/b", "."], ["", "/a", "../a", "a/../b", "-a", "a\nb", "a\\b", " "]),
    ("ImagePrefix", ["r.example/prod", "r.example:5000", "r:5000/a/b"], ["", "r/", "r//a", "https://r", "r b"]),
    ("ImageRepository", ["pay/api", "a__b"], ["Pay", "pay:1", "r.example/pay", "pay@x", "", "localhost/pay"]),
    ("ImageName", ["docker.io/vendor/hsm", "nginx"], ["nginx:1", "nginx@sha256:0", "", "Nginx"]),
    ("Network", ["10.0.0.0/8", "10.1.2.3", "::1", "fd00::/8"], ["10.0.0.1/8", "x", "", "10.0.0.0/33"]),
    ("ParamValue", ["x", ["a"], {"a": "b"}, [], ""], [1, [1], {"a": 1}, None, True, [["a"]]]),
    ("FloorKey", [*FLOORS], [*NO_FLOORS]),
    ("Regex", ["(.*)-a", "^x$"], ["(", "", "(?P<x>", "a{2,1}"]),
    ("Template", ["{host}", "https://{host}:{port}/{{x}}"], ["", "x", "{", "{host", "{a b}", "{}", "{{x}}", "}"]),
]


@pytest.mark.parametrize(("kind", "good", "bad"), TABLE, ids=[name for name, _, _ in TABLE])
def test_each_type_takes_its_form_and_nothing_else(kind: str, good: list[object], bad: list[object]) -> None:
    """What people write is taken, and what could mean something else to another program is not."""
    accepts = getattr(amounts, kind, None) or getattr(scalars, kind)
    assert [value for value in good if not takes(accepts, value)] == []
    assert [value for value in bad if takes(accepts, value)] == []


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,5}", fullmatch=True)


@given(st.lists(st.tuples(st.text("ab {}:/", max_size=5), names), min_size=1, max_size=4), st.text(max_size=5))
def test_a_template_is_filled_with_the_values_of_a_site(parts: list[tuple[str, str]], value: str) -> None:
    """Braces that are doubled stay braces, names become values, and a value is not filled again."""
    escaped = "".join(f"{text.replace('{', '{{').replace('}', '}}')}{{{name}}}" for text, name in parts)
    values = {name: f"{{{value}}}" for _, name in parts}
    assert templates.check(escaped) == escaped
    assert templates.names(escaped) == {name for _, name in parts}
    assert templates.fill(escaped, values) == "".join(f"{text}{{{value}}}" for text, _ in parts)


def test_a_template_without_a_value_is_not_half_filled() -> None:
    """A site that has not every value has no text at all, rather than a wrong one."""
    assert templates.fill("{host}:{port}", {"host": "x"}) is None
