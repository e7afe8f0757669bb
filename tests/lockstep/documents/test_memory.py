"""What bytes mean is remembered, and never shared."""

from __future__ import annotations

import pytest

from lockstep import documents, errors


def test_equal_bytes_give_equal_values_that_are_not_the_same_ones() -> None:
    """Whoever changes what they were given changes nothing for the next."""
    memory = documents.Memory(most_bytes=1000)
    data = b"a: {b: [1, 2.5, null, '3']}\n---\n1234567890123456789\n"
    first = memory.values(data, file="a")
    first[0]["a"]["b"].append("changed")
    assert memory.values(data, file="a") == [{"a": {"b": [1, 2.5, None, "3"]}}, 1234567890123456789]


def test_what_is_wrong_is_said_every_time_with_the_name_of_its_file() -> None:
    """Two files with the same mistake are two mistakes."""
    memory = documents.Memory(most_bytes=1000)
    for name in ("a", "b"):
        with pytest.raises(errors.DocumentError, match=f"^{name}:1"):
            memory.values(b"]", file=name)


def test_the_least_recently_used_is_forgotten_first() -> None:
    """The memory stays within its bound, and a value that would fill it alone is not kept."""
    memory = documents.Memory(most_bytes=30)
    old, used, new = b"'12345678'", b"'abcdefgh'", b"'ABCDEFGH'"
    for data in (old, used, old, used, new):
        memory.values(data, file="a")
    memory.values(b"'" + b"x" * 100 + b"'", file="a")
    assert [value[2:-2].decode() for value in memory._kept.values()] == ["abcdefgh", "ABCDEFGH"]
