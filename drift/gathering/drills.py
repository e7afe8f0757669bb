"""When a drill of a pair last ended well: by its runs, never by its document, and by none of anybody else's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from drift.normalise import reading
from lockstep.store import runs, stances
from lockstep.topology import kinds
from lockstep.topology.model import Topology
from lockstep.topology.stances import Record
from lockstep.values import Stance

# The parameters by which a run may say which pair it drills.
_PAIR, _DRILL = "pair", "drill"
# So many runs of a pipeline are looked at, the newest first.
_MOST = 50


def last(connection: Connection, topology: Topology, pair: kinds.Pair) -> tuple[timedelta | None, datetime | None]:
    """How long a drill of a pair counts, and when one last ended well; None when no Drill names it, or none did.

    A run of the Drill's pipeline is a drill of the pair when a parameter says so (``pair``, or ``drill``: the Drill's
    name), or when it was started while the pair was in the stance ``drill``.
    """
    drills = [one for one in topology.drills.values() if one.spec.pair == pair.name and one.spec.pipeline]
    history = stances.history(connection, pair.name)
    ended = [at for drill in drills for at in _ended(connection, drill, history)]
    return min((one.spec.every for one in drills), default=None), max(ended, default=None)


def _ended(connection: Connection, drill: kinds.Drill, history: Sequence[Record]) -> Iterator[datetime]:
    for run in runs.succeeded(connection, drill.spec.pipeline or "", most=_MOST):
        params = {
            reading.text(one, "name"): reading.text(one, "value")
            for one in reading.entries(run.snapshot, "run", "spec", "params")
        }
        named = {params.get(_PAIR, "") == drill.spec.pair, params.get(_DRILL, "") == drill.name}
        told = params.keys() & {_PAIR, _DRILL}
        began = run.run.started_at or run.run.created_at
        if run.run.ended_at and (True in named if told else _stance(history, began) is Stance.DRILL):
            yield run.run.ended_at


def _stance(history: Sequence[Record], at: datetime) -> Stance:
    """The stance of a pair at a moment."""
    return next((record.stance for record in history if record.at <= at), Stance.UNKNOWN)
