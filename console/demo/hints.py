"""What a person may try, as lines that work when they are pasted one after the other. Pure.

A line that begins with ``$`` is a command; a test runs every one of them.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from console.demo.ground import Ground

_EDITOR = "you change a file below"


def opening(ground: Ground, *, url: str, token: str) -> str:
    """Where the pages are and how to sign in."""
    return f"""
Lockstep runs. Three sites, a forge and the application {ground.application} are in {ground.directory}

  pages   {url}
  token   {token}
"""


def to_try(ground: Ground, *, url: str, run: str) -> str:
    """What to try next, in an order that tells a story.

    Args:
        ground: Where everything is.
        url: Where the pages are.
        run: The run that waits for approval; empty when none does.
    """
    return "\n".join([*_approve(ground, url, run), *_change(ground, url), *_tamper(ground), *_end()])


def _approve(ground: Ground, url: str, run: str) -> Iterator[str]:
    if run:
        yield f"The run {run} waits for approval. Read its plan and approve it at {url}/runs/{run} or here:"
        yield from _commands([_product(ground), "pipeline", "approve", run, "--by", "you"])
    else:
        yield f"No run waits. All of them: {url}/runs"
    yield "A moment later git, the primary and both standbys are in step:"
    yield from _commands([_product(ground), "drift"])


def _change(ground: Ground, url: str) -> Iterator[str]:
    mine = ground.directory / "mine"
    identity = ("-c", "user.name=You", "-c", "user.email=you@shop.example")
    yield "Push a change; the run that it starts waits for you like the first:"
    yield from _commands(["git", "clone", "--quiet", *identity, str(ground.forge), str(mine)])
    if ground.is_example:
        yield from _commands(_replace("welcome to the shop", "welcome back", mine / "deploy/base/configuration.yaml"))
    else:
        yield f"  {_EDITOR} {mine}, then"
    yield from _commands(
        ["git", "-C", str(mine), "commit", "--quiet", "--all", "--allow-empty", "--message", "My change"],
        ["git", "-C", str(mine), "push", "--quiet"],
    )
    yield f"  approve it at {url}/runs?state=waiting"


def _tamper(ground: Ground) -> Iterator[str]:
    standby, primary = (ground.site(name) / "cluster" for name in ("sejong", "seoul"))
    yield "Change something by hand at the standby, see it found, and put it right:"
    if ground.is_example:
        yield from _commands(_replace("welcome", "goodbye", standby / "shop/ConfigMap.core/shop.yaml"))
    else:
        yield f"  {_EDITOR} {standby}, then"
    yield from _commands(
        [_product(ground), "drift"], [_product(ground), "deploy", ground.application, "--site", "sejong"]
    )
    yield "Make a hot fix at the primary; a fail-over would lose it:"
    if ground.is_example:
        yield from _commands(_replace("replicas: 3", "replicas: 7", primary / "shop/Deployment.apps/web.yaml"))
    else:
        yield f"  {_EDITOR} {primary}, then"
    yield from _commands([_product(ground), "drift"])
    yield "  to keep it, make the same change in git and push; whoever would overwrite it is asked first"


def _end() -> Iterator[str]:
    yield "Ctrl-C ends it; the same command starts it again where it stood."
    yield ""


def _product(ground: Ground) -> str:
    return str(ground.command)


def _replace(old: str, new: str, file: Path) -> list[str]:
    return ["sed", "-i", f"s/{old}/{new}/", str(file)]


def _commands(*commands: list[str]) -> Iterator[str]:
    for command in commands:
        yield f"  $ {shlex.join(command)}"
