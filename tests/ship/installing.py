"""Empty environments, and what the lock file puts into them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheels:
    """Wheels of the lock file for several versions of Python, in one folder, each fetched once."""

    folder: Path
    _fetched: set[str] = field(default_factory=set)

    def fetch(self, version: str = _HERE) -> Path:
        """Have what runs and what builds with one version of Python, such as ``3.12``; the folder."""
        if version in self._fetched:
            return self.folder
        plain = {file.name.split("-")[0].lower() for file in self.folder.glob("*-none-any.whl")}
        # What fits every version is there once it was fetched for one.
        missing = [pin for pin in _pins("runtime", "build") if _name(pin).replace("-", "_") not in plain]
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as pins:
            pins.writelines(missing)
            pins.flush()
            options = ["--require-hashes", "--only-binary=:all:", "--no-deps", "--python-version", version]
            _run([*_PIP, "download", *options, "--dest", str(self.folder), "--requirement", pins.name])
        self._fetched.add(version)
        return self.folder

    def fetch_pip(self) -> Path:
        """Have pip too, for a base that has none; the folder."""
        _run([*_PIP, "download", "--no-deps", "--only-binary=:all:", "--dest", str(self.folder), "pip"])
        return self.folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment with nothing in it but what is installed here."""

    folder: Path
    python: str = sys.executable

    def install(self, wheel: Path, *, wheels: Path) -> None:
        """Make it, and install a wheel with what its metadata asks for, from a folder and from nowhere else."""
        _run([self.python, "-m", "venv", "--without-pip", str(self.folder)])
        into = [*_PIP, "--python", str(self.folder / "bin" / "python"), "install", "--no-compile", "--no-index"]
        _run([*into, "--find-links", str(wheels), str(wheel)])

    def run(self, *command: str, cwd: Path) -> str:
        """Run a program of the environment as a user would who has nothing else; what it wrote to stdout."""
        environ = {"PATH": f"{self.folder / 'bin'}:{os.defpath}", "HOME": str(cwd), "LANG": "C.UTF-8"}
        return _run([str(self.folder / "bin" / command[0]), *command[1:]], cwd=cwd, environ=environ)


def _pins(*names: str) -> list[str]:
    """The requirements of lock files, each with its hashes."""
    text = "".join((ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in names)
    pins: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.startswith((" ", "\t")):
            pins[-1] += line
        else:
            pins.append(line)
    return pins


def _name(pin: str) -> str:
    return pin.split("==", maxsplit=1)[0].split("[", maxsplit=1)[0].strip().lower()


def _run(command: Sequence[str], *, cwd: Path | None = None, environ: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout
