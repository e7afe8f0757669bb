"""The bars of git's transfers."""

from __future__ import annotations

import io
import threading

import pytest
from rich.console import Console
from rich.progress import Progress

from console.cli import acting, moving
from lockstep.sites.ends import Movement, Stage
from sync.outcomes import SiteOutcome
from sync.states import State

MIB = 2**20


def _drawn(progress: Progress) -> str:
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    console.print(progress.get_renderable())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def progress() -> Progress:
    """Bars that are drawn when they are asked for."""
    return Progress(*acting.progress(*acting.of_amounts()).columns, auto_refresh=False)


def _ended(site: str) -> SiteOutcome:
    return SiteOutcome(repository="bank/pay", site=site, state=State.EQUAL)


def test_each_place_has_a_bar_while_something_moves_there(progress: Progress) -> None:
    """What it does, how much of it, and no longer than it lasts."""
    bars = moving.Bars(progress, "mirroring git")
    bars.moved("bank/pay", "", Movement(stage=Stage.RECEIVING, done=12, total=100, size=34 * MIB))
    assert "bank/pay from its source: receiving" in _drawn(progress)
    assert "34.0 MiB" in _drawn(progress)
    bars.moved("bank/pay", "", Movement(stage=Stage.RESOLVING, done=1, total=9))
    bars.moved("bank/pay", "sejong", Movement(stage=Stage.COPYING, done=MIB, total=4 * MIB, size=MIB))
    drawn = _drawn(progress)
    assert "receiving" not in drawn
    assert "bank/pay from its source: resolving" in drawn
    assert "1 of 9" in drawn
    assert "bank/pay to sejong: copying" in drawn
    assert "1.0 MiB of 4.0 MiB" in drawn
    bars.ended(_ended("sejong"))
    assert "bank/pay" not in _drawn(progress)
    assert "1 done" in _drawn(progress)


def test_a_hostile_figure_or_name_draws_nothing_but_text(progress: Progress) -> None:
    """More done than there is, markup and codes of a terminal in a name: a bar that is full, and their characters."""
    bars = moving.Bars(progress, "mirroring git")
    bars.moved("[bold]pay\x1b[2J", "x", Movement(stage=Stage.WRITING, done=10**12, total=1, size=10**15))
    drawn = _drawn(progress)
    assert r"[bold]pay\x1b[2J to x: writing" in drawn
    assert "\x1b[2J" not in drawn


def test_bars_are_told_from_many_threads(progress: Progress) -> None:
    """Each site has a thread of its own."""
    bars = moving.Bars(progress, "mirroring git")

    def tell(site: str) -> None:
        for done in range(50):
            bars.moved("bank/pay", site, Movement(stage=Stage.WRITING, done=done, total=50, size=done))
        bars.ended(_ended(site))

    threads = [threading.Thread(target=tell, args=(f"site{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "8 done" in _drawn(progress)
    assert len(progress.tasks) == 1


@pytest.mark.parametrize(
    ("movement", "speed", "words"),
    [
        (Movement(stage=Stage.COUNTING, done=7, total=0), 0.0, "7"),
        (Movement(stage=Stage.RESOLVING, done=7, total=9), 5.0, "7 of 9"),
        (Movement(stage=Stage.RECEIVING, done=7, total=9, size=3 * MIB), 0.0, "3.0 MiB"),
        (Movement(stage=Stage.RECEIVING, done=7, total=9, size=3 * MIB), 1536.0, "3.0 MiB, 1.5 KiB/s"),
        (
            Movement(stage=Stage.COPYING, done=512, total=2**30, size=512), 100.0,
            "512 bytes of 1.0 GiB, 100 bytes/s",
        ),
    ],
)  # fmt: skip
def test_an_amount_is_bytes_where_bytes_move(movement: Movement, speed: float, words: str) -> None:
    """And objects where git counts objects."""
    assert moving.amount(movement, speed) == words
