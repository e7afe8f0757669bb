"""Continue tokens: where the next page of a list starts, and of which revision it is."""

from __future__ import annotations

import base64
import json

import orjson

from tests.support.kubernetes_double import statuses

_VERSION = "meta.k8s.io/v1"
_BAD = "invalid continue token: continue key is not valid"


def token(revision: int, prefix: str, last: str) -> str:
    """The page behind a key; -1 is whatever is there when it is asked for."""
    start = f"{last.removeprefix(prefix.rstrip('/'))}\0"
    text = json.dumps({"v": _VERSION, "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(given: str, prefix: str) -> tuple[int, str]:
    """The revision of the first page and the key to start from.

    Raises:
        RefusedError: It is none of ours.
    """
    try:
        found = orjson.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
        version, revision, start = found["v"], int(found["rv"]), str(found["start"])
    except (ValueError, KeyError, TypeError) as error:
        why = "invalid character 'i' looking for beginning of value"
        raise statuses.bad_request(f"{_BAD}: {why}") from error
    if version != _VERSION:
        raise statuses.bad_request(f"{_BAD}: server does not recognize this encoded version {version}")
    if not revision:
        raise statuses.bad_request(f"{_BAD}: incorrect encoded start resourceVersion (version {version})")
    if ".." in start.split("/"):
        raise statuses.bad_request(f"{_BAD}: start key {start} is not valid")
    return revision, prefix.rstrip("/") + start
