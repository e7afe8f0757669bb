"""The ``lockstep`` command in this process, on the ground of the demo, without a service."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console import cli
from console.demo import forge, ground


@dataclass(frozen=True, slots=True)
class Said:
    """What a command did: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its result."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Terminal:
    """Somebody who types commands; every one finds the ground."""

    ground: ground.Ground
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def types(self, *arguments: str) -> Said:
        """Run one command."""
        self.capsys.readouterr()
        places = ["--config", str(self.ground.config), "--state", str(self.ground.state)]
        self.monkeypatch.setattr(sys, "argv", ["lockstep", *places, *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = self.capsys.readouterr()
        return Said(code=int(ended.value.code or 0), out=out, err=err)

    def push(self) -> str:
        """Push the application to its forge, which tells nobody; the commit."""
        return forge.push(self.ground.work, message="A change")


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal beside the example's ground."""
    made, _ = ground.prepare(tmp_path / "demo", app=None)
    return Terminal(made, monkeypatch, capsys)
