"""Secrets are compared, and their values go nowhere."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift import redact
from lockstep.values import Json
from tests.drift import golden, objects

SEALER = redact.Sealer(b"a key of this installation")


def secret(name: str = "db", **parts: Json) -> dict[str, Json]:
    """A Secret with these parts."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "shop"}, **parts}


def encoded(value: bytes) -> str:
    """Base64, as the API has it."""
    return base64.b64encode(value).decode()


@given(st.binary(min_size=1, max_size=64))
def test_equal_values_have_equal_fingerprints_and_others_have_not(value: bytes) -> None:
    """However the value is written: in data, or for people in stringData."""
    sealed = SEALER.seal(secret(data={"a": encoded(value)}))
    assert sealed == SEALER.seal(secret(data={"a": encoded(value) + "\n"}))
    assert sealed != SEALER.seal(secret(data={"a": encoded(value + b"x")}))
    assert list(sealed["data"]) == ["a"]
    assert sealed["data"]["a"].startswith("hmac:")


def test_a_value_looks_different_at_another_place_and_under_another_key() -> None:
    """Nobody can see that two applications share a password, nor try passwords without the key."""
    sealed = SEALER.seal(secret(data={"a": encoded(b"pw"), "b": encoded(b"pw")}))["data"]
    elsewhere = SEALER.seal(secret("other", data={"a": encoded(b"pw")}))["data"]
    others = redact.Sealer(b"the key of another one").seal(secret(data={"a": encoded(b"pw")}))["data"]
    assert len({sealed["a"], sealed["b"], elsewhere["a"], others["a"]}) == 4


@given(st.dictionaries(objects.NAMES, objects.ANYTHING), st.dictionaries(objects.NAMES, objects.ANYTHING))
def test_whatever_is_in_a_secret_is_sealed(data: Json, text: Json) -> None:
    """Wrong types, no base64, Korean: only fingerprints are left."""
    sealed = SEALER.seal(secret(data=data, stringData=text))
    assert "stringData" not in sealed
    assert set(sealed.get("data", {})) == {*data, *text}
    assert all(value.startswith("hmac:") for value in sealed.get("data", {}).values())


@pytest.mark.parametrize("broken", ["text", ["a"], 5, True])
def test_a_secret_whose_data_is_no_mapping_is_sealed_whole(broken: Json) -> None:
    """It cannot be read, and is not shown either."""
    sealed = SEALER.seal(secret(data=broken))
    assert list(sealed["data"]) == ["(data)"]
    assert sealed["data"]["(data)"].startswith("hmac:")


def test_no_value_of_a_secret_is_in_what_is_said_of_it() -> None:
    """Not in a difference, nor in its values, nor in how anything here is printed."""
    for row in ("N12", "N20", "F11", "G6", "X15"):
        survey = golden.Case.read(golden.FOLDER / row).survey()
        assert survey.differences
        said = repr(survey)
        for value in ("correct horse", "Y29ycmVjdCBob3JzZQ==", "b25l", "dHdv", "YQ==", "Yg==", "b2xk"):
            assert value not in said
    assert "installation" not in repr(SEALER)


@pytest.mark.parametrize(
    ("name", "secret_"),
    [
        ("DB_PASSWORD", True),
        ("password", True),
        ("apiKey", True),
        ("client-secret", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("GITHUB_TOKEN", True),
        ("credentials", True),
        ("PASSWORD_MIN_LENGTH", False),
        ("TOKENIZER", False),
        ("secretName", False),
        ("KEYBOARD", False),
        ("COMPASS", False),
        ("", False),
    ],
)
def test_a_name_says_that_a_value_is_secret(name: str, *, secret_: bool) -> None:
    """The word at the end decides."""
    assert redact.is_secret_name(name) is secret_


def test_what_is_plainly_secret_is_masked_and_still_told_apart() -> None:
    """Equal stays equal, different stays different, and nothing is left to read."""
    mask = redact.Mask()
    assert mask.hide("DB_PASSWORD", "one") == "(hidden 1)"
    assert mask.hide("DB_PASSWORD", "two") == "(hidden 2)"
    assert mask.hide("DB_PASSWORD", "one") == "(hidden 1)"
    assert mask.hide("env", {"name": "TOKEN", "value": "three"}) == {"name": "TOKEN", "value": "(hidden 3)"}
    assert mask.hide("URL", "postgres://pay:four@db/pay") == "postgres://pay:(hidden 4)@db/pay"
    assert mask.hide("URL", "https://example.com/a:b@c") == "https://example.com/a:b@c"
    assert mask.hide("REPLICAS", 3) == 3
    assert mask.hide("password", "") == ""
