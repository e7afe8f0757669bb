"""Bodies of posts, as forges and registries send them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

_FOLDER = Path(__file__).parents[1] / "webhooks" / "payloads"


def body(name: str) -> bytes:
    """A payload byte for byte, such as ``github/push-payload``."""
    return (_FOLDER / f"{name}.json").read_bytes()


def document(name: str) -> dict[str, Any]:
    """A payload to be changed by a test."""
    value: dict[str, Any] = orjson.loads(body(name))
    return value
