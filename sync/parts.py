"""By which digests a runtime may name an image: found in its graph, kept for whoever compares what runs.

An image that is brought or verified is read anyway. One that was equal when it was first seen is read at a site, once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from lockstep import errors, values
from lockstep.sites import ends, oci
from lockstep.store import parts as stored
from lockstep.store.database import Database
from sync import beside
from sync.graph import Graph, Limits
from sync.mirror import Result
from sync.states import State
from sync.stock import Shelf

# What is read in one pass of images that were equal before anybody looked into them; the next pass goes on.
_MOST_READ = 200
_CONFIGURATIONS = frozenset({oci.OCI_CONFIG, "application/vnd.docker.container.image.v1+json"})


def of(graph: Graph, root: str) -> dict[str, str]:
    """Every manifest below an image, and every configuration, by digest, with the platform; ``""`` where none is said.

    Raises:
        IntegrityError: The image contains itself.
    """
    found: dict[str, str] = {}
    for digest in reversed(graph.below(root)):  # what names before what is named
        contents = graph.nodes[digest].contents
        for child in contents.children:
            found.setdefault(child.digest, _platform(child.platform or {}))
        for blob in contents.blobs:
            if blob.media_type in _CONFIGURATIONS:
                found.setdefault(blob.digest, found.get(digest, ""))
    return found


def keep(database: Database, parts: Mapping[str, Mapping[str, str]], now: datetime) -> None:
    """Write them down. A database that does not answer is told when results are recorded."""
    with contextlib.suppress(errors.UnreachableError), database.write() as connection:
        stored.record(connection, parts, at=now)


def learn(
    database: Database, sites: Mapping[str, ends.ImageStore], results: Sequence[Result], now: datetime, *, looks: int
) -> None:
    """Read, at a site that has it, each image that is equal and that nobody has looked into yet.

    What cannot be read now is read at a later look.
    """
    equal = [one for one in results if one.state is State.EQUAL and one.digest and one.site in sites]
    homes = {one.digest: one for one in equal if not values.companion_of(one.reference)}
    waiting = _unread(database, homes)
    # Another part of them each time: some that can never be read keep none of the others waiting.
    start = int(now.timestamp()) % (len(waiting) or 1)
    unread = [homes[digest] for digest in (waiting[start:] + waiting[:start])[:_MOST_READ]]
    if unread:
        read = beside.answers(lambda one: _read(sites[one.site], one), unread, looks=looks)
        keep(database, {one.digest: found for one, found in zip(unread, read, strict=True) if found is not None}, now)


def _unread(database: Database, digests: Collection[str]) -> list[str]:
    with contextlib.suppress(errors.UnreachableError), database.read() as connection:
        return sorted(set(digests) - stored.known(connection, digests))
    return []


def _read(site: ends.ImageStore, one: Result) -> dict[str, str] | None:
    shelf = Shelf(store=site, repository=one.repository, with_referrers=False)
    try:
        return of(shelf.graph(one.digest, Limits()), one.digest)
    except errors.LockstepError:
        return None


def _platform(said: Mapping[str, object]) -> str:
    named = [said.get(key) for key in ("os", "architecture", "variant")]
    return "/".join(one for one in named if isinstance(one, str) and one)
