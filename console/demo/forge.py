"""A forge on disk: bare repositories whose hook posts every push, as GitHub would."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

_PERSON = {
    "GIT_AUTHOR_NAME": "Demo Developer",
    "GIT_AUTHOR_EMAIL": "developer@shop.example",
    "GIT_COMMITTER_NAME": "Demo Developer",
    "GIT_COMMITTER_EMAIL": "developer@shop.example",
    # Whatever this machine's user has configured (signing, hooks, templates) is not part of the demo.
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(*arguments: str, cwd: Path) -> str:
    """Run git as the demo's developer; what it printed.

    Raises:
        RuntimeError: git failed; the message is what it said.
    """
    done = subprocess.run(
        ["git", *arguments], cwd=cwd, env={**os.environ, **_PERSON}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def make(repository: Path) -> None:
    """Make a bare repository with the hook."""
    repository.mkdir(parents=True)
    git("init", "--quiet", "--bare", "--initial-branch=main", cwd=repository)
    program = repository / "hooks" / "post_receive.py"
    program.parent.mkdir(exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("post_receive.py"), program)
    hook = repository / "hooks" / "post-receive"
    command = shlex.join([sys.executable, "-I", str(program)])
    hook.write_text(f"#!/bin/sh\nexec {command}\n", encoding="utf-8")
    hook.chmod(0o755)


def tell(repository: Path, *, url: str, secret: Path) -> None:
    """Tell the hook where Lockstep listens today and where the shared secret is."""
    settings = {"url": url, "secret": str(secret), "repository": repository.stem}
    (repository / "hooks" / "post-receive.json").write_text(json.dumps(settings), encoding="utf-8")


def clone(repository: Path, work: Path) -> None:
    """Clone as a developer does; an empty repository too."""
    git("clone", "--quiet", str(repository), str(work), cwd=work.parent)
    git("checkout", "--quiet", "-B", "main", cwd=work)


def push(work: Path, *, message: str) -> str:
    """Commit everything and push it; the commit."""
    git("add", "--all", cwd=work)
    git("commit", "--quiet", "--allow-empty", "--message", message, cwd=work)
    git("push", "--quiet", "origin", "main", cwd=work)
    return git("rev-parse", "HEAD", cwd=work)
