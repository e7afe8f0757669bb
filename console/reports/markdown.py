"""A report as Markdown (CommonMark with GitHub's tables): for a pull request, an issue, a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from console import foreseen
from console.language import Catalogue
from console.reports.telling import Cell, Telling, by_object
from drift.report import Compared, Entry, Report

# What CommonMark, GitHub's tables and HTML give a meaning to.
_MEANING = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@-])")


def write(report: Report, catalogue: Catalogue) -> str:
    """The report, as Markdown that ends with a line break."""
    return "\n".join(_lines(Telling(report, catalogue))) + "\n"


def _lines(telling: Telling) -> Iterator[str]:
    report = telling.report
    yield f"# {telling.gettext('Drift report')}"
    yield ""
    yield " · ".join(telling.sums())
    for one in report.compared:
        yield from _comparison(telling, one)
    for application, pair in report.uncompared:
        yield f"\n## {escaped(f'{application}: {pair}')}\n\n**{telling.gettext('Never compared')}**"
    if endings := telling.endings():
        yield f"\n## {telling.gettext('Certificates')}\n"
        yield from (f"- {escaped(sentence)}" for sentence in endings)
    if report.rules:
        yield f"\n## {telling.gettext('Rules')}\n"
        yield from (
            f"- **{escaped(one.rule)}** ({escaped(one.problem)}): {escaped(telling.wrong(one))}" for one in report.rules
        )


def _comparison(telling: Telling, one: Compared) -> Iterator[str]:
    report = telling.report
    yield f"\n## {escaped(telling.subject(one))}\n"
    yield f"**{telling.gettext(telling.word(one).label)}** · {escaped(' · '.join(telling.facts(one)))}"
    if one.problem:
        yield f"\n> {escaped(telling.problem(one))}"
    for sentence in telling.foreseen(one):
        yield f"\n{escaped(sentence)}"
    if sentences := telling.unwell(one):
        yield f"\n### {telling.gettext('Health')}\n"
        yield from (f"- {escaped(sentence)}" for sentence in sentences)
    for entries, title in (
        (report.differences, telling.gettext("Differences")),
        (report.declared, telling.gettext("Declared in git")),
        (report.explained, telling.gettext("Explained")),
    ):
        if found := report.of(one, entries):
            yield f"\n### {title}\n"
            yield from _table(telling, one, found)


def _table(telling: Telling, one: Compared, entries: Sequence[Entry]) -> Iterator[str]:
    columns = telling.columns(one, entries)
    words = (telling.gettext(name) for name in ("Verdict", foreseen.METHOD, "Since", "Why"))
    titles = [telling.gettext("Object"), telling.gettext("Field"), *(title for _, title in columns), *words]
    yield _row([escaped(title) for title in titles])
    yield _row(["---"] * len(titles))
    for name, found in by_object(entries):
        for entry in found:
            cells = telling.cells(entry)
            values = [_cell(cells[side]) for side, _ in columns]
            said = [telling.verdict(entry), telling.method(one, [entry]), telling.life(entry), telling.note(entry)]
            yield _row(
                [
                    escaped(name or entry.row.site),
                    code(telling.field(entry)),
                    *values,
                    *(escaped(text) for text in said),
                ]
            )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    if not cell.there:
        return f"*{escaped(cell.text)}*"
    return f"**{code(cell.text)}**" if cell.against == "git" else code(cell.text)


def escaped(text: str) -> str:
    """A text that means nothing but itself; blanks of any kind become one space."""
    return _MEANING.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """A text as code in a cell of a table: more backticks around it than inside; a bar is told by its escape."""
    text = " ".join(text.split()).replace("|", r"\|")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}" if text else ""
