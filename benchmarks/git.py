"""Mirroring git to three sites on disk, beside ``git push --mirror`` three times in the same run.

Two repositories: one of many refs, one of many bytes. The peer is what a script does: a mirror clone that is updated
(``git remote update --prune``) and pushed to one site after the other (``git push --mirror``). Lockstep asks the source
and each site, checks every object, looks for large files, holds what a guard holds, pushes with leases to all sites at
once, and looks at each site again after it wrote. When nothing changed the peer is ``git ls-remote`` of the same four
ends, one after the other: nobody can know less than that.

The first mirroring is measured twice: to sites that are empty repositories of ours, which Lockstep fills without a
push, and to sites with a rule of their own, which are pushed to: this one machine does what three servers would do, so
that what goes to them at once goes no faster than its cores. So a third one has a line to each site, behind ssh: of a
real site the line is what takes the time.

``BENCH_SIZE=full`` takes 20,000 refs and 1 GiB; 5,000 and 128 MiB otherwise. The lines carry 128 MiB in any case.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lockstep.sites import git
from lockstep.sites.git import relay
from lockstep.sites.line import Pace
from lockstep.topology import kinds
from sync.bring import Order, Target
from sync.distribute import distribute
from sync.fetch import fetch
from sync.large import Supply
from sync.refs import Options
from sync.states import State
from tests.support import sshd
from tests.support.repositories import Repository
from tests.support.repositories import git as plain

_FULL = os.environ.get("BENCH_SIZE") == "full"
_REFS = 20_000 if _FULL else 5_000
_MIB = 1024 if _FULL else 128
_SITES = ("seoul", "sejong", "daegu")
# To each site, in bits a second: a usual line between two buildings.
_LINE = 100e6
_LINE_MIB = 128
_TIMES = 5
# What the store remembers between two runs: what was written where.
_ledgers: dict[str, dict[str, Mapping[str, str]]] = {}


def run() -> None:
    """Print a table: seconds of both, and how many times longer the peer took."""
    _compare(f"{_REFS} refs, {len(_SITES)} sites", _many_refs)
    _compare(f"{_MIB} MiB, {len(_SITES)} sites", partial(_many_bytes, mib=_MIB))
    _over_lines(f"{_LINE_MIB} MiB, ssh, {_LINE / 1e6:.0f} Mbit to each")


def _over_lines(title: str) -> None:
    """The first mirroring, to three servers that are each at the end of a line of their own."""
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as lines:
        root = Path(directory)
        _many_bytes(root / "source.git", mib=_LINE_MIB)
        for site in _SITES:
            for who in "lp":
                Repository.make(root / f"{who}-{site}.git")
        ends = {site: _line(lines, root / f"sshd-{site}") for site in _SITES}
        print(f"{title:32}{'lockstep':>10}{'git':>10}{'ratio':>8}")

        def theirs() -> None:
            plain("clone", "--quiet", "--mirror", "--no-local", str(root / "source.git"), str(root / "clone.git"))
            for site, end in ends.items():
                command = ["git", f"--git-dir={root}/clone.git", "push", "--quiet", "--mirror"]
                subprocess.run([*command, f"ssh://{end.host}{root}/p-{site}.git"], env=end.environment, check=True)

        def there(site: str) -> git.Remote:
            return git.Remote(location=f"ssh://{ends[site].host}{root}/l-{site}.git", access=ends[site].access)

        _print("cold mirror", _seconds(lambda: _ours(root, there)), _seconds(theirs))


@dataclass(frozen=True, slots=True)
class _End:
    """A server behind its line: where it is, and who is let in, for us and for git."""

    host: str
    access: git.Access
    environment: Mapping[str, str]


def _line(lines: contextlib.ExitStack, folder: Path) -> _End:
    server = lines.enter_context(sshd.serve(folder))
    user, _, port = server.host.rpartition("@127.0.0.1:")
    place = relay.Place(host="127.0.0.1", port=int(port))
    entry = lines.enter_context(relay.opened(place, Pace(_LINE), socks=False))
    known = server.known_hosts.replace(f":{port} ", f":{entry} ")
    (folder / "known").write_text(known)
    ssh = f"ssh -F none -i {folder}/client -o IdentitiesOnly=yes -o UserKnownHostsFile={folder}/known"
    return _End(
        f"{user}@127.0.0.1:{entry}",
        git.Access(ssh_key=server.key, known_hosts=known),
        {"PATH": os.environ["PATH"], "GIT_SSH_COMMAND": ssh, "GIT_CONFIG_GLOBAL": "/dev/null"},
    )


def _compare(title: str, make: Callable[[Path], Repository]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        source = make(root / "source.git")
        print(f"{title:32}{'lockstep':>10}{'git':>10}{'ratio':>8}")
        _cold(root)
        _print("nothing changed, push", *_medians(root, lambda: None, _update_and_push))
        _print("nothing changed, ls-remote", *_medians(root, lambda: None, _list))
        _print("one ref changed", *_medians(root, lambda: _change(source), _update_and_push))
        assert len({str(Repository(root / f"{who}-{site}.git").refs()) for who in "lp" for site in _SITES}) == 1


def _cold(root: Path) -> None:
    """The repositories that are left are those of the first way."""
    theirs = _seconds(lambda: _clone_and_push(root))
    for site in _SITES:
        Repository.make(root / f"l-{site}.git").git("config", "receive.denyDeletes", "false")
    pushed = _seconds(lambda: _ours(root))
    _ledgers.clear()
    for folder in ("cache", *(f"l-{site}.git" for site in _SITES)):
        shutil.rmtree(root / folder)
    _print("cold mirror", _seconds(lambda: _ours(root)), theirs)
    _print("cold mirror, sites with rules", pushed, theirs)


def _print(what: str, ours: float, theirs: float) -> None:
    print(f"{what:32}{ours:9.2f}s{theirs:9.2f}s{theirs / ours:7.2f}x", flush=True)


def _medians(root: Path, before: Callable[[], object], peer: Callable[[Path], None]) -> tuple[float, float]:
    """Both take turns after each change, so that what else the machine does hurts both."""
    ours, theirs = [], []
    for _ in range(_TIMES):
        before()
        ours.append(_seconds(lambda: _ours(root)))
        theirs.append(_seconds(lambda: peer(root)))
    return statistics.median(ours), statistics.median(theirs)


def _seconds(work: Callable[[], None]) -> float:
    os.sync()  # what was written before is not paid for here
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _ours(root: Path, there: Callable[[str], git.Remote] | None = None) -> None:
    cache, ledgers = git.Cache(root / "cache"), _ledgers.setdefault(str(root), {})
    options = Options(guards=kinds.GitGuards(), stamp="20260101T000000Z")
    source = git.Remote(location=str(root / "source.git"))
    seen = fetch(source, cache, options=options)
    supply = Supply(stock=cache.large, source=lambda: source, tips=seen.refs.values())
    order = Order(repository="bench", source=seen, cache=cache, large=supply)
    targets = [
        Target(
            site=site, open=partial(there or partial(_site, root), site), options=options, written=ledgers.get(site, {})
        )
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


def _list(root: Path) -> None:
    for end in ("source", *(f"p-{site}" for site in _SITES)):
        plain("ls-remote", "--symref", str(root / f"{end}.git"))


def _push(root: Path) -> None:
    for site in _SITES:
        plain(f"--git-dir={root}/clone.git", "push", "--quiet", "--mirror", str(root / f"p-{site}.git"))


def _many_refs(path: Path) -> Repository:
    """Branches with a commit each, off one main branch."""
    commits = (
        f"commit refs/heads/b{n}\ncommitter A <a@b> {1_700_000_000 + n} +0000\ndata 1\nx\nfrom refs/heads/main^0\n"
        f"M 100644 inline new{n}\ndata 2\nhi\n".encode()
        for n in range(_REFS - 1)
    )
    source = Repository.make(path)
    source.commit("refs/heads/main", {f"file{n}": os.urandom(2000) for n in range(100)})
    return _imported(source, commits)


def _many_bytes(path: Path, *, mib: int) -> Repository:
    """Two hundred commits of one main branch, each with files that no packing makes smaller."""
    bytes_each = mib * 2**20 // 200 // 4
    generator = random.Random(7)  # noqa: S311 - only to have the same repository each time

    def commits() -> Iterator[bytes]:
        for n in range(200):
            yield f"commit refs/heads/main\ncommitter A <a@b> {1_700_000_000 + n} +0000\ndata 1\nx\n".encode()
            for file in range(4):
                content = generator.randbytes(bytes_each)
                yield f"M 100644 inline d{n % 20}/f{file}\ndata {bytes_each}\n".encode() + content + b"\n"

    return _imported(Repository.make(path), commits())


def _imported(source: Repository, commits: Iterator[bytes]) -> Repository:
    command = ["git", f"--git-dir={source.path}", "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as importer:
        assert importer.stdin is not None
        for part in commits:
            importer.stdin.write(part)
    assert importer.returncode == 0
    source.git("pack-refs", "--all")
    return source


def _change(source: Repository) -> None:
    source.commit("refs/heads/main", {"README": os.urandom(20).hex()})
