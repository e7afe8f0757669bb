"""The options of a list, and what the server says of those that contradict each other."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.kubernetes_double import field_errors, statuses
from tests.support.kubernetes_double.statuses import RefusedError

_MATCH = "resourceVersionMatch"
Query = Mapping[str, str]


def check(query: Query) -> None:
    """Refuse options that make no sense together."""
    given, match = query.get("resourceVersion", ""), query.get(_MATCH, "")
    if query.get("continue") and given:
        raise statuses.bad_request("specifying resource version is not allowed when using continue")
    if match and not given and "watch" not in query:
        raise _forbidden(f"{_MATCH} is forbidden unless resourceVersion is provided")
    if match == "Exact" and given == "0":
        raise _forbidden(f'{_MATCH} "exact" is forbidden for resourceVersion "0"')


def _forbidden(why: str) -> RefusedError:
    return statuses.invalid("ListOptions", "meta.k8s.io", "", [field_errors.forbidden(_MATCH, why)])


def check_watch(query: Query) -> None:
    """Refuse options of a watch that make no sense together."""
    given = query.get("resourceVersion") or "0"
    if not given.isdigit():
        why = f'strconv.ParseUint: parsing "{given}": invalid syntax'
        raise statuses.internal(f'resourceVersion: Invalid value: "{given}": {why}')
    initial, match = query.get("sendInitialEvents"), query.get(_MATCH, "")
    if match and initial is None:
        raise _forbidden(f"{_MATCH} is forbidden for watch unless sendInitialEvents is provided")
    if initial is not None and match != "NotOlderThan":
        why = f"sendInitialEvents requires setting {_MATCH} to NotOlderThan"
        raise _forbidden(why)


def limit(query: Query) -> int:
    """How many objects a page has, 0 for all: what comes from the watch cache comes as a whole."""
    text = query.get("limit", "0")
    if not text.removeprefix("-").isdigit():
        raise statuses.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return 0 if query.get("resourceVersion") == "0" else max(0, int(text))


def revision(query: Query) -> int:
    """The revision that is asked for, 0 for any."""
    text = query.get("resourceVersion") or "0"
    if not text.isdigit():
        why = f'strconv.ParseUint: parsing "{text}": invalid syntax'
        raise statuses.bad_request(f'invalid resource version: resourceVersion: Invalid value: "{text}": {why}')
    return int(text)


def too_large(wanted: int, current: int) -> RefusedError:
    """It has not been written yet."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    body = statuses.status(504, "Timeout", message, details={"causes": [cause], "retryAfterSeconds": 1})
    return RefusedError(body, headers={"Retry-After": "1"})
