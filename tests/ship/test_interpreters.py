"""Every version of Python that the metadata names, as far as this machine has it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.ship import installing, walked

# Importing a migration's environment outside of a migration is an error by Alembic's design.
_IMPORT_ALL = """
import importlib, pkgutil
count = 0
for top in ("console", "drift", "lockstep", "pipelines", "sync", "webhooks"):
    for module in pkgutil.walk_packages(importlib.import_module(top).__path__, top + "."):
        if not module.name.endswith((".__main__", ".migrations.env")):
            importlib.import_module(module.name)
            count += 1
print(count)
"""

# Whole walks, each after an installation: on a busy machine they take their time.
pytestmark = pytest.mark.timeout(900)


def _named() -> list[str]:
    """The versions that the metadata names."""
    project = tomllib.loads((installing.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line) for line in project["classifiers"])
    return [match[1] for match in found if match]


def _others() -> dict[str, str]:
    """Those that are there and are not the one that runs this: version and program."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = {}
    for version in _named():
        programs = [f"python{version}", *map(str, sorted(pyenv.glob(f"{version}.*/bin/python")))]
        works = next((program for program in programs if _is(program, version)), None)
        if works and version != f"{sys.version_info.major}.{sys.version_info.minor}":
            found[version] = works
    return found


def _is(program: str, version: str) -> bool:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    return said.startswith(f"Python {version}.")


@pytest.mark.parametrize(("version", "python"), _others().items())
def test_other_interpreters_import_every_module_and_the_newest_walks(
    version: str, python: str, wheel: Path, wheels: installing.Wheels, tmp_path: Path
) -> None:
    """With warnings as errors; what the standard library changed shows where threads, databases and processes run."""
    environment = installing.Environment(folder=tmp_path / "environment", python=python)
    wheels.fetch()
    environment.install(wheel, wheels=wheels.fetch(version))
    assert int(environment.run("python", "-W", "error", "-c", _IMPORT_ALL, cwd=tmp_path)) > 100
    if version == max(_others(), key=lambda known: int(known.split(".")[1])):
        walked.check(environment.run("lockstep", "demo", "--exit", "-o", "json", cwd=tmp_path))
    else:
        environment.run("lockstep", "validate", str(installing.ROOT / "examples/shop/configuration"), cwd=tmp_path)
