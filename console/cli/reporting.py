"""What commands that report share: in which form, in which language, to which exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
from rich.console import RenderableType

from console import language, reports
from console.cli import frame, terminal
from drift.report import Report

FORMS = ("table", "json", "yaml", "markdown", "junit", "html")

Command = TypeVar("Command", bound=Callable[..., Any])


def options(function: Command) -> Command:
    """Give a command ``-o``, ``--lang`` and ``--all``."""
    function = click.option("--all", "everything", is_flag=True, help="List what may differ too, field by field.")(
        function
    )
    function = click.option(
        "--lang",
        type=click.Choice(list(language.LANGUAGES)),
        help="The language of tables, pages and Markdown.  [default: that of the terminal]",
    )(function)
    return frame.output(*FORMS)(function)


def emit(report: Report, *, form: str, lang: str, everything: bool) -> int:
    """Write a report to stdout; its exit code: 0 in step, 1 drift, 2 unknown."""
    catalogue = language.load()[lang]
    if form == "json":
        frame.write_json(report.to_json())
    elif form == "yaml":
        frame.write_yaml(report.to_json())
    elif form == "table":
        show(reports.table.write(report, catalogue, everything=everything))
    elif form == "junit":
        click.echo(reports.junit.write(report), nl=False)
    elif form == "markdown":
        click.echo(reports.markdown.write(report, catalogue), nl=False)
    else:
        click.echo(reports.page.write(report, catalogue), nl=False)
    return report.exit_code


def show(table: RenderableType) -> None:
    """To a terminal as it is; a pipe gets no blanks at the ends of lines, however wide the table is."""
    console = terminal.out()
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def chosen(lang: str | None, environ: Mapping[str, str]) -> str:
    """The language that was asked for, else that of the locale (POSIX, "Environment Variables"), else English."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environ[name] for name in names if environ.get(name)), "")
    return language.choose(lang, locale.partition(".")[0].partition("_")[0])
