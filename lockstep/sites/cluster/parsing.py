"""JSON of an API server as plain values, without the garbage collector in between.

A page of a list makes tens of thousands of objects at once, none of which can be in a circle. Up to Python 3.11 the
collector looks at them again and again while they are made, which takes longer than to make them; later versions
wait by themselves until the parser is done.
"""

from __future__ import annotations

import orjson

from lockstep import collector
from lockstep.values import Json


def loads(text: bytes) -> Json:
    """The value that a JSON text stands for.

    Raises:
        orjson.JSONDecodeError: It is none.
    """
    # The parser holds the interpreter until it is done, so nobody waits meanwhile.
    with collector.held():
        return orjson.loads(text)
