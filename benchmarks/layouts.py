"""Mirroring images between layouts, beside ``skopeo copy --all oci:... oci:...`` in the same run.

Both sides copy the same images between the same directories. Lockstep's writes are synced to the disk before a
tag names them and its work is planned for all sites together; skopeo is started once for each tag and site, as
a script would do, and syncs nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lockstep.sites.layout import LayoutStore
from sync.mirror import Order, mirror
from sync.states import State
from tests.support.images import Maker, new_store

REPOSITORY = "pay/api"
_SHARED_BYTES = 4 * 2**20
_OWN_BYTES = 256 * 2**10


def run() -> None:
    """Print a table: seconds of both, and how many times longer skopeo took."""
    if shutil.which("skopeo") is None:
        print("skopeo is not installed: nothing to compare with.")
        return
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        source = _source(root, 200)
        few = sorted(source.tags(REPOSITORY) or {})[:50]
        everything = sorted(source.tags(REPOSITORY) or {})
        print(f"{'':34}{'lockstep':>10}{'skopeo':>10}{'ratio':>8}")
        for sites in (1, 3):
            _compare(f"cold copy of 50 tags to {sites} site(s)", root, few, [f"cold-{sites}-{n}" for n in range(sites)])
        _mirror(root, everything, ["equal"])
        _compare("no-op of 200 equal tags", root, everything, ["equal"])


def _compare(what: str, root: Path, tags: Sequence[str], sites: Sequence[str]) -> None:
    ours = _seconds(lambda: _mirror(root, tags, sites))
    theirs_sites = sites if what.startswith("no-op") else [f"skopeo-{site}" for site in sites]
    theirs = _seconds(lambda: _skopeo(root, tags, theirs_sites))
    print(f"{what:34}{ours:9.2f}s{theirs:9.2f}s{theirs / ours:7.1f}x")


def _seconds(work: Callable[[], None]) -> float:
    os.sync()  # what was written before is not paid for here
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _mirror(root: Path, tags: Sequence[str], sites: Sequence[str]) -> None:
    order = Order(
        repository=REPOSITORY,
        source=new_store(root / "source"),
        sites={site: new_store(root / site) for site in sites},
        references=dict.fromkeys(tags, ""),
    )
    assert {result.state for result in mirror(order)} == {State.EQUAL}


def _skopeo(root: Path, tags: Sequence[str], sites: Sequence[str]) -> None:
    for site in sites:
        (root / site / REPOSITORY).parent.mkdir(parents=True, exist_ok=True)
        for tag in tags:
            source, target = (f"oci:{root / place / REPOSITORY}:{tag}" for place in ("source", site))
            command = ["skopeo", "--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests", source, target]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _source(root: Path, tags: int) -> LayoutStore:
    """Tags of two platforms each, which share a large layer and have small ones of their own."""
    store = new_store(root / "source")
    maker = Maker(store=store, repository=REPOSITORY)
    shared = os.urandom(_SHARED_BYTES)
    for number in range(tags):
        maker.platforms(shared, os.urandom(_OWN_BYTES), tag=f"v{number:03}")
    return store
