"""``lockstep demo`` as a person has it in a terminal: what it says to try is tried, to the letter."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.demo import forge
from console.demo.ground import Ground
from console.demo.product import Service
from tests.walk.conftest import Bench

# A terminal that is too narrow for every line; lines are for copying, so none may be broken for it.
_ENVIRON = {**os.environ, "COLUMNS": "40"}


class Terminal:
    """Somebody who started the demo and reads what it says."""

    def __init__(self, directory: Path, process: subprocess.Popen[str]) -> None:
        self.ground = Ground(directory=directory, application="shop")
        self.process = process
        self.said: list[str] = []

    def read(self) -> list[str]:
        """What it says, up to how it ends."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))
            if line.startswith("Ctrl-C"):
                break
        return self.said

    def told(self, name: str) -> str:
        """What stands beside a word of the opening."""
        return next(line.split()[1] for line in self.said if line.split()[:1] == [name])

    def commands(self) -> list[str]:
        """The lines that are commands, as somebody would paste them."""
        return [line.split("$ ", 1)[1] for line in self.said if line.strip().startswith("$ ")]


@contextlib.contextmanager
def demo(directory: Path) -> Iterator[Terminal]:
    """``lockstep demo``, ended by SIGTERM."""
    command = [sys.executable, "-m", "console", "demo", "--directory", str(directory)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=_ENVIRON) as process:
        try:
            yield Terminal(directory, process)
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A place whose name a shell would take apart."""
    return tmp_path / "my demo"


def _paste(line: str, where: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as a shell does, from somewhere else."""
    return subprocess.run(["sh", "-c", line], cwd=where, env=_ENVIRON, capture_output=True, text=True, check=False)


def _until_deployed(bench: Bench, commit: str) -> None:
    """Approve the run of a commit as the text says, and see it through."""
    run = bench.waiting(commit)
    bench.approve(run["name"])
    assert bench.ended(run["name"])["reason"] == "Succeeded"


def test_what_the_demo_says_to_try_works_to_the_letter(directory: Path, tmp_path: Path) -> None:
    """Every line is pasted in its order: in step, a change delivered, drift found and healed, a hot fix found."""
    with demo(directory) as terminal:
        terminal.read()
        bench = Bench(ground=terminal.ground, service=Service(terminal.ground))
        with urllib.request.urlopen(f"{terminal.told('pages')}/healthz") as answer:
            assert answer.status == 200
        assert terminal.told("token") == (directory / "state" / "token").read_text(encoding="utf-8").strip()
        drifts: list[str] = []
        for line in terminal.commands():
            done = _paste(line, tmp_path)
            if " drift" in line:
                drifts.append(f"{done.returncode} " + " ".join(done.stdout.split()))
                continue
            assert done.returncode == 0, (line, done.stderr)
            if " approve " in line:
                bench.ended(line.split(" approve ")[1].split()[0])
            if line.endswith("push --quiet"):
                _until_deployed(bench, forge.git("rev-parse", "HEAD", cwd=directory / "mine"))
    in_step, tampered, hotfixed = drifts
    assert in_step.startswith("0 ")
    assert tampered.startswith("1 ")
    assert "data.GREETING" in tampered
    assert "Standby drift" in tampered
    assert hotfixed.startswith("1 ")
    assert "Primary hot fix" in hotfixed
    assert "data.GREETING" not in hotfixed


def test_a_demo_that_is_started_again_stands_where_it_stood(directory: Path) -> None:
    """Its first run still waits, at the same name and with the same token."""
    with demo(directory) as first:
        first.read()
    with demo(directory) as second:
        second.read()
    assert second.told("token") == first.told("token")
    assert first.commands()[0] == second.commands()[0]
    assert " approve " in first.commands()[0]
