"""A client that shows answers as they are, and what of them is the same on every server."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support import apiserver

KINDS = {
    "APPLY": "application/apply-patch+yaml",
    "MERGE": "application/merge-patch+json",
    "STRATEGIC": "application/strategic-merge-patch+json",
    "JSON": "application/json-patch+json",
}
"""Patches, by the words that tests have for them in place of a method."""

_VOLATILE = {"uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "time", "selfLink"}
_VOLATILE |= {"lastTransitionTime", "lastUpdateTime", "lastPhaseTransitionTime", "clusterIP", "nodePort", "continue"}
_UID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer; ``body`` is parsed where it is JSON."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(repr=False)


class Asker:
    """Sends whatever it is told to, as somebody."""

    def __init__(self, server: apiserver.Server, *, user: str = "admin") -> None:
        self.client = apiserver.client(server, user=user)

    def ask(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Said:
        """One request; a word of ``KINDS`` in place of the method is a patch of that kind."""
        kind = KINDS.get(method, "application/json")
        content = body if isinstance(body, str) else json.dumps(body) if body is not None else None
        sent = {"Content-Type": kind, "User-Agent": "asker/1", **(headers or {})}
        verb = "PATCH" if method in KINDS else method
        answer = self.client.request(verb, path, content=content, headers=sent)
        return said(answer)

    def lines(self, path: str) -> list[Any]:
        """The events of a watch, until its time is over."""
        with self.client.stream("GET", path) as stream:
            return [json.loads(line) for line in stream.iter_lines() if line]

    def close(self) -> None:
        """Close its connections."""
        self.client.close()


def said(answer: httpx.Response) -> Said:
    """An answer of a client."""
    parsed = answer.text.startswith(("{", "["))  # the index of /openapi/v3 is JSON that is called plain text
    return Said(status=answer.status_code, body=answer.json() if parsed else answer.text, headers=answer.headers)


def steady(value: Any, name: str = "") -> Any:
    """What is left of a body when the values are blanked out that differ from run to run."""
    if isinstance(value, dict):
        return {key: _steady(key, one) for key, one in value.items()}
    if isinstance(value, list):
        items = [steady(one, name) for one in value]
        if name == "causes":
            items = list({json.dumps(one, sort_keys=True): one for one in items}.values())
        unordered = name in {"managedFields", "causes"}
        return sorted(items, key=lambda one: json.dumps(one, sort_keys=True)) if unordered else items
    return _UID.sub("UID", value) if isinstance(value, str) else value


def _steady(name: str, value: Any) -> Any:
    if name == "clusterIPs" and value != ["None"]:
        return ["*"]
    if name in _VOLATILE and value not in (None, "", "None") and not isinstance(value, dict | list):
        return "*"
    return steady(value, name)
