"""The product from outside: its service as a process, its command line, its pages over HTTP."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from console.demo.ground import Ground

# A machine under load takes its time; a demo that gives up too early teaches the wrong thing.
_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.15
_LAST_LINES = 20


class DemoError(Exception):
    """The walk did not go as it should; the message says where it stopped and what was seen."""


class Service:
    """``lockstep serve`` in a process of its own."""

    def __init__(self, ground: Ground, *, port: int = 0) -> None:
        self.ground = ground
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, quiet: bool, options: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> None:
        """Start it and wait until it is ready.

        Args:
            quiet: Whether what it says goes to ``service.log`` instead of the terminal.
            options: More options for ``lockstep serve``.
            environ: More variables for its environment.

        Raises:
            DemoError: It ended, or did not become ready.
        """
        log = (self.ground.directory / "service.log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [*_command(self.ground), "serve", "--listen", f"127.0.0.1:{self.port}", *options],
                env={**_environment(), **(environ or {})},
                stdout=log if quiet else None,
                stderr=log if quiet else None,
                stdin=subprocess.DEVNULL,
            )
        until("the service is ready", self._ready)

    def _ready(self) -> bool:
        process = self._process
        if process is None or process.poll() is not None:
            raise DemoError(f"the service ended at once. What it said last:\n{self.last_words()}")
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:  # noqa: S310 - our own loopback URL
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def ask(self, path: str) -> Any:  # JSON of any shape
        """What its API says below ``/api/v1``: a question that is asked often costs no process.

        Raises:
            DemoError: It did not answer.
        """
        token = (self.ground.state / "token").read_text(encoding="utf-8").strip()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - our own loopback URL
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310 - see above
                return json.load(answer)
        except OSError as error:
            raise DemoError(f"the service does not answer {path}: {error}. It said:\n{self.last_words()}") from error

    def last_words(self) -> str:
        """The last lines of its log."""
        # The directory may be a temporary one, which is gone before anybody can look.
        said = (self.ground.directory / "service.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(said.splitlines()[-_LAST_LINES:]) or "nothing"

    @property
    def ended(self) -> int | None:
        """Its exit code (minus the number of the signal that killed it); None while it runs."""
        return self._process.poll() if self._process else None

    def wait(self) -> int:
        """Wait until it ends; its exit code."""
        return self._process.wait() if self._process else 0

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def free_port(wished: int = 0) -> int:
    """A port where nobody listens: the one that is wished for, when it is free."""
    with socket.socket() as probe:
        # As a server binds: a port that the one before has just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wished))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment() -> dict[str, str]:
    """This process's, without what names another installation: the demo is never let loose on somebody's database."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOCKSTEP_")}


def _command(ground: Ground) -> list[str]:
    return [sys.executable, "-m", "console", "--config", str(ground.config), "--state", str(ground.state)]


def write_command(ground: Ground) -> None:
    """Put the command line into the demo's directory as a program, for a reader who has it on no PATH."""
    program, *options = _command(ground)
    # -P: a directory of that name where the reader happens to stand is not what is meant.
    ground.command.write_text(f'#!/bin/sh\nexec {shlex.join([program, "-P", *options])} "$@"\n', encoding="utf-8")
    ground.command.chmod(0o755)


def lockstep(ground: Ground, *arguments: str, codes: tuple[int, ...] = (0,)) -> Any:  # JSON of any shape
    """Run a ``lockstep`` command with ``-o json``; what it printed, parsed.

    Args:
        ground: Whose configuration and state.
        arguments: The command and its arguments.
        codes: The exit codes that are an answer.

    Raises:
        DemoError: It ended with another code.
    """
    done = subprocess.run(
        [*_command(ground), *arguments, "-o", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={**_environment(), "NO_COLOR": "1"},
    )
    if done.returncode not in codes:
        raise DemoError(f"lockstep {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def until(what: str, test: Callable[[], Any]) -> Any:  # whatever the test finds
    """Ask until there is an answer that is true; that answer.

    Raises:
        DemoError: There was none in time.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        if found := test():
            return found
        if time.monotonic() > deadline:
            raise DemoError(f"waited {_PATIENCE_SECONDS:.0f} s until {what}, in vain")
        time.sleep(_PAUSE_SECONDS)
