"""Commands that act: through the running service when there is one, else by working themselves until it is done."""

from __future__ import annotations

import contextlib
import getpass
import time
from collections.abc import Callable, Iterator

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

from console import runtime, wiring
from console.cli import frame, terminal
from console.runtime import Runtime
from lockstep import settings
from lockstep.engine.worker import Worker
from lockstep.sites import stances

_POLL_SECONDS = 0.1
_BAR = 24


@contextlib.contextmanager
def opened(places: frame.Frame) -> Iterator[Runtime]:
    """A process for one command, its errors as the command line tells them."""
    chosen = settings.Settings(places=places.places, serving=settings.Serving(stale_seconds=places.stale_seconds))
    with runtime.opened(chosen, places.environ) as made:
        yield made


def agree(process: Runtime) -> None:
    """Bring the stances of all pairs together, as a service does again and again: a stance unknown holds everything."""
    if not process.served_elsewhere():
        stances.reconcile(process.database, process.doors, process.topology(), process.clock)


def until(process: Runtime, done: Callable[[], bool]) -> None:
    """Let work be done until this is true: by the service that runs, or here."""
    if process.served_elsewhere():
        while not done():
            time.sleep(_POLL_SECONDS)
        return
    agree(process)
    Worker(process.queue, wiring.handlers_of(process), working=process.settings.working).run_until(done)


def me() -> str:
    """Who is asking, as this machine knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def progress(*counted: ProgressColumn) -> Progress:
    """A progress bar for whoever is looking; nothing for a pipe. It may not be known yet how much there is to do.

    ``counted`` says how much is done; the number of things, when nothing does.
    """
    console = terminal.err()
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=_BAR),
        *(counted or (MofNCompleteColumn(),)),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def of_bytes() -> tuple[ProgressColumn, ...]:
    """Columns for something that is counted in bytes."""
    return DownloadColumn(), TransferSpeedColumn()


def of_amounts() -> tuple[ProgressColumn, ...]:
    """Columns for things that are counted in different ways: each says its ``amount``."""
    return (TextColumn("{task.fields[amount]}", markup=False),)
