"""Values as bytes that are kept for long."""

from __future__ import annotations

import orjson

from lockstep.values import Json


def pack(value: Json) -> bytes:
    """A value as JSON in exactly as much memory as it takes.

    What orjson hands back keeps the room that it was written in, which is four times as much for a small object.

    Raises:
        TypeError: It has a number of more than 64 bits or half a surrogate, or is nested too deeply.
    """
    return bytes(memoryview(orjson.dumps(value)))
