"""The health of hooks: how many posts were believed and refused, and when the last one was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from lockstep.store import database
from lockstep.store.tables import hooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often a hook was called, and how that ended; ``last_refusal`` says why, in a few words."""

    accepted: int = 0
    refused: int = 0
    last_accepted_at: datetime | None = None
    last_refused_at: datetime | None = None
    last_refusal: str = ""


def add(connection: Connection, hook: str, count: Count) -> None:
    """Add to what is known of a hook; the later moment of each pair stays."""
    statement = database.insert(connection, hooks).values(
        hook=hook,
        accepted=count.accepted,
        refused=count.refused,
        last_accepted_at=count.last_accepted_at,
        last_refused_at=count.last_refused_at,
        last_refusal=count.last_refusal,
    )
    new = statement.excluded
    changes = {
        "accepted": hooks.c.accepted + new.accepted,
        "refused": hooks.c.refused + new.refused,
        "last_accepted_at": func.coalesce(new.last_accepted_at, hooks.c.last_accepted_at),
        "last_refused_at": func.coalesce(new.last_refused_at, hooks.c.last_refused_at),
    }
    if count.last_refusal:
        changes["last_refusal"] = new.last_refusal
    connection.execute(statement.on_conflict_do_update(index_elements=["hook"], set_=changes))


def everything(connection: Connection) -> Mapping[str, Count]:
    """What is known of every hook that was ever called."""
    return {
        row.hook: Count(
            accepted=row.accepted,
            refused=row.refused,
            last_accepted_at=row.last_accepted_at,
            last_refused_at=row.last_refused_at,
            last_refusal=row.last_refusal,
        )
        for row in connection.execute(select(hooks))
    }
