"""The wheel holds what running needs, and runs where nothing else is."""

from __future__ import annotations

import subprocess
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.ship import installing, walked

_PACKAGES = ("console", "drift", "lockstep", "pipelines", "sync", "webhooks")

# Whole walks, each after an installation: on a busy machine they take their time.
pytestmark = pytest.mark.timeout(900)


def _tracked(*folders: str) -> set[str]:
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders]
    names = subprocess.run(listed, cwd=installing.ROOT, check=True, capture_output=True, text=True).stdout
    return {name for name in names.split("\0") if name and (installing.ROOT / name).is_file()}


def test_the_wheel_holds_the_packages_and_the_examples_whole(wheel: Path) -> None:
    """Templates, catalogues, migrations and all: every file of the six packages, the examples, and nothing else."""
    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert held == _tracked(*_PACKAGES) | {f"console/{name}" for name in _tracked("examples")}


def test_the_wheel_says_that_it_is_not_for_an_index(wheel: Path) -> None:
    """Its top-level names are short: an index that reads classifiers refuses it, and pip refuses an old Python."""
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        (metadata,) = (opened.read(name) for name in names if name.endswith(".dist-info/METADATA"))
        (entries,) = (opened.read(name) for name in names if name.endswith(".dist-info/entry_points.txt"))
    said = message_from_bytes(metadata)
    assert "Private :: Do Not Upload" in said.get_all("Classifier", [])
    assert said["Requires-Python"] == ">=3.11"
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert b"lockstep = console.cli.main:main" in entries


def test_the_installed_wheel_walks_the_demo(wheel: Path, wheels: installing.Wheels, tmp_path: Path) -> None:
    """In an empty environment and from another folder: what the metadata asks for is all that it needs."""
    environment = installing.Environment(folder=tmp_path / "environment")
    environment.install(wheel, wheels=wheels.fetch())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    walked.check(environment.run("lockstep", "demo", "--exit", "-o", "json", cwd=elsewhere))
    assert not list(elsewhere.iterdir()), "the demo left something behind"
