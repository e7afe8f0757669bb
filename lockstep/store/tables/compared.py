"""What comparisons found, what was done about it, and what preflights said."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, Table, false

from lockstep.store.columns import JsonText, Moment, Name, Prose
from lockstep.store.tables.base import identity, metadata

# The newest comparison of an application over a pair. ``coverage`` says what was read and what could not be;
# its ``health``, where it was looked at, is {site: health}. ``counts`` is by verdict, and ``explained``.
scans = Table(
    "scans",
    metadata,
    Column("application", Name, primary_key=True),
    Column("pair", Name, primary_key=True),
    Column("verdict", Name, nullable=False),
    Column("revision", Name, nullable=False, default=""),
    Column("stance", Name, nullable=False),
    Column("coverage", JsonText, nullable=False, default=dict),
    Column("counts", JsonText, nullable=False, default=dict),
    Column("problem", Prose, nullable=False, default=""),
    Column("objects", Integer, nullable=False, default=0),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=False),
    Column("in_step_at", Moment),
)

# What comparisons found that may differ, beside them: it is large, and mostly stays as it is when they are written.
explained = Table(
    "explained",
    metadata,
    Column("application", Name, primary_key=True),
    Column("pair", Name, primary_key=True),
    Column("rows", JsonText, nullable=False),
)

# A difference with its life. The fingerprint names the field, not its values: one row as long as it lives.
findings = Table(
    "findings",
    metadata,
    identity(),
    Column("fingerprint", Name, nullable=False, unique=True),
    Column("application", Name, nullable=False),
    Column("pair", Name, nullable=False),
    Column("verdict", Name, nullable=False),
    Column("group", Prose, nullable=False),
    Column("kind", Prose, nullable=False),
    Column("namespace", Prose, nullable=False),
    Column("name", Prose, nullable=False),
    Column("site", Name, nullable=False),
    Column("path", Prose, nullable=False),
    Column("people_path", Prose, nullable=False, default=""),
    Column("managed", Boolean, nullable=False, default=True),
    # What each side has, {"gitPrimary": , "primary": , "gitStandby": , "standby": }; a Secret's values never.
    Column("values", JsonText, nullable=False, default=dict),
    Column("cause", JsonText, nullable=False, default=dict),
    Column("severity", Float, nullable=False, default=0.0),
    # Its life, as lockstep.store.lives has it.
    Column("state", Name, nullable=False),
    Column("note", Prose, nullable=False, default=""),
    Column("by", Prose, nullable=False, default=""),
    Column("until", Moment),
    Column("reopened", Integer, nullable=False, default=0),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("resolved_at", Moment),
    Column("opened_at", Moment),
    Column("away_at", Moment),
    Column("answered_at", Moment),
    Column("changes", JsonText, nullable=False, default=list, server_default="[]"),
    Column("flapping", Boolean, nullable=False, default=False, server_default=false()),
    # What a declared difference is, and what it was when somebody accepted it: fingerprints of its values.
    Column("declared", Name, nullable=False, default="", server_default=""),
    Column("accepted", Name, nullable=False, default="", server_default=""),
    sqlite_autoincrement=True,
)
Index("ix_findings_scope", findings.c.application, findings.c.pair, findings.c.state)

# A site that was made again as git says it: by a person, or by itself; ``run`` is the deploy that did it.
healings = Table(
    "healings",
    metadata,
    identity(),
    Column("application", Name, nullable=False),
    Column("pair", Name, nullable=False),
    Column("site", Name, nullable=False),
    Column("revision", Name, nullable=False),
    Column("run", Name, nullable=False),
    Column("objects", JsonText, nullable=False, default=list),  # each as kind.group namespace/name
    Column("automatic", Boolean, nullable=False),
    Column("by", Prose, nullable=False, default=""),
    Column("reason", Prose, nullable=False),
    Column("at", Moment, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_healings_scope", healings.c.application, healings.c.pair, healings.c.id)

# Where nothing is healed by itself any more: one row a stop, in force until somebody ends it.
healing_stops = Table(
    "healing_stops",
    metadata,
    identity(),
    Column("pair", Name, nullable=False),
    Column("application", Name, nullable=False, default=""),  # all of the pair when empty
    Column("by", Prose, nullable=False),
    Column("reason", Prose, nullable=False),
    Column("at", Moment, nullable=False),
    Column("ended_by", Prose, nullable=False, default=""),
    Column("ended_at", Moment),
    sqlite_autoincrement=True,
)
Index("ix_healing_stops_pair", healing_stops.c.pair, healing_stops.c.id)

# The report of each preflight, whole: the document of drift.dossier.
preflights = Table(
    "preflights",
    metadata,
    identity(),
    Column("name", Name, nullable=False, unique=True),
    Column("pair", Name, nullable=False),
    Column("application", Name, nullable=False, default=""),  # all of the pair when empty
    Column("verdict", Name, nullable=False),  # GO, CONDITIONAL, NO-GO
    Column("statement", Prose, nullable=False),
    Column("by", Prose, nullable=False),
    Column("report", JsonText, nullable=False),
    Column("at", Moment, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_preflights_pair", preflights.c.pair, preflights.c.application, preflights.c.id)
