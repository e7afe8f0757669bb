"""Running a renderer: a clean environment, no network, bounded time, memory and output, errors people can read."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lockstep import children, documents, errors
from lockstep.manifests import objects
from lockstep.manifests.checkout import Checkout

# Kustomize compares each object with all before it: ten thousand take it minutes.
_SECONDS = 600.0
_MOST_MEMORY = 2 * 2**30
_MOST_OUTPUT = 128 * 2**20
# A rendering of 10,000 objects has about a million values.
_LIMITS = documents.Limits(size=_MOST_OUTPUT, values=20_000_000)
_MOST_SAID = 2_000
# Go's clients obey these: a renderer that tries to fetch all the same reaches a port where nobody listens.
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """A program that writes objects to its standard output.

    ``name`` is what people call it; ``env`` is added to an environment that has no home, no path and no network.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


def run(renderer: Renderer, checkout: Checkout, folder: Path) -> list[objects.Found]:
    """Run a renderer on a folder of the repository; the objects that it writes.

    Raises:
        InputError: It refuses what is there, or writes too much; with its own words, paths of the repository.
        TemporaryError: It did not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="lockstep-render-") as home:
        env = {
            "HOME": home,
            "TMPDIR": home,
            "PATH": home,
            "HTTP_PROXY": _NOWHERE,
            "HTTPS_PROXY": _NOWHERE,
            "NO_PROXY": "",
            "GOMAXPROCS": "2",
            **{name: value.replace("{home}", home) for name, value in renderer.env.items()},
        }
        ended = children.run(
            children.Command(
                argv=renderer.argv,
                env=env,
                cwd=folder,
                timeout_seconds=_SECONDS,
                most_bytes=_MOST_OUTPUT,
                most_memory_bytes=_MOST_MEMORY,
            )
        )
    what = f"{renderer.name} cannot render {checkout.name(folder)}"
    if ended.timed_out:
        raise errors.TemporaryError(f"{what}: it did not end within {_SECONDS:.0f} s.", remedy="Make it simpler.")
    if ended.cut:
        raise errors.InputError(f"{what}: it writes more than {_MOST_OUTPUT // 2**20} MiB.", remedy="Make it simpler.")
    if "out of memory" in ended.said:  # as Go's runtime says it, before many lines about itself
        raise errors.InputError(f"{what}: it needs more than {_MOST_MEMORY // 2**20} MiB.", remedy="Make it simpler.")
    if ended.code != 0:
        raise errors.InputError(
            f"{what}: {_said(checkout.clean(ended.said))}", remedy="Correct the manifests in git, and push."
        )
    name = f"{checkout.name(folder)} (as {renderer.name} renders it)"
    return objects.read(documents.read(ended.out, file=name, limits=_LIMITS))


def _said(text: str) -> str:
    """A program's complaint without what every program writes before it; cut in the middle when it is long."""
    text = text.removeprefix("Error: ").removeprefix("error: ").strip() or "it says nothing about why"
    if len(text) > _MOST_SAID:
        half = _MOST_SAID // 2
        text = f"{text[:half]} … {text[-half:]}"
    return f"{text.rstrip('.')}."
