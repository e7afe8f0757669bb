"""How far transfers of git are: told to whoever looks, and now and then to the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from lockstep import clock
from lockstep.sites.ends import LargeFile, Movement, Stage

_log = logging.getLogger(__name__)

Moving = Callable[[str, str, Movement], None]
"""Is told of a repository and a site (``""``: the source) how far the transfer with it is, in any thread."""

Heard = Callable[[Movement], None]
"""Is told of one transfer how far it is."""

# A transfer that takes longer than this is told of in the log, and again after as long. Seconds.
_EVERY = 10.0
_MIB = 2**20


def at(moving: Moving | None, repository: str, site: str) -> Heard | None:
    """Who is told of one transfer; None when nobody is, so that git need not say."""
    return partial(moving, repository, site) if moving else None


def both(one: Moving, other: Moving) -> Moving:
    """Tells two of the same."""

    def told(repository: str, site: str, movement: Movement) -> None:
        one(repository, site, movement)
        other(repository, site, movement)

    return told


class Logged:
    """Writes to the log how far long transfers are; a short one leaves no line."""

    def __init__(self, time: clock.Clock) -> None:
        self._clock = time
        self._lock = threading.Lock()
        self._since: dict[tuple[str, str], float] = {}

    def __call__(self, repository: str, site: str, movement: Movement) -> None:
        """Implements ``Moving``."""
        now = self._clock.monotonic()
        with self._lock:
            if now - self._since.setdefault((repository, site), now) < _EVERY:
                return
            self._since[repository, site] = now
        place = site or "its source"
        _log.info("%s, %s: %s %s", repository, place, movement.stage.value, said(movement))


def said(movement: Movement) -> str:
    """A movement in words: ``34 % of 1200 objects, 12.5 MiB``."""
    if movement.stage is Stage.COPYING:
        return f"{movement.done / _MIB:.1f} of {movement.total / _MIB:.1f} MiB"
    count = f"{100 * movement.done // movement.total} % of {movement.total}" if movement.total else f"{movement.done}"
    moved = f", {movement.size / _MIB:.1f} MiB" if movement.size else ""
    return f"{count} objects{moved}"


class Counted:
    """Counts the bytes of some large files on their way, whichever thread carries them."""

    def __init__(self, files: Iterable[LargeFile], heard: Heard | None) -> None:
        self._total = sum(file.size for file in files)
        self._heard = heard
        self._lock = threading.Lock()
        self._done = 0

    def through(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks, each counted once it was taken."""
        for chunk in chunks:
            yield chunk
            if self._heard:
                with self._lock:
                    self._done += len(chunk)
                    self._heard(Movement(stage=Stage.COPYING, done=self._done, total=self._total, size=self._done))
