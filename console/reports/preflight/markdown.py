"""A preflight's report as Markdown (CommonMark with GitHub's tables): for a ticket, a pull request, a wiki."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from console.language import Catalogue, mark
from console.reports.markdown import code, escaped
from console.reports.preflight.telling import Told
from lockstep.values import Json


def write(report: Json, catalogue: Catalogue) -> str:
    """The report, as Markdown that ends with a line break."""
    return "\n".join(_lines(Told(report=report, catalogue=catalogue))) + "\n"


def _lines(told: Told) -> Iterator[str]:
    report = told.report
    yield f"# {escaped(report['scope']['pair'])}: {told.word(told.verdict)}"
    yield ""
    yield f"{escaped(told.summary)} · {escaped(told.direction)} · {escaped(told.moment(report['generatedAt']))}"
    yield ""
    yield from (f"- {escaped(line)}" for line in told.reasons)
    if told.open:
        yield f"\n## {told.text(mark('What is open'))}\n"
        titles = (mark("Check"), mark("Outcome"), mark("Where"), mark("What"), mark("What to do"))
        yield _row(*(told.text(title) for title in titles))
        yield _row(*["---"] * len(titles))
        yield from (_finding(told, one) for one in told.open)
    if told.uncovered:
        yield f"\n## {told.text(mark('Not covered'))}\n"
        yield from (f"- {check} {escaped(told.title(check))}: {escaped(why)}" for check, why in told.uncovered)
    yield ""
    yield f"{escaped(report['id'])} · SHA-256 {code(report['sha256'])}"


def _finding(told: Told, one: Mapping[str, Json]) -> str:
    outcome = f"{told.word(told.outcome(one))} ({told.word(told.severity(one))})"
    return _row(
        str(one["check"]),
        escaped(outcome),
        code(told.place(one)),
        escaped(told.said(one["message"])),
        escaped(told.said(one["fix"])),
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
