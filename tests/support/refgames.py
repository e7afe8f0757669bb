"""Repositories whose refs are anything at all: a source and its sites, all made from one small pool of commits.

Git itself reads and is mirrored; only the refs are set by hand, because a move of a ref is then a line in a file and
thousands of histories can be tried.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lockstep.sites.git import names, packed
from tests.support.repositories import Repository

RULES: dict[str, tuple[str, str]] = {
    "": ("", ""),
    "no force": ("receive.denyNonFastForwards", "true"),
    "no deletes": ("receive.denyDeletes", "true"),
    "hidden": ("transfer.hideRefs", "refs/heads/x"),
}
"""What a site may have against some refs."""

_WHO = "A <a@bank.example> 1700000000 +0000"
# Each commit with its parent: two lines that part at a1, one that stands alone, and what only somebody at a site made.
_COMMITS = {"a0": "", "a1": "a0", "a2": "a1", "a3": "a2", "b2": "a1", "b3": "b2", "o0": ""}
_FOREIGN = {"f1": "a1", "f3": "a3"}
_TAGS = {"t1": "a1", "t2": "b2"}


@dataclass(frozen=True, slots=True)
class State:
    """The refs of a repository, each with the name of what it names in the pool; and where HEAD points."""

    refs: Mapping[str, str] = field(default_factory=dict)
    head: str = "refs/heads/main"


class Pool:
    """Commits and tags by name, and repositories that have them all."""

    def __init__(self, folder: Path) -> None:
        self._made = {False: folder / "source.git", True: folder / "site.git"}
        self.oids: dict[str, str] = {}
        for foreign, path in self._made.items():
            repository = Repository.make(path)
            for name, parent in {**_COMMITS, **(_FOREIGN if foreign else {})}.items():
                self.oids[name] = self._commit(repository, name, parent)
            for name, target in _TAGS.items():
                text = f"object {self.oids[target]}\ntype commit\ntag {name}\ntagger {_WHO}\n\nx\n"
                self.oids[name] = repository.git("mktag", stdin=text.encode()).strip()
        self._names = {oid: name for name, oid in self.oids.items()}

    def _commit(self, repository: Repository, name: str, parent: str) -> str:
        blob = repository.git("hash-object", "-w", "--stdin", stdin=name.encode()).strip()
        tree = repository.git("mktree", stdin=f"100644 blob {blob}\tfile\n".encode()).strip()
        return repository.git("commit-tree", tree, "-m", name, *(("-p", self.oids[parent]) if parent else ())).strip()

    def make(self, path: Path, state: State, *, foreign: bool, rule: str = "") -> Repository:
        """A repository with these refs."""
        shutil.copytree(self._made[foreign], path)
        repository = Repository(path)
        if rule:
            repository.git("config", *RULES[rule])
        self.put(repository, state)
        return repository

    def put(self, repository: Repository, state: State) -> None:
        """Make its refs these and no others."""
        shutil.rmtree(repository.path / "refs")
        (repository.path / "refs").mkdir()
        packed.write(repository.path, {ref: self.oids[name] for ref, name in state.refs.items()})
        (repository.path / "HEAD").write_text(f"ref: {state.head}\n")

    def contains(self, older: str, newer: str) -> bool:
        """Whether the second id is a commit that has the first one in its history."""
        at, line = self._names[newer], {**_COMMITS, **_FOREIGN}
        while at in line:
            if self.oids[at] == older:
                return True
            at = line[at]
        return False


def seen(repository: Repository) -> tuple[dict[str, str], str]:
    """The refs and the HEAD of a repository as ``git ls-remote`` tells them; nothing of one that is not there."""
    if not repository.path.exists():
        return {}, ""
    rows = [line.split("\t") for line in repository.git("ls-remote", "--symref", str(repository.path)).splitlines()]
    head = next((left.removeprefix("ref: ") for left, name in rows if name == "HEAD" and left.startswith("ref: ")), "")
    return {name: oid for oid, name in rows if name != "HEAD" and not name.endswith("^{}")}, head


def side_by_side(refs: Mapping[str, str]) -> dict[str, str]:
    """Of some refs those that one repository can have together."""
    kept: dict[str, str] = {}
    for ref, name in sorted(refs.items()):
        if not names.in_the_way([ref], kept):
            kept[ref] = name
    return kept
