"""JSON of an API server as plain values, without the garbage collector in between.

A page of a list makes tens of thousands of objects at once, none of which can be in a circle. Up to Python 3.11 the
collector looks at them again and again while they are made, which takes longer than to make them; later versions
wait by themselves until the parser is done.
"""

from __future__ import annotations

import gc
import threading

import orjson

from lockstep.values import Json

_alone = threading.Lock()


def loads(text: bytes) -> Json:
    """The value that a JSON text stands for.

    Raises:
        orjson.JSONDecodeError: It is none.
    """
    # The parser holds the interpreter until it is done, so waiting for each other costs nothing; without it, one
    # thread could find the collector stopped by another and leave it so.
    with _alone:
        was_running = gc.isenabled()
        gc.disable()
        try:
            return orjson.loads(text)
        finally:
            if was_running:
                gc.enable()
