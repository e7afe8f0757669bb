"""What the graph is asked about, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from lockstep.values import Json
from pipelines import documents, substitution


class Skip(Enum):
    """Why a task is skipped; the texts are Tekton's (``status.skippedTasks[].reason``)."""

    STOPPING = "PipelineRun was stopping"
    CANCELLED = "PipelineRun was gracefully cancelled"
    STOPPED = "PipelineRun was gracefully stopped"
    WHEN = "When Expressions evaluated to false"
    PARENT = "Parent Tasks were skipped"
    RESULTS = "Results were missing"
    PIPELINE_TIMEOUT = "PipelineRun timeout has been reached"
    TASKS_TIMEOUT = "PipelineRun Tasks timeout has been reached"
    FINALLY_TIMEOUT = "PipelineRun Finally timeout has been reached"
    EMPTY_MATRIX = "Matrix Parameters have an empty array"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """The condition ``Succeeded``: its status (``Unknown``, ``True``, ``False``), reason and message."""

    status: str
    reason: str
    message: str

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status != "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One task of a pipeline: as it is written, what it needs, and what it runs."""

    task: documents.PipelineTask
    body: Json = field(repr=False)
    section: str
    """``tasks`` or ``finally``."""
    task_name: str = ""
    """The name of the Task that it runs; its own when that is written inline."""
    parents: tuple[str, ...] = ()
    refs: tuple[substitution.ResultRef, ...] = ()
    spec: Json = field(default=None, repr=False)
    """The TaskSpec, inline or referenced, as it is written; None of a custom task."""
    on_error: str = ""
    """``continue`` or ``stopAndFail``, its variables replaced."""

    @property
    def name(self) -> str:
        """Its name in the pipeline."""
        return self.task.name

    @property
    def ignores_failure(self) -> bool:
        """Whether its failure does not fail the run."""
        return self.on_error == "continue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run as it was asked for: its tasks in an order that respects their parents, and what names mean."""

    run: str
    """The run's name."""
    nodes: Mapping[str, Node]
    """By name, in the order in which the pipeline lists them: tasks, then finally."""
    order: tuple[str, ...]
    """The names of the section ``tasks``, each after its parents."""
    scope: substitution.Scope
    """Params of the run, its context, and which workspaces are bound."""
    results: tuple[documents.Result, ...] = ()
    timeouts: documents.Timeouts = field(default_factory=documents.Timeouts)

    @property
    def finals(self) -> tuple[str, ...]:
        """The names of the section ``finally``."""
        return tuple(name for name, node in self.nodes.items() if node.section == "finally")


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """How one TaskRun or CustomRun of a run stands."""

    name: str
    combination: int = -1
    """Its place in a matrix; -1 without one."""
    custom: bool = False
    status: str = "Unknown"
    reason: str = ""
    results: Mapping[str, documents.Value] = field(default_factory=dict)
    timed_out: bool = False
    """It was cancelled because the time of the run, or of its section, was over."""

    @property
    def done(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status != "Unknown"

    @property
    def cancelled(self) -> bool:
        """Whether somebody ended it."""
        return self.status == "False" and self.reason in ("TaskRunCancelled", "CustomRunCancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How a run stands now."""

    children: Mapping[str, tuple[Child, ...]] = field(default_factory=dict)
    """By the name of their task in the pipeline."""
    requested: str = ""
    """What was asked of the run: ``Cancelled``, ``CancelledRunFinally``, ``StoppedRunFinally``."""
    elapsed: timedelta = timedelta()
    """Since it started, without the time in which it waited for people."""
    tasks_elapsed: timedelta = timedelta()
    """The same, until ``finally`` began."""
    finally_elapsed: timedelta | None = None
    """Since ``finally`` began; None before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A TaskRun or CustomRun to create."""

    name: str
    node: Node
    task: documents.PipelineTask
    """The task with its variables replaced."""
    params: Mapping[str, documents.Value]
    spec: Json = field(default=None, repr=False)
    """The TaskSpec, with the variables of the pipeline replaced where they reach (inline specs)."""
    combination: int = -1
    display_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A task that will not run, and why."""

    name: str
    reason: Skip
    when: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done now, and how the run stands when it is done."""

    condition: Condition
    start: tuple[Start, ...] = ()
    stop: Mapping[str, bool] = field(default_factory=dict)
    """Names of children to end; true where it is because the time is over."""
    skipped: tuple[Skipped, ...] = ()
    finally_begins: bool = False
    results: tuple[tuple[str, documents.Value], ...] = ()
    """Of the pipeline, once it has ended."""
