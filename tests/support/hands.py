"""Somebody who types ``lockstep`` commands, in this process."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from console import cli
from console.demo import ground


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
class Hands:
    """They type on some ground, and read what the screen says."""

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
