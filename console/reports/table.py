"""A report for the terminal: a table for each comparison, as wide as the terminal allows; colour is rich's affair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from console import words
from console.language import Catalogue
from console.reports.telling import Cell, Telling, by_object, called, visible, word_of
from drift.report import Compared, Entry, Report

# A tone is a colour beside a word, never instead of one.
_STYLES = {"good": "green", "note": "blue", "warn": "yellow", "bad": "bold red", "unknown": "magenta", "busy": "cyan"}
_INDENT = (0, 0, 0, 2)
_LONGEST = 80


def write(report: Report, catalogue: Catalogue, *, everything: bool = False) -> Group:
    """The report, to be printed.

    Args:
        report: What is told.
        catalogue: The reader's language.
        everything: Also what is declared and explained, field by field.
    """
    telling = Telling(report, catalogue)
    parts: list[RenderableType] = []
    for one in report.compared:
        parts += [*_comparison(telling, one, everything=everything), ""]
    never = telling.gettext(words.NEVER.label)
    parts += [
        Text.assemble((f"{visible(application)}: {visible(pair)}", "bold"), "  ", (never, _STYLES["unknown"]))
        for application, pair in report.uncompared
    ]
    parts += [_rule(telling, f"{one.rule}: {one.problem}. {telling.wrong(one)}") for one in report.rules]
    parts += [Text(sentence, style=_STYLES["warn"]) for sentence in telling.endings()]
    return Group(*parts, Text(" · ".join(telling.sums()), style="dim"))


def _comparison(telling: Telling, one: Compared, *, everything: bool) -> Iterator[RenderableType]:
    word = telling.word(one)
    yield Text.assemble(
        (telling.subject(one), "bold"),
        "  ",
        (telling.gettext(word.label), _STYLES[word.tone]),
        ("  " + " · ".join(telling.facts(one)), "dim"),
    )
    if one.problem:
        yield Padding(Text(telling.problem(one), style=_STYLES["unknown"]), _INDENT)
    for sentence in telling.unwell(one):
        yield Padding(Text(sentence, style=_STYLES["warn"]), _INDENT)
    for sentence in telling.foreseen(one):
        yield Padding(Text(sentence, style="dim"), _INDENT)
    report = telling.report
    told = [(report.differences, "")]
    if everything:
        told += [
            (report.declared, telling.gettext("Declared in git")),
            (report.explained, telling.gettext("Explained")),
        ]
    for entries, title in told:
        if found := telling.report.of(one, entries):
            if title:
                yield Padding(Text(title, style="italic"), (1, 0, 0, 2))
            yield Padding(_table(telling, one, found), _INDENT)
            yield from (Padding(note, _INDENT) for note in _notes(telling, one, found))


def _table(telling: Telling, one: Compared, entries: Sequence[Entry]) -> Table:
    left, right = (visible(site) for site in one.sites)
    columns = ["git", left, right] if one.application else [left, right]
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for title in (telling.gettext("Field"), *columns):
        table.add_column(title, overflow="fold")
    table.add_column(telling.gettext("Verdict"), no_wrap=True)
    has_life = any(telling.life(entry) for entry in entries)
    if has_life:
        table.add_column(telling.gettext("Since"))
    for name, found in by_object(entries):
        method = telling.method(one, found)
        subject = (name or visible(found[0].row.site), "bold")
        table.add_row(Text.assemble(subject, (f" · {method}" if method else "", "dim")))
        for entry in found:
            git_p, primary, git_d, standby = telling.cells(entry, longest=_LONGEST)
            git = [_git(one.sites, git_p, git_d)] if one.application else []
            life = [Text(telling.life(entry), style="dim")] if has_life else []
            table.add_row(
                Text(f"  {telling.field(entry)}"),
                *(*git, _cell(primary), _cell(standby)),
                Text(telling.verdict(entry), style=_style(entry)),
                *life,
            )
    return table


def _git(sites: tuple[str, str], truth: Cell, follower: Cell) -> Text:
    """What git says: once where it is the same for both sites."""
    if not follower.against:
        return _cell(truth)
    left, right = (visible(site) for site in sites)
    return Text.assemble((f"{left}: ", "dim"), _cell(truth), "\n", (f"{right}: ", "dim"), _cell(follower))


def _notes(telling: Telling, one: Compared, entries: Sequence[Entry]) -> Iterator[Text]:
    """Why it is so, below the table: sentences would make its columns wide."""
    for entry in entries:
        note = telling.note(entry)
        if note and not (entry.row.note and entry.row.note in one.problem):
            place = f"{called(entry.row.key)} {telling.field(entry)}: "
            yield Text.assemble((place, "dim"), note)


def _cell(cell: Cell) -> Text:
    if not cell.there:
        return Text(cell.text, style="dim red" if cell.against else "dim")
    return Text(cell.text, style=_STYLES["bad"] if cell.against == "git" else Style.null())


def _style(entry: Entry) -> str:
    return _STYLES[word_of(entry).tone] if entry.state == "open" else "dim"


def _rule(telling: Telling, text: str) -> Text:
    return Text.assemble((telling.gettext("Rule") + " ", _STYLES["warn"]), visible(text))
