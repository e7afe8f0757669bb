"""Submodules are told, with whether they are mirrored; what a repository names is never contacted."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockstep.sites.ends import Submodule
from lockstep.sites.git.cache import Cache
from lockstep.store.database import Database
from sync.git import Request, run
from sync.submodules import covered
from tests.support.mirrored import World
from tests.support.repositories import Repository
from tests.support.topologies import topology

MAIN = "refs/heads/main"
OID = "1" * 40


def _commit(repository: Repository, gitmodules: str, *paths: str) -> str:
    """A commit with this .gitmodules and with gitlinks at these paths."""
    tip = repository.commit(MAIN, {".gitmodules": gitmodules})
    rows = repository.git("ls-tree", tip) + "".join(f"160000 commit {OID}\t{path}\n" for path in paths)
    tree = repository.git("mktree", "--missing", stdin=rows.encode()).strip()
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    repository.point(MAIN, repository.git(*who, "commit-tree", "-m", "submodules", "-p", tip, tree).strip())
    return repository.refs()[MAIN]


def _section(path: str, url: str) -> str:
    return f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n'


def test_submodules_are_told_with_the_mirror_that_covers_them(tmp_path: Path, file_database: Database) -> None:
    """Paths, URLs, commits; one that nobody can reach hangs nothing, because nobody tries."""
    world = World(tmp_path, file_database)
    _commit(world.source, _section("lib", "../lib.git") + _section("far", "https://10.255.255.1/far.git"), "lib", "far")
    report = run(world.context, Request(), name="bank/pay")
    assert report.exit_code == 0
    assert [(one.submodule, one.repository, one.mirror) for one in report.submodules["bank/pay"]] == [
        (Submodule(path="far", url="https://10.255.255.1/far.git", oid=OID), "", ""),
        (Submodule(path="lib", url="../lib.git", oid=OID), "bank/lib", "bank"),
    ]


@pytest.mark.parametrize(
    ("gitmodules", "paths"),
    [
        ("not a configuration [", ["lib"]),
        ("[include]\n\tpath = /etc/passwd\n", ["lib"]),
        (_section("--help", "-upload-pack=x"), []),
        (_section("gone", "https://x/y.git"), []),
        ('[submodule "x"]\n\tpath = lib\n', ["lib"]),
        ("#" * (2**20 + 1), ["lib"]),
    ],
)
def test_a_strange_file_of_submodules_names_none(tmp_path: Path, gitmodules: str, paths: list[str]) -> None:
    """No option, no include, no submodule that is not in the tree."""
    source = Repository.make(tmp_path / "cache/repository")
    tip = _commit(source, gitmodules, *paths)
    assert Cache(tmp_path / "cache").submodules(tip) == []


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://git.bank.example/bank/lib.git", "bank/lib"),
        ("https://GIT.bank.example/bank/lib/", "bank/lib"),
        ("git@git.bank.example:bank/lib.git", "bank/lib"),
        ("ssh://git@git.bank.example:2222/bank/lib", "bank/lib"),
        ("../lib", "bank/lib"),
        ("./../../bank/lib.git", "bank/lib"),
        ("../../other/lib", ""),
        ("../../../../etc/passwd", ""),
        ("https://elsewhere.example/bank/lib.git", ""),
        ("https://[broken/bank/lib.git", ""),
        ("ext::sh -c whoami", ""),
        ("", ""),
    ],
)
def test_a_url_means_a_repository_of_a_source_whatever_the_protocol(url: str, name: str) -> None:
    """Relative ones are of the same source."""
    made = topology(
        ("Site", "seoul", {"git": {"directory": "seoul"}}),
        (
            "GitMirror",
            "bank",
            {
                "source": {"url": "https://git.bank.example/{repository}.git"},
                "repositories": ["bank/*"],
                "sites": ["seoul"],
            },
        ),
    )
    submodule = Submodule(path="lib", url=url, oid=OID)
    (found,) = covered(made, "bank/pay", made.git_mirrors["bank"], [submodule])
    assert (found.repository, found.mirror) == (name, "bank" if name else "")
