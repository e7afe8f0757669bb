"""The wheel of this tree and the wheels that it needs, made once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.ship import installing


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=installing.ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> installing.Wheels:
    """The wheels of the lock file."""
    return installing.Wheels(folder=tmp_path_factory.mktemp("wheels"))
