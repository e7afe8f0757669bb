"""A demo's ground with its service, for tests that push and look."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.cli import frame
from console.cli.main import group
from console.demo import forge, ground, product
from console.demo.product import Service, until
from lockstep.engine import listing
from lockstep.engine.tables import State
from lockstep.store import database as databases
from lockstep.store import mirrors
from lockstep.store.views import drift as views

# A short lease: what a killed process had in hand is taken over soon.
OPTIONS = ("--lease", "2")


@dataclass(slots=True)
class Bench:
    """Three sites, a forge and a service that can be killed and started again."""

    ground: ground.Ground
    service: Service

    def start(self, *, crash_at: str = "") -> None:
        """Start the service; with a crash point it dies there."""
        environ = {"LOCKSTEP_CRASH_AT": crash_at} if crash_at else {}
        self.service.start(quiet=True, options=OPTIONS, environ=environ)
        forge.tell(
            self.ground.forge, url=f"{self.service.url}/hooks/forge", secret=self.ground.directory / "secrets/forge"
        )

    def push(self, message: str = "A change") -> str:
        """Push what the clone has; the commit."""
        return forge.push(self.ground.work, message=message)

    def ask(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Any:
        """A ``lockstep`` command in this process (a process for each would take most of the time); its JSON."""
        said = io.StringIO()
        places = ["--config", str(self.ground.config), "--state", str(self.ground.state)]
        command = [*places, *arguments, "-o", "json"]
        try:
            with contextlib.redirect_stdout(said):
                code = group.main(command, prog_name="lockstep", standalone_mode=False) or 0
        except frame.CommandError as error:
            code = error.code
        assert code in codes, (arguments, code, said.getvalue())
        return json.loads(said.getvalue() or "null")

    def runs(self) -> list[dict[str, Any]]:
        """The runs, the newest first."""
        found: list[dict[str, Any]] = self.ask("pipeline", "runs")
        return found

    def waiting(self, commit: str) -> dict[str, Any]:
        """The run of a commit, once it waits for a person."""

        def found() -> dict[str, Any] | None:
            return next((run for run in self.runs() if run["revision"] == commit and run["waiting"]), None)

        run: dict[str, Any] = until(f"the run of {commit[:12]} waits", found)
        return run

    def scans(self) -> list[views.Scan]:
        """The newest comparison of each pair, as the service stored it."""
        database = databases.open_database(f"sqlite:///{self.ground.state / 'lockstep.db'}")
        try:
            with database.read() as connection:
                return views.scans_of(connection)
        finally:
            database.close()

    def known(self) -> bool:
        """Whether the forge was looked at, and every site, before anybody pushed."""
        database = databases.open_database(f"sqlite:///{self.ground.state / 'lockstep.db'}")
        try:
            with database.read() as connection:
                return len(mirrors.standings(connection)) == len(ground.SITES)
        finally:
            database.close()

    def jobs(self) -> str:
        """The newest jobs, a line each."""
        database = databases.open_database(f"sqlite:///{self.ground.state / 'lockstep.db'}")
        try:
            with database.read() as connection:
                return "\n".join(map(str, listing.listing(connection, states=frozenset(State), most=40, before=None)))
        finally:
            database.close()

    def approve(self, run: str) -> None:
        """Approve what a run asks."""
        self.ask("pipeline", "approve", run, "--by", "kim")

    def ended(self, run: str) -> dict[str, Any]:
        """A run, once it has ended."""

        def found() -> dict[str, Any] | None:
            shown: dict[str, Any] = self.ask("pipeline", "show", run)
            return shown if shown["state"] == "ended" else None

        shown: dict[str, Any] = until(f"the run {run} has ended", found)
        return shown

    def goes_on(self) -> dict[str, Any] | None:
        """Approve whatever is asked; the newest run once it has ended."""
        for run in self.runs()[:1]:
            if run["waiting"]:
                self.approve(run["name"])
            if run["state"] == "ended":
                return run
        return None

    def goes_on_until_dead(self) -> bool:
        """Approve whatever is asked while the service lives; whether it is dead."""
        if self.service.ended is None:
            self.goes_on()
        return self.service.ended is not None

    def log(self, run: str) -> str:
        """The log of a run."""
        arguments = ["--config", str(self.ground.config), "--state", str(self.ground.state), "pipeline", "logs", run]
        done = subprocess.run([sys.executable, "-m", "console", *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    def deliver(self, message: str = "A change") -> dict[str, Any]:
        """Push, approve and see it through."""
        run = self.waiting(self.push(message))
        self.approve(run["name"])
        return self.ended(run["name"])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A walk that failed shows what the service said and which jobs there were: its folder is gone soon."""
    report = yield
    bench = getattr(item, "funcargs", {}).get("bench")
    if report.failed and call.when == "call" and isinstance(bench, Bench):
        report.sections += [("service", bench.service.last_words()), ("jobs", bench.jobs())]
    return report


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that runs other tests beside these takes its time."""
    monkeypatch.setattr(product, "_PATIENCE_SECONDS", 150.0)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """The example's ground; nothing runs yet."""
    made, _ = ground.prepare(tmp_path / "demo", app=None)
    service = Service(made)
    try:
        yield Bench(ground=made, service=service)
    finally:
        service.stop()


@pytest.fixture
def started(bench: Bench) -> Bench:
    """The example's ground with its service."""
    bench.start()
    return bench
