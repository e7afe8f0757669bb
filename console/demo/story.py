"""The two ways to see the demo: walked alone, or kept running for a person."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from console.demo import forge, ground
from console.demo.product import DemoError, Service, shown_command
from console.demo.walk import Walk

_console = Console(stderr=True, highlight=False)


def walk(directory: Path | None, *, app: Path | None) -> dict[str, Any]:
    """Walk one push all the way through in a new directory; what was seen.

    Raises:
        DemoError: It did not go as it should; the directory is kept when the caller named it.
    """
    with _directory(directory) as place:
        made = _prepare(place, app=app)
        service = Service(made)
        service.start(quiet=True)
        try:
            _tell_forge(made, service)
            return Walk(ground=made, say=_say).all()
        finally:
            service.stop()


def keep_running(directory: Path, *, app: Path | None) -> int:
    """Start the demo, say what to try, and keep running until it is interrupted; the service's exit code."""
    made, new = _ground(directory, app=app)
    service = Service(made)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        service.start(quiet=True)
        _tell_forge(made, service)
        if new:
            forge.push(made.work, message="The first version")
        _console.print(_what_to_try(made, service))
        return service.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        service.stop()


def _ground(directory: Path, *, app: Path | None) -> tuple[ground.Ground, bool]:
    try:
        return ground.prepare(directory.absolute(), app=app)
    except ValueError as error:
        raise DemoError(str(error)) from error


def _prepare(directory: Path, *, app: Path | None) -> ground.Ground:
    made, new = _ground(directory, app=app)
    if not new:
        raise DemoError(f"{directory} holds a demo already; --exit walks in a new directory")
    return made


def _tell_forge(made: ground.Ground, service: Service) -> None:
    forge.tell(made.forge, url=f"{service.url}/hooks/forge", secret=made.directory / "secrets" / "forge")


@contextlib.contextmanager
def _directory(named: Path | None) -> Iterator[Path]:
    if named:
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="lockstep-demo-", ignore_cleanup_errors=True) as made:
        yield Path(made) / "demo"


def _say(line: str) -> None:
    _console.print(line, markup=False)


def _what_to_try(made: ground.Ground, service: Service) -> str:
    token = (made.state / "token").read_text(encoding="utf-8").strip()
    command = shown_command(made)
    name = made.application
    return f"""
[bold]Lockstep runs.[/] Three sites, a forge and the application [bold]{name}[/] are in {made.directory}

  pages     {service.url}
  token     {token}

The first version was pushed; its run waits for approval. Try:

  approve   {service.url}/runs, or  {command} pipeline runs
            {command} pipeline approve RUN --by YOU
  look      {command} drift
  clone     git clone {made.forge} && cd {name}
  edit      change a manifest, git commit, git push: watch the run
  tamper    edit a file below {made.site("sejong") / "cluster"}, then look again
  hot fix   edit a file below {made.site("seoul") / "cluster"}: DR would start without it
  heal      {command} deploy {name} --site sejong

Ctrl-C ends it; the same command starts it again where it stood.
"""
