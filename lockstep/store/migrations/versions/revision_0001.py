"""The tables of the first release."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None

# As lockstep/store/tables/base.py has it: SQLite counts up INTEGER PRIMARY KEY only.
_BIG: TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _id() -> sa.Column[int]:
    return sa.Column("id", _BIG, autoincrement=True, nullable=False)


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def _integers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=nullable) for name in names]


def _ids(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, _BIG, nullable=nullable) for name in names]


def _index(name: str, table: str, columns: list[str], *, where: str = "", unique: bool = False) -> None:
    only = sa.text(where) if where else None
    terms = [column if column.isidentifier() else sa.text(column) for column in columns]
    op.create_index(name, table, terms, unique=unique, sqlite_where=only, postgresql_where=only)


def upgrade() -> None:
    """Make all tables."""
    _receiving()
    _mirroring()
    _directing()
    _running()
    _approving()
    _deploying()
    _comparing()
    _serving()
    _working()


def _receiving() -> None:
    op.create_table(
        "deliveries",
        _id(),
        *_texts("hook", "provider", "delivery", "event", "headers"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        *_moments("received_at"),
        *_texts("state", "reason", "events"),
        *_integers("duplicates"),
        *_moments("done_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("hook", "delivery", name="uq_deliveries_hook_delivery"),
        sqlite_autoincrement=True,
    )
    _index("ix_deliveries_received_at", "deliveries", ["received_at"])
    _index("ix_deliveries_state", "deliveries", ["state", "id"])
    op.create_table(
        "hooks",
        *_texts("hook"),
        *_integers("accepted", "refused"),
        *_moments("last_accepted_at", "last_refused_at", nullable=True),
        *_texts("last_refusal"),
        sa.PrimaryKeyConstraint("hook", name="pk_hooks"),
    )


def _mirroring() -> None:
    op.create_table(
        "written_refs",
        *_texts("repository", "site", "ref", "oid"),
        *_moments("written_at"),
        sa.PrimaryKeyConstraint("repository", "site", "ref", name="pk_written_refs"),
    )
    op.create_table(
        "released_refs",
        _id(),
        *_texts("repository", "site", "ref", "old", "new", "by", "reason"),
        *_moments("at"),
        *_moments("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_released_refs"),
        sqlite_autoincrement=True,
    )
    _index("ix_released_refs_place", "released_refs", ["repository", "site", "id"])
    op.create_table(
        "git_mirrors",
        *_texts("repository", "site", "state", "detail", "head"),
        *_integers("refs"),
        *_moments("checked_at"),
        *_moments("equal_at", "behind_since", nullable=True),
        sa.Column("lag_seconds", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("repository", "site", name="pk_git_mirrors"),
    )
    op.create_table(
        "git_sources",
        *_texts("repository", "head", "refs", "unsound"),
        *_moments("checked_at", "changed_at"),
        *_texts("problem"),
        sa.PrimaryKeyConstraint("repository", name="pk_git_sources"),
    )
    op.create_table(
        "image_mirrors",
        *_texts("repository", "reference", "site", "digest", "state", "detail"),
        sa.Column("bytes_sent", sa.BigInteger(), nullable=False),
        *_moments("checked_at"),
        *_moments("verified_at", nullable=True),
        sa.PrimaryKeyConstraint("repository", "reference", "site", name="pk_image_mirrors"),
    )


def _directing() -> None:
    op.create_table(
        "stances",
        _id(),
        *_texts("pair"),
        *_integers("generation"),
        *_texts("stance", "reason", "by"),
        *_moments("at"),
        sa.PrimaryKeyConstraint("id", name="pk_stances"),
        sa.UniqueConstraint("pair", "generation", name="uq_stances_pair_generation"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "triggered",
        *_texts("application", "ref", "oid"),
        sa.Column("started", sa.Boolean(), nullable=False),
        *_moments("at"),
        sa.PrimaryKeyConstraint("application", "ref", name="pk_triggered"),
    )
    op.create_table(
        "pushed",
        *_texts("repository", "ref"),
        *_moments("at"),
        sa.PrimaryKeyConstraint("repository", "ref", name="pk_pushed"),
    )


def _running() -> None:
    op.create_table(
        "runs",
        _id(),
        *_texts(
            "name",
            "pipeline",
            "application",
            "revision",
            "cause",
            "snapshot",
            "state",
            "status",
            "reason",
            "message",
            "results",
            "skipped",
            "requested",
            "superseded_by",
        ),
        *_moments("created_at"),
        *_moments("started_at", "finally_at", "ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("name", name="uq_runs_name"),
        sqlite_autoincrement=True,
    )
    _index("ix_runs_application", "runs", ["application", "id"])
    op.create_table(
        "tasks",
        _id(),
        *_ids("run"),
        *_texts("pipeline_task"),
        *_integers("combination"),
        *_texts("name", "kind", "section", "state", "status", "reason", "message", "spec", "asked"),
        *_integers("attempt"),
        *_texts("retries", "params", "results", "detail"),
        *_moments("created_at"),
        *_moments("started_at", "ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
        sa.UniqueConstraint("run", "pipeline_task", "combination", name="uq_tasks_run_pipeline_task_combination"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_tasks_run", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    _stepping()


def _stepping() -> None:
    op.create_table(
        "steps",
        *_ids("task"),
        *_integers("attempt", "position"),
        *_texts("name", "image", "state"),
        *_integers("exit_code", nullable=True),
        *_texts("reason", "results"),
        *_moments("started_at", "ended_at", nullable=True),
        sa.PrimaryKeyConstraint("task", "attempt", "position", name="pk_steps"),
        sa.ForeignKeyConstraint(["task"], ["tasks.id"], name="fk_steps_task", ondelete="CASCADE"),
    )
    op.create_table(
        "logs",
        _id(),
        *_ids("task"),
        *_integers("attempt"),
        *_texts("step"),
        *_moments("at"),
        *_texts("text"),
        sa.PrimaryKeyConstraint("id", name="pk_logs"),
        sa.ForeignKeyConstraint(["task"], ["tasks.id"], name="fk_logs_task", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    _index("ix_logs_task", "logs", ["task", "id"])


def _approving() -> None:
    op.create_table(
        "approvals",
        _id(),
        *_ids("run", "task"),
        *_texts("kind", "question", "bound", "approvers", "barred"),
        *_integers("needed"),
        *_texts("state"),
        *_moments("asked_at"),
        *_moments("decided_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_approvals_run", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["task"], ["tasks.id"], name="fk_approvals_task", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    _index("ix_approvals_run", "approvals", ["run"])
    _index("uq_approvals_pending", "approvals", ["task"], unique=True, where="state = 'pending'")
    op.create_table(
        "decisions",
        *_ids("approval"),
        *_texts("by", "decision", "comment"),
        *_moments("at"),
        sa.PrimaryKeyConstraint("approval", "by", name="pk_decisions"),
        sa.ForeignKeyConstraint(["approval"], ["approvals.id"], name="fk_decisions_approval", ondelete="CASCADE"),
    )


def _deploying() -> None:
    op.create_table(
        "deployments",
        _id(),
        *_texts("application", "site", "revision", "images", "run", "state", "message"),
        *_integers("objects", "changed", "deleted"),
        *_moments("started_at", "ended_at"),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
        sa.UniqueConstraint("application", "site", "run", name="uq_deployments_application_site_run"),
        sqlite_autoincrement=True,
    )
    _index("ix_deployments_site", "deployments", ["application", "site", "id"])


def _comparing() -> None:
    op.create_table(
        "scans",
        *_texts("application", "pair", "verdict", "revision", "stance", "coverage", "counts", "problem"),
        *_integers("objects"),
        *_moments("started_at", "ended_at"),
        *_moments("in_step_at", nullable=True),
        sa.PrimaryKeyConstraint("application", "pair", name="pk_scans"),
    )
    op.create_table(
        "findings",
        _id(),
        *_texts(
            "fingerprint",
            "application",
            "pair",
            "verdict",
            "group",
            "kind",
            "namespace",
            "name",
            "site",
            "path",
            "people_path",
        ),
        sa.Column("managed", sa.Boolean(), nullable=False),
        *_texts("values", "cause"),
        sa.Column("severity", sa.Float(), nullable=False),
        *_texts("state", "note", "by"),
        *_moments("until", nullable=True),
        *_integers("reopened"),
        *_moments("first_seen", "last_seen"),
        *_moments("resolved_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
        sa.UniqueConstraint("fingerprint", name="uq_findings_fingerprint"),
        sqlite_autoincrement=True,
    )
    _index("ix_findings_scope", "findings", ["application", "pair", "state"])


def _serving() -> None:
    op.create_table(
        "instances",
        *_texts("id", "url"),
        *_moments("started_at", "seen_at"),
        sa.PrimaryKeyConstraint("id", name="pk_instances"),
    )
    op.create_table("keys", *_texts("name", "value"), *_moments("at"), sa.PrimaryKeyConstraint("name", name="pk_keys"))


def _working() -> None:
    op.create_table(
        "jobs",
        _id(),
        *_texts("kind", "payload", "coalesce_key", "limits"),
        *_integers("priority"),
        *_texts("state", "waits_for"),
        *_moments("run_at", "latest_at"),
        *_integers("attempts", "failures", "crashes"),
        *_texts("fence"),
        *_moments("lease_until", nullable=True),
        *_texts("message"),
        *_ids("joined", nullable=True),
        *_moments("created_at"),
        *_moments("started_at", "ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sqlite_autoincrement=True,
    )
    _index(
        "ix_jobs_blocked",
        "jobs",
        ["waits_for", "priority DESC", "id"],
        where="state = 'queued' AND waits_for != '' AND waits_for != 'time'",
    )
    _index("ix_jobs_ended", "jobs", ["ended_at"], where="ended_at IS NOT NULL")
    _index("ix_jobs_ready", "jobs", ["priority DESC", "id"], where="state = 'queued' AND waits_for = ''")
    _index("ix_jobs_running", "jobs", ["lease_until"], where="state = 'running'")
    _index("ix_jobs_timed", "jobs", ["run_at"], where="state = 'queued' AND waits_for = 'time'")
    _index("ix_jobs_troubled", "jobs", ["id"], where="state IN ('failed', 'aside')")
    _index("uq_jobs_coalesce", "jobs", ["coalesce_key"], unique=True, where="state = 'queued' AND coalesce_key != ''")
    op.create_table(
        "slots",
        *_texts("key"),
        *_integers("running"),
        sa.Column("waited", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_slots"),
    )
    _index("ix_slots_waited", "slots", ["key"], where="waited")
    op.create_table(
        "schedules",
        *_texts("name", "job"),
        sa.Column("every_seconds", sa.Float(), nullable=False),
        *_moments("next_at"),
        sa.PrimaryKeyConstraint("name", name="pk_schedules"),
    )
