"""Requests to send to two servers, one after the other: each scenario is a function of a namespace that nobody has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request; a word of ``asking.KINDS`` in place of a method is a patch of that kind."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    until: int = 0
    """The status to wait for, where a server does something by itself."""

    def by(self, user: str) -> Step:
        """The same, asked as somebody else."""
        headers = {**self.headers, "Impersonate-User": user}
        return Step(method=self.method, path=self.path, body=self.body, headers=headers, until=self.until)


Scenario = Callable[[str], list[Step]]


def get(path: str, *, until: int = 0) -> Step:
    """Read."""
    return Step(method="GET", path=path, until=until)


def create(path: str, body: Any) -> Step:
    """Create in a collection."""
    return Step(method="POST", path=path, body=body)


def replace(path: str, body: Any) -> Step:
    """Put in the place of what is there."""
    return Step(method="PUT", path=path, body=body)


def delete(path: str, body: Any = None) -> Step:
    """Delete one, or all of a collection."""
    return Step(method="DELETE", path=path, body=body)


def apply(path: str, body: Any, *, manager: str = "lockstep", options: str = "") -> Step:
    """Apply server-side."""
    return Step(method="APPLY", path=f"{path}?fieldManager={manager}{options}", body=body)


def merge(path: str, body: Any) -> Step:
    """Send a merge patch."""
    return Step(method="MERGE", path=f"{path}?fieldManager=hand", body=body)


def strategic(path: str, body: Any) -> Step:
    """Send a strategic merge patch."""
    return Step(method="STRATEGIC", path=f"{path}?fieldManager=hand", body=body)


def json_patch(path: str, *operations: Any) -> Step:
    """Send a JSON patch."""
    return Step(method="JSON", path=f"{path}?fieldManager=hand", body=list(operations))


def namespace(name: str, **labels: str) -> list[Step]:
    """A namespace, with the account that Pods need."""
    return [
        create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}}),
        create(f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": "default"}}),
    ]


POD = {"containers": [{"name": "c", "image": "x"}]}
SELECTOR = {"matchLabels": {"a": "b"}}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
