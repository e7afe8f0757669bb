"""Bars of git's transfers: one for each repository and place while something moves there, below the one for all."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from rich.progress import Progress, TaskID

from console.cli import terminal
from lockstep.sites.ends import Movement, Stage
from sync.outcomes import SiteOutcome

_STEPS = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
# The speed of less than this is a guess. Seconds.
_SOON = 0.5


@dataclass(slots=True)
class _Bar:
    task: TaskID
    stage: Stage
    since: float
    """When the stage began, as ``time.monotonic`` tells it, and how many bytes had gone by then."""
    before: int


class Bars:
    """Draws what transfers tell, whichever threads tell it.

    Args:
        progress: Where they are drawn, with ``amount`` among its columns.
        title: Of the bar for all, which counts the sites that are done.
    """

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._bars: dict[tuple[str, str], _Bar] = {}
        self._sites = 0
        self._all = progress.add_task(title, total=None, amount="")

    def moved(self, repository: str, site: str, movement: Movement) -> None:
        """A transfer has come this far. Implements ``sync.movements.Moving``."""
        with self._lock:
            bar = self._bars.get((repository, site))
            now = time.monotonic()
            if bar is None or bar.stage is not movement.stage:
                bar = self._begin(repository, site, movement, now)
            seconds = now - bar.since
            speed = (movement.size - bar.before) / seconds if seconds > _SOON else 0.0
            total = movement.total or None
            self._progress.update(
                bar.task, completed=min(movement.done, total or 0), total=total, amount=amount(movement, speed)
            )

    def ended(self, outcome: SiteOutcome) -> None:
        """Nothing more moves to this site."""
        with self._lock:
            self._sites += 1
            self._progress.update(self._all, amount=f"{self._sites} done")
            for place in ("", outcome.site):
                bar = self._bars.pop((outcome.repository, place), None)
                if bar is not None:
                    self._progress.remove_task(bar.task)

    def _begin(self, repository: str, site: str, movement: Movement, now: float) -> _Bar:
        place = f"to {site}" if site else "from its source"
        said = terminal.safe(f"  {repository} {place}: {movement.stage.value}")
        known = self._bars.get((repository, site))
        task = known.task if known else self._progress.add_task(said, amount="")
        self._progress.reset(task, description=said, total=movement.total or None, amount="")
        self._bars[repository, site] = _Bar(task, movement.stage, now, movement.size)
        return self._bars[repository, site]


def amount(movement: Movement, speed: float) -> str:
    """What has moved, how much of it, and how fast: ``340.0 MiB of 1.0 GiB, 12.5 MiB/s``; objects where no bytes move.

    ``speed`` is in bytes a second, 0 where it is not known.
    """
    if not movement.size:
        return f"{movement.done} of {movement.total}" if movement.total else f"{movement.done}"
    whole = f" of {size(movement.total)}" if movement.stage is Stage.COPYING else ""
    return f"{size(movement.size)}{whole}" + (f", {size(speed)}/s" if speed else "")


def size(count: float) -> str:
    """Bytes, as git writes them: ``12.5 MiB``."""
    for step, unit in _STEPS:
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count:.0f} bytes"
