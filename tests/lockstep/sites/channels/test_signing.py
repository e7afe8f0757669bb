"""Signatures of Standard Webhooks."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.sites import channels
from tests.support import receivers

# The vector of the specification's own libraries.
VECTOR = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330)


def test_the_vector_of_the_specification_comes_out() -> None:
    """The published secret, id, moment and body give the published signature."""
    secret, message, timestamp = VECTOR
    signed = channels.sign(
        [channels.key_of(secret)], message=message, timestamp=timestamp, body=b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(body=st.binary(max_size=200), keys=st.lists(st.binary(min_size=24, max_size=64), min_size=2, max_size=2))
def test_whoever_knows_one_of_two_keys_believes(body: bytes, keys: list[bytes]) -> None:
    """While keys are rotated, receivers with the new and with the old one both verify, and nobody else does."""
    signed = channels.sign(keys, message="msg_1", timestamp=17, body=body)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "17", "webhook-signature": signed}
    for key in keys:
        receiver = receivers.Receiver(secret="whsec_" + base64.b64encode(key).decode())
        assert receiver.believes(headers, body)
        assert not receiver.believes(headers, body + b" ")
        assert not receiver.believes({**headers, "webhook-id": "msg_2"}, body)
    assert receivers.Receiver(secret=receivers.SECRET).believes(headers, body) is (bytes(range(32)) in keys)


@pytest.mark.parametrize(
    "secret", ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", "whsec_" + "A" * 100]
)
def test_a_secret_of_another_form_is_refused_and_not_repeated(secret: str) -> None:
    """Without prefix, too short, too long or no base64: the error does not say the secret."""
    with pytest.raises(errors.InputError) as refused:
        channels.key_of(secret)
    assert not secret or secret not in str(refused.value) or secret == "whsec_"
