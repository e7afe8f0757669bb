"""Runs: a pipeline or a task with the values and folders that it is to use."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from lockstep.values import Json
from pipelines.documents.parts import Duration, Metadata, Param, Part, Reference, WorkspaceBinding
from pipelines.documents.pipelines import PipelineSpec
from pipelines.documents.tasks import TaskSpec

# Tekton, config-defaults: default-timeout-minutes.
DEFAULT_TIMEOUT = timedelta(minutes=60)


class Timeouts(Part):
    """How long a run may take. Zero is for ever."""

    pipeline: Duration | None = None
    tasks: Duration | None = None
    finally_: Duration | None = Field(default=None, alias="finally")

    @model_validator(mode="after")
    def _fit(self) -> Self:
        whole = DEFAULT_TIMEOUT if self.pipeline is None else self.pipeline
        if not whole:
            return self
        for name, part in (("tasks", self.tasks), ("finally", self.finally_)):
            if part is not None and (part > whole or not part):
                raise ValueError(f"gives {name} more time than the whole pipeline has")
        if self.tasks and self.finally_ and self.tasks + self.finally_ > whole:
            raise ValueError("gives tasks and finally together more time than the whole pipeline has")
        return self

    @property
    def whole(self) -> timedelta | None:
        """For the whole run; None without a limit."""
        return (DEFAULT_TIMEOUT if self.pipeline is None else self.pipeline) or None

    @property
    def for_tasks(self) -> timedelta | None:
        """For all tasks before ``finally``; None without a limit of their own."""
        if self.tasks is not None:
            return self.tasks or None
        return self.pipeline - self.finally_ if self.pipeline and self.finally_ else None

    @property
    def for_finally(self) -> timedelta | None:
        """For the tasks of ``finally``; None without a limit of their own."""
        if self.finally_ is not None:
            return self.finally_ or None
        return self.pipeline - self.tasks if self.pipeline and self.tasks else None


class TaskRunSpecs(Part):
    """What one run says about one task of its pipeline."""

    pipeline_task_name: str
    timeout: Duration | None = None
    metadata: Json = None
    service_account_name: str = ""
    """Cluster."""
    pod_template: Json = None
    """Cluster."""
    step_specs: Json = None
    """Cluster."""
    sidecar_specs: Json = None
    """Cluster."""
    compute_resources: Json = None
    """Cluster."""


class PipelineRunSpec(Part):
    """A pipeline, and what it is to use."""

    pipeline_ref: Reference | None = None
    pipeline_spec: PipelineSpec | None = None
    params: tuple[Param, ...] = ()
    status: Literal["", "Cancelled", "CancelledRunFinally", "StoppedRunFinally", "PipelineRunPending"] = ""
    timeouts: Timeouts = Timeouts()
    workspaces: tuple[WorkspaceBinding, ...] = ()
    task_run_specs: tuple[TaskRunSpecs, ...] = ()
    task_run_template: Json = None
    """Cluster."""
    managed_by: str = ""
    """Cluster."""

    @model_validator(mode="after")
    def _one_pipeline(self) -> Self:
        if (self.pipeline_ref is None) == (self.pipeline_spec is None):
            raise ValueError("needs exactly one of pipelineRef and pipelineSpec")
        return self


class PipelineRun(Part):
    """A PipelineRun document."""

    api_version: str
    kind: Literal["PipelineRun"]
    metadata: Metadata = Metadata()
    spec: PipelineRunSpec
    status: Json = None


class TaskRunSpec(Part):
    """A task, and what it is to use."""

    task_ref: Reference | None = None
    task_spec: TaskSpec | None = None
    params: tuple[Param, ...] = ()
    status: Literal["", "TaskRunCancelled", "TaskRunPending"] = ""
    status_message: str = ""
    retries: int = Field(default=0, ge=0)
    timeout: Duration | None = None
    workspaces: tuple[WorkspaceBinding, ...] = ()
    debug: Json = None
    """Cluster."""
    service_account_name: str = ""
    """Cluster."""
    pod_template: Json = None
    """Cluster."""
    step_specs: Json = None
    """Cluster."""
    sidecar_specs: Json = None
    """Cluster."""
    compute_resources: Json = None
    """Cluster."""
    managed_by: str = ""
    """Cluster."""

    @model_validator(mode="after")
    def _one_task(self) -> Self:
        if (self.task_ref is None) == (self.task_spec is None):
            raise ValueError("needs exactly one of taskRef and taskSpec")
        return self


class TaskRun(Part):
    """A TaskRun document."""

    api_version: str
    kind: Literal["TaskRun"]
    metadata: Metadata = Metadata()
    spec: TaskRunSpec
    status: Json = None
