"""Mirroring a git repository with 5,000 branches to two sites on disk, beside ``git push --mirror`` in the same run.

The peer is what a script does: a mirror clone that is updated (``git remote update --prune``) and pushed to one site
after the other (``git push --mirror``). Lockstep asks the source and each site, checks every object, holds what a
guard holds, pushes with leases to both sites at once, and looks at each site again after it wrote.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from lockstep.sites import git
from lockstep.topology import kinds
from sync.bring import Order, Target
from sync.distribute import distribute
from sync.fetch import fetch
from sync.refs import Options
from sync.states import State
from tests.support.repositories import Repository
from tests.support.repositories import git as plain

_BRANCHES = 5000
_SITES = ("seoul", "sejong")
_TIMES = 5
# What the store remembers between two runs: what was written where.
_ledgers: dict[str, dict[str, Mapping[str, str]]] = {}


def run() -> None:
    """Print a table: seconds of both, and how many times longer the peer took."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        source = _source(root / "source.git")
        print(f"{f'{_BRANCHES} refs, {len(_SITES)} sites':34}{'lockstep':>10}{'push':>10}{'ratio':>8}")
        _print("cold mirror", _seconds(lambda: _ours(root)), _seconds(lambda: _clone_and_push(root)))
        _print("nothing changed", *_medians(root, lambda: None))
        _print("one ref changed", *_medians(root, lambda: _change(source)))
        assert len({str(Repository(root / f"{who}-{site}.git").refs()) for who in "lp" for site in _SITES}) == 1


def _print(what: str, ours: float, theirs: float) -> None:
    print(f"{what:34}{ours:9.2f}s{theirs:9.2f}s{theirs / ours:7.1f}x")


def _medians(root: Path, before: Callable[[], object]) -> tuple[float, float]:
    """Both take turns after each change, so that what else the machine does hurts both."""
    ours, theirs = [], []
    for _ in range(_TIMES):
        before()
        ours.append(_seconds(lambda: _ours(root)))
        theirs.append(_seconds(lambda: _update_and_push(root)))
    return statistics.median(ours), statistics.median(theirs)


def _seconds(work: Callable[[], None]) -> float:
    os.sync()  # what was written before is not paid for here
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _ours(root: Path) -> None:
    cache, ledgers = git.Cache(root / "cache"), _ledgers.setdefault(str(root), {})
    options = Options(guards=kinds.GitGuards(), stamp="20260101T000000Z")
    seen = fetch(git.Remote(location=str(root / "source.git")), cache, options=options)
    order = Order(repository="bench", source=seen, cache=cache)
    targets = [
        Target(site=site, open=partial(_site, root, site), options=options, written=ledgers.get(site, {}))
        for site in _SITES
    ]
    outcomes = distribute(order, targets, on_outcome=lambda _target, _outcome: None)
    assert {outcome.state for outcome in outcomes} == {State.EQUAL}
    ledgers |= {outcome.site: outcome.ledger or {} for outcome in outcomes}


def _site(root: Path, site: str) -> git.Remote:
    return git.Remote(location=str(root / f"l-{site}.git"))


def _clone_and_push(root: Path) -> None:
    plain("clone", "--quiet", "--mirror", "--no-local", str(root / "source.git"), str(root / "clone.git"))
    for site in _SITES:
        Repository.make(root / f"p-{site}.git")
    _push(root)


def _update_and_push(root: Path) -> None:
    plain(f"--git-dir={root}/clone.git", "remote", "update", "--prune")
    _push(root)


def _push(root: Path) -> None:
    for site in _SITES:
        plain(f"--git-dir={root}/clone.git", "push", "--quiet", "--mirror", str(root / f"p-{site}.git"))


def _source(path: Path) -> Repository:
    """Branches with a commit each, off one main branch."""
    source = Repository.make(path)
    source.commit("refs/heads/main", {f"file{n}": os.urandom(2000) for n in range(100)})
    commits = (
        f"commit refs/heads/b{n}\ncommitter A <a@b> {1_700_000_000 + n} +0000\ndata 1\nx\nfrom refs/heads/main^0\n"
        f"M 100644 inline new{n}\ndata 2\nhi\n"
        for n in range(_BRANCHES - 1)
    )
    subprocess.run(["git", f"--git-dir={path}", "fast-import", "--quiet"], input="".join(commits).encode(), check=True)
    source.git("pack-refs", "--all")
    return source


def _change(source: Repository) -> None:
    source.commit("refs/heads/main", {"README": os.urandom(20).hex()})
