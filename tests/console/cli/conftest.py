"""The ``lockstep`` command in this process, on the ground of the demo, without a service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from console.demo import forge, ground
from tests.support import hands


@dataclass(frozen=True, slots=True)
class Terminal(hands.Hands):
    """Somebody who types commands; every one finds the ground."""

    def push(self) -> str:
        """Push the application to its forge, which tells nobody; the commit."""
        return forge.push(self.ground.work, message="A change")


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """A terminal beside the example's ground."""
    made, _ = ground.prepare(tmp_path / "demo", app=None)
    return Terminal(made, monkeypatch, capsys)
