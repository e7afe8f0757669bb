"""What all commands share: where things are, how results are written, how errors end.

This is the only module that reads the environment.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson

from console.cli import terminal
from lockstep import documents, errors, settings
from lockstep.values import Json

_STALE_SECONDS = settings.Serving().stale_seconds
Command = TypeVar("Command", bound=Callable[..., Any])


class Exit(IntEnum):
    """Exit codes that mean the same for every command."""

    DONE = 0
    USAGE = 64  # EX_USAGE of sysexits.h
    UNEXPECTED = 70  # EX_SOFTWARE of sysexits.h


class CommandError(click.ClickException):
    """An error of ours on its way out, with the exit code that its command gives it."""

    def __init__(self, error: errors.LockstepError, exit_code: int) -> None:
        super().__init__(str(error))
        self.code = exit_code

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - click's own signature
        """To stderr, in red when a person is looking."""
        terminal.say(self.message, lead="error:", style="bold red")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where this command finds its configuration, state and database; evidence is stale after ``stale_seconds``."""

    places: settings.Places
    environ: Mapping[str, str]
    stale_seconds: float


def environment() -> dict[str, str]:
    """The environment, read once, here."""
    return dict(os.environ)


def outermost(function: Command) -> Command:
    """Give the whole command line where things are and how old evidence may be, or what the environment says."""
    stale = click.option(
        "--stale-after",
        metavar="SECONDS",
        envvar="LOCKSTEP_STALE_AFTER",
        type=click.FloatRange(1.0, 86_400.0),
        help="Evidence that is older proves nothing: it is Unknown. The same for the service and for every command.  "
        f"[default: {_STALE_SECONDS:g}]",
    )
    return _options(stale(function), environ=True)


def common(function: Command) -> Command:
    """Give a command the same three, from its arguments alone: the environment never overrules ``outermost``."""
    return _options(function, environ=False)


def _options(function: Command, *, environ: bool) -> Command:
    for option in (
        click.option(
            "--state",
            metavar="DIR",
            envvar="LOCKSTEP_STATE" if environ else None,
            type=click.Path(file_okay=False, path_type=Path),
            help="Where caches and workspaces are kept.  [default: .lockstep in the configuration]",
        ),
        click.option(
            "--database",
            metavar="URL",
            envvar="LOCKSTEP_DATABASE" if environ else None,
            help="sqlite:///FILE or postgresql://USER@HOST/NAME.  [default: lockstep.db in the state]",
        ),
        click.option(
            "--config",
            metavar="DIR",
            envvar="LOCKSTEP_CONFIG" if environ else None,
            type=click.Path(file_okay=False, path_type=Path),
            help="The configuration.  [default: this directory]",
        ),
    ):
        function = option(function)
    return function


def placed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand a command its ``Frame`` in the place of the three options of ``common``; to be written below it."""

    @functools.wraps(function)
    def called(*args: Any, config: Path | None, database: str | None, state: Path | None, **kwargs: Any) -> Any:
        return function(frame(config, database, state), *args, **kwargs)

    return called


def frame(config: Path | None, database: str | None, state: Path | None) -> Frame:
    """Where things are: what the command was given, else what the group was given, else the defaults."""
    outer: dict[str, Any] = click.get_current_context().find_root().params
    config = (config or outer.get("config") or Path()).absolute()
    state = (state or outer.get("state") or config / ".lockstep").absolute()
    database = database or outer.get("database") or f"sqlite:///{state / 'lockstep.db'}"
    return Frame(
        places=settings.Places(config=config, state=state, database=database),
        environ=environment(),
        stale_seconds=outer.get("stale_after") or _STALE_SECONDS,
    )


def output(*formats: str) -> Callable[[Command], Command]:
    """Give a command ``-o``; the first format is the default."""
    return click.option(
        "-o",
        "--output",
        "form",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How the result is written.",
    )


def write_json(value: Json) -> None:
    """A result for a program, on stdout."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def write_yaml(value: Json) -> None:
    """A result as YAML, on stdout."""
    click.echo(documents.dump(value), nl=False)
