"""Tasks: steps, sidecars, and what they are given."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from lockstep.values import Json
from pipelines.documents.parts import (
    Duration,
    Metadata,
    Param,
    ParamSpec,
    Part,
    Reference,
    Result,
    When,
    WorkspaceDeclaration,
    WorkspaceUse,
)


class EnvVar(Part):
    """An environment variable."""

    name: str
    value: str = ""
    value_from: dict[str, Json] | None = None
    """From a key of a ConfigMap or Secret, or a field of the Pod."""


class VolumeMount(Part):
    """A volume that a step sees."""

    name: str
    mount_path: str
    sub_path: str = ""
    read_only: bool = False
    sub_path_expr: str = ""
    """Cluster."""
    mount_propagation: str = ""
    """Cluster."""
    recursive_read_only: str = ""
    """Cluster."""


class OutputConfig(Part):
    """A file that a stream is copied to."""

    path: str = ""


class Container(Part):
    """What steps, their template and sidecars have in common."""

    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[dict[str, Json], ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    image_pull_policy: str = ""
    """Cluster."""
    compute_resources: Json = None
    """Cluster."""
    security_context: Json = None
    """Cluster."""
    volume_devices: Json = None
    """Cluster."""


class Step(Container):
    """One program of a task."""

    name: str = ""
    display_name: str = ""
    script: str = ""
    timeout: Duration | None = None
    on_error: str = ""
    """``continue`` or ``stopAndFail``; may be a param until its variables are replaced."""
    when: tuple[When, ...] = ()
    workspaces: tuple[WorkspaceUse, ...] = ()
    results: tuple[Result, ...] = ()
    ref: Reference | None = None
    params: tuple[Param, ...] = ()
    stdout_config: OutputConfig | None = None
    stderr_config: OutputConfig | None = None

    @model_validator(mode="after")
    def _one_way_to_run(self) -> Self:
        if self.ref is not None:
            names = ("image", "command", "args", "script", "working_dir", "env", "volume_mounts", "results")
            given = [name for name in names if getattr(self, name)]
            if given:
                raise ValueError(f"has a ref, so it may not have {', '.join(given)}")
        elif self.params:
            raise ValueError("has params, which only a step with a ref takes")
        if self.script and self.command:
            raise ValueError("has a script and a command; keep one of them")
        if "\0" in self.script:
            raise ValueError("has a script with a NUL in it")
        if self.on_error and not self.on_error.startswith("$(") and self.on_error not in ("continue", "stopAndFail"):
            raise ValueError("has an onError that is neither continue nor stopAndFail")
        return self


class StepTemplate(Container):
    """What every step of a task begins with."""


class Sidecar(Container):
    """A program that runs beside the steps."""

    name: str = ""
    script: str = ""
    workspaces: tuple[WorkspaceUse, ...] = ()
    readiness_probe: dict[str, Json] | None = None
    ports: Json = None
    """Cluster."""
    liveness_probe: Json = None
    """Cluster."""
    startup_probe: Json = None
    """Cluster."""
    lifecycle: Json = None
    """Cluster."""
    termination_message_path: str = ""
    """Cluster."""
    termination_message_policy: str = ""
    """Cluster."""
    stdin: bool = False
    """Cluster."""
    stdin_once: bool = False
    """Cluster."""
    tty: bool = False
    """Cluster."""
    restart_policy: str = ""
    """Cluster."""

    @model_validator(mode="after")
    def _one_way_to_run(self) -> Self:
        if self.script and self.command:
            raise ValueError("has a script and a command; keep one of them")
        return self


class TaskSpec(Part):
    """What a task does."""

    display_name: str = ""
    description: str = ""
    params: tuple[ParamSpec, ...] = ()
    steps: tuple[Step, ...] = ()
    step_template: StepTemplate | None = None
    sidecars: tuple[Sidecar, ...] = ()
    workspaces: tuple[WorkspaceDeclaration, ...] = ()
    results: tuple[Result, ...] = ()
    volumes: tuple[dict[str, Json], ...] = ()


class EmbeddedTask(TaskSpec):
    """A task written inside a pipeline; with an apiVersion and kind of its own, a custom task."""

    api_version: str = ""
    kind: str = ""
    metadata: Metadata = Metadata()
    spec: Json = None

    @property
    def custom(self) -> bool:
        """Whether it is of a kind that is not Tekton's own."""
        return bool(self.api_version) and not self.api_version.startswith("tekton.dev/")

    @model_validator(mode="after")
    def _task_or_custom(self) -> Self:
        if self.steps and self.custom:
            raise ValueError("has steps and an apiVersion of its own; keep one of them")
        return self


class Task(Part):
    """A Task document."""

    api_version: str
    kind: Literal["Task"]
    metadata: Metadata = Metadata()
    spec: TaskSpec
    status: Json = None


class StepActionSpec(Part):
    """A step that many tasks share."""

    description: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    script: str = ""
    working_dir: str = ""
    params: tuple[ParamSpec, ...] = ()
    results: tuple[Result, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    security_context: Json = None
    """Cluster."""


class StepAction(Part):
    """A StepAction document."""

    api_version: str
    kind: Literal["StepAction"]
    metadata: Metadata = Metadata()
    spec: StepActionSpec
    status: Json = None
