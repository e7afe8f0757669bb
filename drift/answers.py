"""What servers answered to dry runs, remembered: of an object that did not change nobody is asked again.

An answer is about one object at one site: as git has it, and as it lived when the server was asked. It is kept in
memory only, Secrets sealed, because it holds whole objects.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from drift.normalise import reading
from lockstep.values import Json, ObjectKey

# What admits and changes objects at a site may change without any of them changing: an answer is no older. Seconds.
_DAY = 86_400.0
# A server that lacked something, or that failed, is asked again after this, and not by every comparison. Seconds.
_SOON = 300.0
_MINUTE = 60.0
# A site that did not answer is left alone for this long. Seconds.
_SILENCE = 30.0


class Said(Enum):
    """What became of the question what a server would make of an object. The values are those of ``-o json``."""

    ASKED = "asked"
    """It answered, or said what it would refuse to change."""
    FAILED = "failed"
    """It did not say: what it would have spoken of is Unknown."""
    NOT_PERMITTED = "notPermitted"
    """We may not ask."""
    NOT_SERVED = "notServed"
    """It does not know what git has, or nowhere to put it."""
    LEFT = "left"
    """Nobody asked: not now, or never at this site."""


_SECONDS = {Said.ASKED: _DAY, Said.FAILED: _MINUTE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What would a site's server make of an object? ``rendering`` is git's, as a digest.

    ``version`` says which live object it is, and how old; empty when its site does not say.
    """

    site: str
    key: ObjectKey
    rendering: bytes
    version: str

    @classmethod
    def of(cls, site: str, key: ObjectKey, wanted: dict[str, Json], live: dict[str, Json]) -> Question:
        """The question about an object as git has it and as it lives, Secrets sealed."""
        written = json.dumps(wanted, sort_keys=True).encode()
        version = reading.text(live, "metadata", "resourceVersion")
        return cls(
            site=site,
            key=key,
            rendering=hashlib.blake2b(written, digest_size=16).digest(),
            version=f"{reading.text(live, 'metadata', 'uid')}/{version}" if version else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said. ``packed`` is the object as it would be; empty where it failed, or would refuse: ``why``."""

    said: Said
    packed: bytes = b""
    why: str = ""

    @classmethod
    def made(cls, after: dict[str, Json]) -> Answer:
        """The object as the server would make it; a Secret is sealed."""
        metadata = {name: part for name, part in reading.mapping(after, "metadata").items() if name != "managedFields"}
        return cls(said=Said.ASKED, packed=zlib.compress(json.dumps({**after, "metadata": metadata}).encode(), 1))

    @property
    def after(self) -> dict[str, Json] | None:
        """The object as it would be; None when the server did not say."""
        if not self.packed:
            return None
        found: dict[str, Json] = json.loads(zlib.decompress(self.packed))
        return found


class Answers:
    """The answers of a process, shared by all its comparisons. Safe to share between threads.

    Args:
        most: How many answers are kept; those that were asked for last stay.
        most_bytes: How large they may be together.
        monotonic: Tells the time, in seconds.
    """

    def __init__(
        self,
        *,
        most: int = 50_000,
        most_bytes: int = 64 * 2**20,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: OrderedDict[Question, tuple[float, Answer]] = OrderedDict()
        self._bytes = 0
        self._rights: dict[tuple[str, str, str, str], tuple[float, bool]] = {}
        self._silent: dict[str, tuple[float, str]] = {}

    def find(self, question: Question) -> Answer | None:
        """What was answered; None when nobody knows any longer."""
        with self._lock:
            until, answer = self._kept.get(question, (0.0, None))
            if answer is None:
                return None
            if until <= self._monotonic():
                self._drop(question)
                return None
            self._kept.move_to_end(question)
            return answer

    def put(self, question: Question, answer: Answer) -> None:
        """Remember an answer, for as long as it may count."""
        with self._lock:
            self._drop(question)
            seconds = _SECONDS.get(answer.said, _SOON)
            self._kept[question] = self._monotonic() + seconds, answer
            self._bytes += len(answer.packed)
            while len(self._kept) > self._most or self._bytes > self._most_bytes:
                self._drop(next(iter(self._kept)))

    def may(self, site: str, key: ObjectKey, api_version: str) -> bool | None:
        """Whether we may ask about objects like this one; None when nobody knows now."""
        until, may = self._rights.get((site, api_version, key.kind, key.namespace), (0.0, False))
        return may if until > self._monotonic() else None

    def note_right(self, site: str, key: ObjectKey, api_version: str, *, may: bool) -> None:
        """Note whether we may ask about objects like this one."""
        now = self._monotonic()
        with self._lock:
            self._rights = {place: known for place, known in self._rights.items() if known[0] > now}
            self._rights[site, api_version, key.kind, key.namespace] = now + _SOON, may

    def silence(self, site: str) -> str:
        """Why a site is left alone now; empty when it is not."""
        until, why = self._silent.get(site, (0.0, ""))
        return why if until > self._monotonic() else ""

    def note_silence(self, site: str, why: str) -> None:
        """Note that a site did not answer."""
        with self._lock:
            self._silent[site] = self._monotonic() + _SILENCE, why

    def _drop(self, question: Question) -> None:
        _, gone = self._kept.pop(question, (0.0, None))
        if gone is not None:
            self._bytes -= len(gone.packed)
