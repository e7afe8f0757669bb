"""Runs with their tasks, steps, logs and approvals, and what they deployed where."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint

from lockstep.store.columns import JsonText, Moment, Name, Prose
from lockstep.store.tables.base import BIG, identity, metadata

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
