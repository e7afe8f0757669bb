"""What the store keeps of how images stand at sites."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from lockstep import errors, values, work
from lockstep.store import images as stored
from lockstep.store.database import Database
from sync.mirror import ALL, Result
from sync.moments import Pushes
from sync.states import State


def of(
    results: Sequence[Result], pushes: Pushes, now: datetime, *, repository: str, all_tags: bool = False
) -> work.Effect:
    """Record how a repository stands; with ``all_tags``, tags that the results do not name are gone at the source."""
    told = [result for result in results if result.reference != ALL and not result.gone]
    rows = [_row(result, pushes, now) for result in told]
    unseen = {(result.reference, result.site) for result in told if not result.seen}
    gone = [(result.site, result.reference) for result in results if result.gone]
    blind = [result for result in results if result.reference == ALL]

    def write(connection: Connection) -> None:
        # First what nobody could ask about: of two mirrors of a repository one may have been able to.
        for result in blind:
            stored.unknown(connection, repository, result.site, state=result.state.value, detail=result.detail, at=now)
        stored.record(connection, rows, unseen=unseen)
        stored.forget(connection, repository, gone)
        if all_tags:
            # Of a source that lists no tag at all, nothing is believed: sites about which tags say nothing stay. So do
            # those about which one of several mirrors could say nothing.
            tagged = [row for row in rows if not values.is_digest(row.reference)]
            for site in {row.site for row in tagged} - {result.site for result in blind}:
                stored.keep_only(connection, repository, [site], {row.reference for row in tagged if row.site == site})

    return write


def at_once(database: Database, results: Sequence[Result], pushes: Pushes, now: datetime) -> None:
    """Record results now. A database that does not answer is told at the end, when everything is recorded."""
    rows = [_row(result, pushes, now) for result in results]
    with contextlib.suppress(errors.UnreachableError), database.write() as connection:
        stored.record(connection, rows)


def _row(result: Result, pushes: Pushes, now: datetime) -> stored.Standing:
    return stored.Standing(
        repository=result.repository,
        reference=result.reference,
        site=result.site,
        digest=result.digest,
        state=result.state.value,
        detail=result.detail,
        bytes_sent=result.size,
        checked_at=now,
        verified_at=now if result.state is State.EQUAL else None,
        pushed_at=pushes.of(result.reference),
    )
