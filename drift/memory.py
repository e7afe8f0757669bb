"""What was found to be equal before: an object that did not change is not looked at twice."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence


class Memory:
    """Remembers, by digest, slim forms whose normal forms were equal. Safe to share between threads.

    Only equality is remembered, and it is a fact of the forms and their schemas: it depends on no rule and no stance.
    """

    def __init__(self, *, most: int = 200_000) -> None:
        self._most = most
        self._equal: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def are_equal(self, forms: Sequence[bytes | None], *, schemas: bytes = b"") -> bool:
        """Whether some slim forms are known to be equal; None for a side that has no say.

        Args:
            forms: The slim forms of one object.
            schemas: Digest of the schemas by which they are completed.
        """
        present = {form for form in forms if form is not None}
        if len(present) < 2:
            return True
        digest = _digest(present, schemas)
        with self._lock:
            if digest not in self._equal:
                return False
            self._equal.move_to_end(digest)
            return True

    def remember(self, forms: Sequence[bytes | None], *, schemas: bytes = b"") -> None:
        """These slim forms have equal normal forms."""
        present = {form for form in forms if form is not None}
        if len(present) < 2:
            return
        with self._lock:
            self._equal[_digest(present, schemas)] = None
            if len(self._equal) > self._most:
                self._equal.popitem(last=False)


def _digest(forms: set[bytes], schemas: bytes) -> bytes:
    digest = hashlib.blake2b(schemas, digest_size=16)
    for form in sorted(forms):
        digest.update(len(form).to_bytes(8, "big"))
        digest.update(form)
    return digest.digest()
