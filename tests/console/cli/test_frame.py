"""Where a command finds its configuration, state and database."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.demo import ground
from tests.console.cli.conftest import Terminal


@pytest.mark.parametrize("before", [True, False])
def test_what_is_typed_is_stronger_than_the_environment(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: bool
) -> None:
    """Before the command or after it: an image that names a folder in its environment does not overrule a person."""
    other, _ = ground.prepare(tmp_path / "other", app=None)
    named = ("--config", str(other.config), "--state", str(other.state))
    monkeypatch.setenv("LOCKSTEP_CONFIG", str(tmp_path / "nowhere"))
    monkeypatch.setenv("LOCKSTEP_STATE", str(tmp_path / "nowhere"))
    said = terminal.types("pair", "show", "-o", "json") if before else terminal.types("pair", "show", *named)
    assert said.code == 0, said.err
    assert not (tmp_path / "nowhere").exists()
