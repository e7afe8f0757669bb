"""What a server says, as an error that a person can act on."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import errors
from lockstep.sites.cluster import refusals
from lockstep.sites.cluster.transport import Answer
from lockstep.values import Json
from tests.lockstep.sites.cluster import calling

_NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def _error(code: int, content: Json = None, *, resource: str = "configmaps", **headers: str) -> errors.LockstepError:
    right = errors.Right(verb="patch", resource=resource, namespace="pay", name="settings")
    body = b"plain" if content is None else orjson.dumps(content)
    named = {"content-type": "text/plain" if content is None else "application/json", **headers}
    answer = Answer(status=code, headers=named, body=body)
    return refusals.error_of(answer, refusals.Asked(server="https://seoul", right=right), now=_NOW)


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        (400, "json: cannot unmarshal", errors.InputError),
        (401, "Unauthorized", errors.UnauthorisedError),
        (405, "no", errors.NotServedError),
        (406, "no", errors.UnsupportedError),
        (413, "request is too large", errors.InputError),
        (422, "spec.x is invalid", errors.InvalidError),
        (429, "wait", errors.ThrottledError),
        (500, "etcd", errors.FaultError),
        (500, "failed to create typed patch object (a/b; v1, Kind=X): .spec.y: not declared", errors.InvalidError),
        (500, "failed to convert new object (a/b; v1, Kind=X) to smd typed: .spec.y: odd", errors.InvalidError),
        (507, "?", errors.FaultError),
        (418, "?", errors.InputError),
    ],
)  # fmt: skip
def test_a_status_is_an_error_of_the_tree(code: int, message: str, error: type[errors.LockstepError]) -> None:
    """What may succeed later is temporary, and nothing else is."""
    found = _error(code, calling.status(code, message))
    assert type(found) is error
    assert found.remedy


@pytest.mark.parametrize(
    "message",
    [
        "field is immutable",
        "Forbidden: field is immutable when `immutable` is set",
        "may not change once set",
        "cannot change roleRef",
        "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals' are forbidden",
        "Forbidden: pod updates may not change fields other than `spec.containers[*].image`",
        "Forbidden: field can not be less than previous value",
        "spec is immutable after creation except resources.requests",
    ],
)
def test_what_cannot_be_changed_any_more_is_told_apart_from_what_is_wrong(message: str) -> None:
    """The first proves that something else is there."""
    causes = [{"field": "spec.x", "message": message}]
    assert type(_error(422, calling.status(422, "x", details={"causes": causes}))) is errors.FixedError
    secret = _error(422, calling.status(422, "x", details={"causes": causes}), resource="secrets")
    assert type(secret) is errors.FixedError
    wrong = [{"field": "spec.x", "message": "must be a number that may change"}]
    assert type(_error(422, calling.status(422, "x", details={"causes": wrong}))) is errors.InvalidError


def test_a_path_that_nobody_serves_is_said_in_plain_text() -> None:
    """A definition that is not in force yet looks the same."""
    assert type(_error(404)) is errors.NotServedError


def test_a_namespace_that_is_going_is_waited_for() -> None:
    """It will be gone, and then it can be made."""
    causes = [{"reason": "NamespaceTerminating"}]
    assert isinstance(_error(403, calling.status(403, "x", details={"causes": causes})), errors.ConflictError)


def test_a_full_quota_is_no_missing_right() -> None:
    """No role would help."""
    found = _error(403, calling.status(403, 'pods "x" is forbidden: exceeded quota: small'))
    assert isinstance(found, errors.ForbiddenError)
    assert found.right is None
    assert "exceeded quota" in found.message


def test_a_moment_to_come_back_at_is_understood_too() -> None:
    """RFC 9110 allows a date, and some proxies write one."""
    found = _error(503, calling.status(503), **{"retry-after": "Wed, 02 Jan 2030 03:04:15 GMT"})
    assert isinstance(found, errors.ThrottledError)
    assert found.wait_seconds == 10


def test_what_is_wrong_with_a_secret_is_not_repeated() -> None:
    """Servers quote what they do not understand."""
    causes = [{"field": "data.password", "message": "Invalid value: hunter2"}]
    for code in (400, 422, 500):
        found = _error(
            code,
            calling.status(code, "Invalid value: hunter2", details={"causes": causes}),
            resource="secrets",
        )
        assert "hunter2" not in f"{found} {getattr(found, 'faults', '')}"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    code=st.integers(300, 599),
    message=_JSON,
    details=_JSON | st.fixed_dictionaries({"causes": st.lists(_JSON), "kind": _JSON, "name": _JSON}),
    retry=st.text(st.characters(codec="latin-1"), max_size=20),
)
def test_whatever_a_server_says_becomes_one_line(code: int, message: Json, details: Json, retry: str) -> None:
    """A stranger's text breaks neither the program nor the page that it ends on."""
    found = _error(code, {"kind": "Status", "message": message, "details": details}, **{"retry-after": retry})
    assert isinstance(found, errors.LockstepError)
    assert found.message.isprintable()
