"""Documents that are somebody else's may have scalars of other meanings."""

from __future__ import annotations

import pytest

from lockstep import documents, errors
from lockstep.values import Json


def _shouted(text: str) -> Json:
    if text == "nothing":
        raise ValueError("means nothing")
    return text.upper()


def test_scalars_mean_what_the_caller_says_and_keys_stay_as_they_are_written() -> None:
    """Only those without quotes are asked about."""
    (document,) = documents.read(b'on: yes\n80: "yes"\nlist: [1]\n', file="a", scalar=_shouted)
    assert document.value == {"on": "YES", "80": "yes", "list": ["1"]}


def test_a_scalar_that_means_nothing_is_an_error_with_its_place() -> None:
    """As a number is that JSON does not have."""
    with pytest.raises(errors.DocumentError) as caught:
        documents.read(b"a: 1\nb: nothing\n", file="a", scalar=_shouted)
    assert caught.value.line == 2
