"""Pipelines: tasks in order."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from lockstep.values import Json
from pipelines.documents.parts import (
    Duration,
    Metadata,
    Param,
    ParamSpec,
    Part,
    PipelineWorkspace,
    Reference,
    Result,
    TaskWorkspace,
    When,
)
from pipelines.documents.tasks import EmbeddedTask


class Include(Part):
    """One combination of a matrix, written out."""

    name: str = ""
    params: tuple[Param, ...] = ()


class Matrix(Part):
    """A task run once for each combination of params."""

    params: tuple[Param, ...] = ()
    include: tuple[Include, ...] = ()


class PipelineTask(Part):
    """One task of a pipeline."""

    name: str
    display_name: str = ""
    description: str = ""
    task_ref: Reference | None = None
    task_spec: EmbeddedTask | None = None
    pipeline_ref: Json = None
    pipeline_spec: Json = None
    when: tuple[When, ...] = ()
    retries: int = Field(default=0, ge=0)
    run_after: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()
    matrix: Matrix | None = None
    workspaces: tuple[TaskWorkspace, ...] = ()
    timeout: Duration | None = None
    on_error: str = ""

    @model_validator(mode="after")
    def _one_task(self) -> Self:
        given = [self.task_ref, self.task_spec, self.pipeline_ref, self.pipeline_spec]
        if sum(item is not None for item in given) != 1:
            raise ValueError("needs exactly one of taskRef and taskSpec")
        if self.on_error and not self.on_error.startswith("$(") and self.on_error not in ("continue", "stopAndFail"):
            raise ValueError("has an onError that is neither continue nor stopAndFail")
        if self.on_error == "continue" and self.retries:
            raise ValueError("has onError: continue and retries; keep one of them")
        return self

    @property
    def custom(self) -> bool:
        """Whether it is a custom task: one of Lockstep's own kinds, not steps."""
        return bool((self.task_ref and self.task_ref.custom) or (self.task_spec and self.task_spec.custom))

    @property
    def custom_kind(self) -> tuple[str, str]:
        """The apiVersion and kind of a custom task."""
        named = self.task_ref or self.task_spec
        return (named.api_version, named.kind) if named else ("", "")

    @property
    def matrixed(self) -> bool:
        """Whether it runs once for each combination."""
        return self.matrix is not None and bool(self.matrix.params or self.matrix.include)


class PipelineSpec(Part):
    """What a pipeline does."""

    display_name: str = ""
    description: str = ""
    params: tuple[ParamSpec, ...] = ()
    tasks: tuple[PipelineTask, ...] = ()
    workspaces: tuple[PipelineWorkspace, ...] = ()
    results: tuple[Result, ...] = ()
    finally_: tuple[PipelineTask, ...] = Field(default=(), alias="finally")


class Pipeline(Part):
    """A Pipeline document."""

    api_version: str
    kind: Literal["Pipeline"]
    metadata: Metadata = Metadata()
    spec: PipelineSpec
    status: Json = None
