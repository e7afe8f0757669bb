"""Subjects for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from console.notices.subject import About, Subject

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def finding(name: str = "web", *, weight: float = 0.8, **wishes: Any) -> Subject:
    """A finding of the application ``pay``."""
    known: dict[str, Any] = {
        "key": f"finding:{name}",
        "about": About.FINDING,
        "what": f"Deployment.apps pay/{name}",
        "weight": weight,
        "since": NOW,
        "page": "/findings?application=pay",
        "verdict": "StandbyDrift",
        "application": "pay",
        "pair": "seoul-sejong",
        "site": "sejong",
        "field": "spec.replicas",
    }
    return Subject(**(known | wishes))
