"""The tables of the store. The engine's own are in ``lockstep.engine.tables``, on the same metadata.

A change here comes with a migration in ``lockstep/store/migrations``; a test compares the two. Predicates of
partial indexes are literals: a bound parameter fails once psycopg prepares the statement.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

from lockstep.store.columns import Bytes, JsonText, Moment, Name, Prose

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives ids by itself to INTEGER PRIMARY KEY only; PostgreSQL deserves eight bytes.
BIG: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")


def identity() -> Column[int]:
    """The primary key that the database counts up.

    A table that has it says ``sqlite_autoincrement=True``: else SQLite gives the ids of removed rows again, and
    what still names an old row would find a new one.
    """
    return Column("id", BIG, primary_key=True, autoincrement=True)


# What a forge or a registry posted, as it was posted.
deliveries = Table(
    "deliveries",
    metadata,
    identity(),
    Column("hook", Name, nullable=False),
    Column("provider", Name, nullable=False),
    # The sender's own id where it has one, else a digest of the body and a time window: the key of "once".
    Column("delivery", Name, nullable=False),
    Column("event", Name, nullable=False),
    Column("headers", JsonText, nullable=False),
    Column("body", Bytes, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("state", Name, nullable=False),  # received, done, ignored, failed
    Column("reason", Prose, nullable=False, default=""),
    Column("events", JsonText, nullable=False, default=list),
    Column("duplicates", Integer, nullable=False, default=0),
    Column("done_at", Moment),
    UniqueConstraint("hook", "delivery"),
    sqlite_autoincrement=True,
)
Index("ix_deliveries_received_at", deliveries.c.received_at)
# Counting and listing by state must not read the bodies.
Index("ix_deliveries_state", deliveries.c.state, deliveries.c.id)

# Health of a hook, also of posts that were refused: their bodies are not kept.
hooks = Table(
    "hooks",
    metadata,
    Column("hook", Name, primary_key=True),
    Column("accepted", Integer, nullable=False, default=0),
    Column("refused", Integer, nullable=False, default=0),
    Column("last_accepted_at", Moment),
    Column("last_refused_at", Moment),
    Column("last_refusal", Prose, nullable=False, default=""),
)

# What Lockstep last wrote to a site: the ledger by which a diverged ref and our own echo are known.
written_refs = Table(
    "written_refs",
    metadata,
    Column("repository", Name, primary_key=True),
    Column("site", Name, primary_key=True),
    Column("ref", Name, primary_key=True),
    Column("oid", Name, nullable=False),
    Column("written_at", Moment, nullable=False),
)

# What a person let go although a guard held it: one change of one ref, by its exact ids.
released_refs = Table(
    "released_refs",
    metadata,
    identity(),
    Column("repository", Name, nullable=False),
    Column("site", Name, nullable=False),
    Column("ref", Name, nullable=False),
    Column("old", Name, nullable=False),
    Column("new", Name, nullable=False),
    Column("by", Prose, nullable=False),
    Column("reason", Prose, nullable=False),
    Column("at", Moment, nullable=False),
    # When it was done, or when something else stood there: then it lets nothing go any more.
    Column("ended_at", Moment),
    sqlite_autoincrement=True,
)
Index("ix_released_refs_place", released_refs.c.repository, released_refs.c.site, released_refs.c.id)

# How each repository stands at each site.
git_mirrors = Table(
    "git_mirrors",
    metadata,
    Column("repository", Name, primary_key=True),
    Column("site", Name, primary_key=True),
    Column("state", Name, nullable=False),  # equal, behind, held, refused, unreachable, failed
    Column("detail", JsonText, nullable=False, default=list),
    Column("head", Name, nullable=False, default=""),
    Column("refs", Integer, nullable=False, default=0),
    Column("checked_at", Moment, nullable=False),
    # Since when it is equal to what the source has now, and since when (by the source's change) it is not.
    Column("equal_at", Moment),
    Column("behind_since", Moment),
    # From the push of the newest change that is here until it was verified here.
    Column("lag_seconds", Float),
)

# What the source of a repository last said, and when; the sweep and the triggers stand on it.
git_sources = Table(
    "git_sources",
    metadata,
    Column("repository", Name, primary_key=True),
    Column("head", Name, nullable=False, default=""),
    Column("refs", JsonText, nullable=False, default=dict),
    # Lines that name no ref as text, escaped: they cannot be mirrored, and are never equal.
    Column("unsound", JsonText, nullable=False, default=list),
    Column("checked_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("problem", Prose, nullable=False, default=""),
)

# How each tag or digest stands at each site.
image_mirrors = Table(
    "image_mirrors",
    metadata,
    Column("repository", Name, primary_key=True),
    Column("reference", Name, primary_key=True),
    Column("site", Name, primary_key=True),
    Column("digest", Name, nullable=False),
    Column("state", Name, nullable=False),  # equal, held, refused, unreachable, failed
    Column("detail", Prose, nullable=False, default=""),
    Column("bytes_sent", BigInteger, nullable=False, default=0),
    Column("checked_at", Moment, nullable=False),
    Column("verified_at", Moment),
    # When the newest change that is here was pushed, or the oldest that is not; and when it was first verified here.
    Column("pushed_at", Moment),
    Column("equal_at", Moment),
)

# Which way a pair faces. One row a change: the newest is in force, the others are its history.
stances = Table(
    "stances",
    metadata,
    identity(),
    Column("pair", Name, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("stance", Name, nullable=False),
    Column("reason", Prose, nullable=False),
    Column("by", Prose, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("pair", "generation"),
    sqlite_autoincrement=True,
)

# The newest commit of an application that was seen and that started (or did not start) a run.
triggered = Table(
    "triggered",
    metadata,
    Column("application", Name, primary_key=True),
    Column("ref", Name, primary_key=True),
    Column("oid", Name, nullable=False),
    # What is seen for the first time and was not pushed now is remembered only.
    Column("started", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
)

# Refs that somebody said were pushed, until a trigger has looked at them.
pushed = Table(
    "pushed",
    metadata,
    Column("repository", Name, primary_key=True),
    Column("ref", Name, primary_key=True),
    Column("at", Moment, nullable=False),
)

# One PipelineRun: a snapshot of its documents, and how it stands.
runs = Table(
    "runs",
    metadata,
    identity(),
    Column("name", Name, nullable=False, unique=True),
    Column("pipeline", Name, nullable=False),
    Column("application", Name, nullable=False, default=""),
    Column("revision", Name, nullable=False, default=""),
    Column("cause", JsonText, nullable=False, default=dict),
    Column("snapshot", JsonText, nullable=False),
    Column("state", Name, nullable=False),  # pending, running, ended
    Column("status", Name, nullable=False),  # Unknown, True, False: the condition Succeeded
    Column("reason", Name, nullable=False),
    Column("message", Prose, nullable=False, default=""),
    Column("results", JsonText, nullable=False, default=list),
    Column("skipped", JsonText, nullable=False, default=list),
    # What a person or a newer run asked for: Cancelled, CancelledRunFinally, StoppedRunFinally.
    Column("requested", Name, nullable=False, default=""),
    Column("superseded_by", Name, nullable=False, default=""),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finally_at", Moment),
    Column("ended_at", Moment),
    sqlite_autoincrement=True,
)
Index("ix_runs_application", runs.c.application, runs.c.id)

# One TaskRun or CustomRun of a run.
tasks = Table(
    "tasks",
    metadata,
    identity(),
    Column("run", BIG, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("pipeline_task", Name, nullable=False),
    Column("combination", Integer, nullable=False, default=-1),  # of a matrix; -1 without one
    Column("name", Name, nullable=False),
    Column("kind", Name, nullable=False),  # TaskRun, CustomRun
    Column("section", Name, nullable=False),  # tasks, finally
    Column("state", Name, nullable=False),  # queued, running, waiting, ended
    Column("status", Name, nullable=False),
    Column("reason", Name, nullable=False),
    Column("message", Prose, nullable=False, default=""),
    # What it runs, as it was started: the TaskSpec, workspaces, timeout; retries do not change it.
    Column("spec", JsonText, nullable=False, default=dict),
    # What the run wants of it before its time: cancel, timeout.
    Column("asked", Name, nullable=False, default=""),
    Column("attempt", Integer, nullable=False, default=0),
    Column("retries", JsonText, nullable=False, default=list),
    Column("params", JsonText, nullable=False, default=dict),
    Column("results", JsonText, nullable=False, default=list),
    # What a built-in task shows for itself: a plan, digests, the progress of each site.
    Column("detail", JsonText, nullable=False, default=dict),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    UniqueConstraint("run", "pipeline_task", "combination"),
    sqlite_autoincrement=True,
)

# One step of one attempt: a finished step is not run again.
steps = Table(
    "steps",
    metadata,
    Column("task", BIG, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Name, nullable=False),
    Column("image", Name, nullable=False, default=""),
    Column("state", Name, nullable=False),  # running, ended
    Column("exit_code", Integer),
    # Completed, Error, Skipped, Continued, TimeoutExceeded, Cancelled
    Column("reason", Name, nullable=False, default=""),
    Column("results", JsonText, nullable=False, default=list),
    Column("started_at", Moment),
    Column("ended_at", Moment),
)

logs = Table(
    "logs",
    metadata,
    identity(),
    Column("task", BIG, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("step", Name, nullable=False),
    Column("at", Moment, nullable=False),
    Column("text", Prose, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_logs_task", logs.c.task, logs.c.id)

# A question to a person, bound to what it was asked about.
approvals = Table(
    "approvals",
    metadata,
    identity(),
    Column("run", BIG, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("task", BIG, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Name, nullable=False),  # approval (the pipeline asks), guard (a deploy would destroy something)
    Column("question", Prose, nullable=False),
    Column("bound", JsonText, nullable=False),  # {"commit": , "digests": , "plan": }
    Column("approvers", JsonText, nullable=False, default=list),
    # Who may not approve, whoever else may: whose change it is.
    Column("barred", JsonText, nullable=False, default=list),
    Column("needed", Integer, nullable=False, default=1),
    Column("state", Name, nullable=False),  # pending, approved, rejected, superseded, cancelled
    Column("asked_at", Moment, nullable=False),
    Column("decided_at", Moment),
    sqlite_autoincrement=True,
)
Index(
    "uq_approvals_pending",
    approvals.c.task,
    unique=True,
    sqlite_where=approvals.c.state == "pending",
    postgresql_where=approvals.c.state == "pending",
)
Index("ix_approvals_run", approvals.c.run)

decisions = Table(
    "decisions",
    metadata,
    Column("approval", BIG, ForeignKey("approvals.id", ondelete="CASCADE"), primary_key=True),
    Column("by", Name, primary_key=True),
    Column("decision", Name, nullable=False),  # approve, reject
    Column("comment", Prose, nullable=False, default=""),
    Column("at", Moment, nullable=False),
)

# What was deployed where: the last good revision of every site, and the older ones by which "behind" is known.
deployments = Table(
    "deployments",
    metadata,
    identity(),
    Column("application", Name, nullable=False),
    Column("site", Name, nullable=False),
    Column("revision", Name, nullable=False),
    Column("images", JsonText, nullable=False, default=dict),  # name -> digest
    Column("run", Name, nullable=False, default=""),
    Column("state", Name, nullable=False),  # as in lockstep/store/deployments.py
    Column("message", Prose, nullable=False, default=""),
    Column("objects", Integer, nullable=False, default=0),
    Column("changed", Integer, nullable=False, default=0),
    Column("deleted", Integer, nullable=False, default=0),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=False),
    UniqueConstraint("application", "site", "run"),
    sqlite_autoincrement=True,
)
Index("ix_deployments_site", deployments.c.application, deployments.c.site, deployments.c.id)

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
    Column("state", Name, nullable=False),  # open, acknowledged, waived, resolved
    Column("note", Prose, nullable=False, default=""),
    Column("by", Prose, nullable=False, default=""),
    Column("until", Moment),
    Column("reopened", Integer, nullable=False, default=0),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("resolved_at", Moment),
    sqlite_autoincrement=True,
)
Index("ix_findings_scope", findings.c.application, findings.c.pair, findings.c.state)

# What the readers of a Notification believe: one row for each thing that they were told of.
beliefs = Table(
    "beliefs",
    metadata,
    Column("notification", Name, primary_key=True),
    Column("subject", Name, primary_key=True),
    Column("application", Name, nullable=False, default=""),
    # The subject as it was last seen: enough to say that it is over when nothing else knows it any more.
    Column("facts", JsonText, nullable=False),
    # Whether they believe that it is so, whether it was when somebody last looked, and whether it comes and goes.
    Column("told", Boolean, nullable=False),
    Column("seen", Boolean, nullable=False),
    Column("flapping", Boolean, nullable=False, default=False),
    Column("changes", JsonText, nullable=False, default=list),
)
Index("ix_beliefs_scope", beliefs.c.notification, beliefs.c.application)

# Messages on their way, one row for each channel; ``message`` is the same for all channels, and in every attempt.
messages = Table(
    "messages",
    metadata,
    identity(),
    Column("message", Name, nullable=False),
    Column("notification", Name, nullable=False),
    Column("channel", Name, nullable=False),
    Column("kind", Name, nullable=False),
    Column("title", Prose, nullable=False),
    Column("body", Prose, nullable=False),
    Column("state", Name, nullable=False),  # waiting, sent, given_up
    Column("attempts", Integer, nullable=False, default=0),
    Column("problem", Prose, nullable=False, default=""),
    Column("made_at", Moment, nullable=False),
    Column("ended_at", Moment),
    UniqueConstraint("message", "channel"),
    sqlite_autoincrement=True,
)
Index("ix_messages_state", messages.c.state, messages.c.id)

# How each channel of a Notification does. ``channel`` names the reference to its URL, never the URL.
channels = Table(
    "channels",
    metadata,
    Column("notification", Name, primary_key=True),
    Column("channel", Name, primary_key=True),
    Column("sent", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("given_up", Integer, nullable=False, default=0),
    Column("problem", Prose, nullable=False, default=""),
    Column("failing_since", Moment),
    # Nothing is tried before this.
    Column("next_at", Moment),
    Column("sent_at", Moment),
)

# When people were last reminded of what is still so.
digests = Table(
    "digests",
    metadata,
    Column("notification", Name, primary_key=True),
    Column("at", Moment, nullable=False),
)

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

# The processes that serve, and when each last said so.
instances = Table(
    "instances",
    metadata,
    Column("id", Name, primary_key=True),
    Column("url", Name, nullable=False, default=""),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)

# Secrets of this installation itself (the key of fingerprints and sessions), sealed by the file beside it.
keys = Table(
    "keys",
    metadata,
    Column("name", Name, primary_key=True),
    Column("value", Name, nullable=False),
    Column("at", Moment, nullable=False),
)
