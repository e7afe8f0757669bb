"""What bytes were found to mean, kept so that equal bytes are parsed once.

Files that are looked at every minute hardly ever change. Keyed by content, so nothing can be out of date.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

import orjson

from lockstep.documents.packing import pack
from lockstep.documents.reader import read
from lockstep.values import Json


class Memory:
    """Values of documents by their bytes, the least recently used forgotten first. Safe between threads."""

    def __init__(self, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def values(self, data: bytes, *, file: str) -> list[Json]:
        """The values of every document of a file; each call gives values of its own.

        Raises:
            DocumentError: With file, line and column, at the first thing that is wrong.
        """
        key = hashlib.sha256(data).digest()
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
        if kept is None:
            kept = pack([document.value for document in read(data, file=file)])
            self._keep(key, kept)
        # Also the first time: what YAML's parser makes holds each name anew, in half as much memory again.
        found: list[Json] = orjson.loads(kept)
        return found

    def _keep(self, key: bytes, values: bytes) -> None:
        with self._lock:
            if key in self._kept or len(values) > self._most_bytes:
                return
            self._kept[key] = values
            self._bytes += len(values)
            while self._bytes > self._most_bytes:
                _, forgotten = self._kept.popitem(last=False)
                self._bytes -= len(forgotten)
