"""The skopeo program, as a peer that reads and writes what we read and write."""

from __future__ import annotations

import subprocess
from pathlib import Path

import orjson

from lockstep.values import Json


def copy(source: str, target: str, *, everything: bool = True) -> None:
    """Copy an image, by default with all its platforms and without changing a byte."""
    options = ["--all", "--preserve-digests"] if everything else []
    _run("copy", "--quiet", *options, source, target)


def inspect(image: str, *, tls: bool = True) -> bytes:
    """The manifest of an image, as it is."""
    return _run("inspect", "--raw", *([] if tls else ["--tls-verify=false"]), image)


def configuration(image: str) -> Json:
    """The configuration of an image."""
    return orjson.loads(_run("inspect", "--config", image))


def at(home: Path, tag: str = "") -> str:
    """How skopeo names an image of a layout."""
    return f"oci:{home}:{tag}" if tag else f"oci:{home}"


def _run(*arguments: str) -> bytes:
    done = subprocess.run(["skopeo", "--insecure-policy", *arguments], check=False, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
