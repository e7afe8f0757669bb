"""Fetches exact ids into our own copy: all that they reach, or nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from lockstep.sites.git import faults, process
from lockstep.sites.git.progress import Heard
from lockstep.sites.git.remote import Remote

_log = logging.getLogger(__name__)

# Git takes what a shallow clone has and writes down here where its history ends (gitformat-pack, "shallow"; without the
# option it would take that as silently, and say nothing at all). So a file here means that something is missing.
_SHALLOW = "shallow"
_OPTIONS = ("--update-shallow", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--stdin")


def fetch(repository: Path, remote: Remote, oids: Iterable[str], *, heard: Heard | None = None) -> None:
    """Fetch some ids, with everything that they reach.

    Args:
        repository: Our bare repository; the caller is the only one who fetches into it.
        remote: Whom to ask.
        oids: Ids that were advertised.
        heard: Is told how far it is.

    Raises:
        IntegrityError: The source has only a part of its history, or what it sends is damaged or incomplete.
        UnreachableError, RefusedError, ConflictError: As ``ends.GitCache`` says.
    """
    remote.require_whole()
    ends_here = repository / _SHALLOW
    ends_here.unlink(missing_ok=True)  # whoever wrote it was killed before we looked
    met = faults.Faults()
    with remote.environment() as env:
        finished = process.run(
            process.Call(
                arguments=["fetch", "--progress" if heard else "--quiet", *_OPTIONS, "--", remote.location],
                directory=repository,
                env=env,
                stdin="".join(f"{oid}\n" for oid in oids).encode(),
                timeout_seconds=remote.patience.transfer_seconds,
                most_file_bytes=remote.patience.most_pack_bytes,
                most_memory_bytes=remote.patience.most_memory_bytes,
            ),
            heard=heard,
            sieve=met,
        )
    if ends_here.exists():
        ends_here.unlink()
        raise remote.shallow()
    if finished.code:
        raise remote.failure(finished)
    if str(met):
        _log.warning("%s: old faults that harm nobody are let through: %s", remote.address, met)
