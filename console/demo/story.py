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

from console.demo import forge, ground, hints
from console.demo.product import DemoError, Service, free_port, until, write_command
from console.demo.walk import Walk

_console = Console(stderr=True, highlight=False)
# Where the pages are when nobody else is there: an address that stays from one start to the next.
_PORT = 8484


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
            return Walk(ground=made, service=service, say=_say).all()
        finally:
            service.stop()


def keep_running(directory: Path, *, app: Path | None) -> int:
    """Start the demo, say what to try, and keep running until it is interrupted; the service's exit code."""
    made, new = _ground(directory, app=app)
    service = Service(made, port=free_port(_PORT))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        _say(f"{'Starting' if new else 'Starting again'} in {made.directory}: three sites, a forge, the service")
        service.start(quiet=True)
        _tell_forge(made, service)
        write_command(made)
        token = (made.state / "token").read_text(encoding="utf-8").strip()
        _say(hints.opening(made, url=service.url, token=token))
        if new:
            forge.push(made.work, message="The first version")
        _say(hints.to_try(made, url=service.url, run=_waiting(service, new=new)))
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


def _waiting(service: Service, *, new: bool) -> str:
    """The name of the newest run when it waits for a person; of a new demo, once it does. Empty when it ended."""

    def newest() -> dict[str, Any] | None:
        runs = service.ask("/runs?limit=1")["items"]
        if not runs:
            return None if new else {}
        settled = not new or runs[0]["waiting"] or runs[0]["state"] == "ended"
        return runs[0] if settled else None

    run = until("the first run waits or has ended", lambda: [found] if (found := newest()) is not None else [])[0]
    return str(run["name"]) if run.get("waiting") else ""


def _say(text: str) -> None:
    # Lines are for copying: a terminal may fold one, nobody may break it.
    _console.print(text, markup=False, soft_wrap=True)
