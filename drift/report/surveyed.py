"""A report of a comparison of two ends, without an application and without git."""

from __future__ import annotations

from datetime import datetime

from drift import rows, unseen
from drift.health import Vitals
from drift.report.parts import Compared, Entry, RuleNote, moment
from drift.report.whole import Report
from drift.survey import Survey
from lockstep.sites import ends
from lockstep.values import Json


def of_ends(
    found: Survey,
    names: tuple[str, str],
    *,
    read: tuple[ends.Inventory, ends.Inventory],
    vitals: tuple[Vitals, Vitals],
    started: datetime,
    ended: datetime,
) -> Report:
    """What a comparison of two ends found, without an application and without git.

    Args:
        found: The survey; its verdict is the report's.
        names: What the two ends are called.
        read: What was read of them.
        vitals: How what runs at each is.
        started: When the first was read.
        ended: When everything was compared.
    """
    compared = Compared(
        application="",
        pair="",
        sites=names,
        verdict=found.verdict,
        was=found.verdict,
        stance="",
        revision="",
        problem=" ".join(dict.fromkeys(f"{one.gap.what}: {one.gap.why}" for one in found.blind)),
        objects=found.objects,
        explained=len(found.explained),
        health={name: one.health.value for name, one in zip(names, vitals, strict=True)},
        vitals=dict(zip(names, vitals, strict=True)),
        coverage={"sites": {name: _read(one) for name, one in zip(names, read, strict=True)}},
        started_at=started,
        ended_at=ended,
    )
    return Report(
        made_at=ended,
        compared=(compared,),
        differences=tuple(
            Entry(application="", sites=names, row=row) for row in rows.rows(found, pair="", sites=names)
        ),
        explained=tuple(
            Entry(application="", sites=names, row=row) for row in rows.explained(found, pair="", sites=names)
        ),
        rules=tuple(
            RuleNote(application="", pair="", rule=one.rule, problem=one.problem, message=one.message)
            for one in found.rules
        ),
    )


def _read(found: ends.Inventory) -> Json:
    return {
        "method": found.method,
        "readAt": moment(found.read_at),
        "objects": len(found.objects),
        "aheadSeconds": None if found.ahead_seconds is None else round(found.ahead_seconds),
        "gaps": [unseen.to_json(gap) for gap in found.gaps],
    }
