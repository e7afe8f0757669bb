"""A preflight's report for the terminal: the verdict and why, what is open, and what is not covered."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from console.language import Catalogue, mark
from console.reports.preflight.telling import Told
from console.reports.telling import visible
from console.words import Word
from lockstep.values import Json

_STYLES = {"good": "green", "note": "blue", "warn": "yellow", "bad": "bold red", "unknown": "magenta", "busy": "cyan"}
_INDENT = (0, 0, 0, 2)


def write(report: Json, catalogue: Catalogue) -> Group:
    """The report, to be printed."""
    return Group(*_parts(Told(report=report, catalogue=catalogue)))


def _parts(told: Told) -> Iterator[RenderableType]:
    report = told.report
    yield Text.assemble(
        (told.word(told.verdict), _STYLES[told.verdict.tone]),
        (f"  {visible(report['scope']['pair'])}  {told.direction}", "bold"),
        (f"  {told.moment(report['generatedAt'])}", "dim"),
    )
    yield Padding(Text(told.summary), _INDENT)
    yield from (Padding(Text(f"- {line}"), _INDENT) for line in told.reasons)
    if told.open:
        yield Text("")
        yield _findings(told)
    if told.uncovered:
        yield Text("")
        yield Text(told.text(mark("Not covered")), style="bold")
        names = [f"{check} {told.title(check)} ({why})" for check, why in told.uncovered]
        yield from (Padding(Text(name, style="dim"), _INDENT) for name in names)
    yield Text("")
    counted = [f"{count} {told.word(word)}" for word, count in told.counted]
    yield Text(" · ".join([*counted, f"sha256:{report['sha256']}"]), style="dim")


def _findings(told: Told) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(told.text(mark("Check")), no_wrap=True)
    table.add_column(told.text(mark("Outcome")), no_wrap=True)
    table.add_column(told.text(mark("Where")), overflow="fold")
    table.add_column(told.text(mark("What")), overflow="fold")
    table.add_column(told.text(mark("What to do")), overflow="fold")
    for record in told.open:
        outcome, severity = told.outcome(record), told.severity(record)
        table.add_row(
            Text(record["check"]),
            Text.assemble((told.word(outcome), _style(outcome)), (f" {told.word(severity)}", "dim")),
            Text(told.place(record)),
            Text(told.said(record["message"])),
            Text(told.said(record["fix"]), style="dim"),
        )
    return table


def _style(word: Word) -> str:
    return _STYLES[word.tone]
