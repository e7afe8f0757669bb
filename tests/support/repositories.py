"""Bare git repositories that tests write to with git itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
    **{
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Ada"), ("EMAIL", "ada@bank.example"), ("DATE", "1700000000 +0000"))
    },
}


@dataclass(frozen=True, slots=True)
class Repository:
    """A bare repository."""

    path: Path

    @classmethod
    def make(cls, path: Path, *, object_format: str = "sha1", head: str = "main") -> Repository:
        """An empty one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        git(
            "init",
            "--quiet",
            "--bare",
            "--template=",
            f"--object-format={object_format}",
            f"--initial-branch={head}",
            str(path),
        )
        return cls(path)

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run git in it."""
        return git(f"--git-dir={self.path}", *arguments, stdin=stdin)

    def commit(
        self, ref: str, files: Mapping[str, str | bytes] | None = None, *, orphan: bool = False, subject: str = "Change"
    ) -> str:
        """A commit on a ref that adds or changes these files; its id."""
        parent = "" if orphan or ref not in self.refs() else f"from {ref}^0\n"
        if orphan and ref in self.refs():
            self.git("update-ref", "-d", ref)
        lines = [f"commit {ref}\ncommitter Ada <ada@bank.example> 1700000000 +0000\n".encode(), _data(subject.encode())]
        lines.append(parent.encode())
        for name, content in (files or {"file": f"{ref} {subject}"}).items():
            body = content.encode() if isinstance(content, str) else content
            lines += [f"M 100644 inline {name}\n".encode(), _data(body)]
        self.git("fast-import", "--quiet", "--force", stdin=b"".join(lines) + b"\n")
        return self.refs()[ref]

    def branches(self, count: int, *, prefix: str = "refs/heads/b", ref: str = "refs/heads/main") -> None:
        """Many refs that name what another names."""
        oid = self.refs()[ref]
        self.git("update-ref", "--stdin", stdin="".join(f"create {prefix}{n} {oid}\n" for n in range(count)).encode())
        self.git("pack-refs", "--all")

    def tag(self, name: str, target: str) -> str:
        """An annotated tag; the id of the tag itself."""
        self.git("tag", "--annotate", "--force", "--message=A release", name, target)
        return self.refs()[f"refs/tags/{name}"]

    def point(self, ref: str, oid: str) -> None:
        """Make a ref name this object."""
        self.git("update-ref", ref, oid)

    def delete(self, *refs: str) -> None:
        """Take refs away."""
        for ref in refs:
            self.git("update-ref", "-d", ref)

    def refs(self) -> dict[str, str]:
        """Every ref and its id."""
        rows = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(row.split(" ") for row in rows)

    @property
    def head(self) -> str:
        """The ref that HEAD names."""
        return self.git("symbolic-ref", "HEAD").strip()

    def point_head(self, ref: str) -> None:
        """Make HEAD name this ref."""
        self.git("symbolic-ref", "HEAD", ref)

    def objects(self) -> set[str]:
        """The ids of all objects, reachable or not."""
        listed = self.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
        return set(listed.split())

    def hook(self, name: str, script: str) -> None:
        """A hook, as a shell script."""
        hook = self.path / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{script}\n")
        hook.chmod(0o755)


def git(*arguments: str, stdin: bytes = b"") -> str:
    """Run git with none of this machine's configuration; what it wrote."""
    ended = subprocess.run(["git", *arguments], input=stdin, capture_output=True, env=_ENV, check=False)
    assert ended.returncode == 0, ended.stderr.decode(errors="replace")
    return ended.stdout.decode(errors="surrogateescape")


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
