"""Tekton's documents as frozen models: ``Pipeline Task StepAction PipelineRun TaskRun``.

It receives YAML that was read with the places of its values; it hands on models and their v1 JSON. It refuses
what would change the meaning of a document (an unknown field, a wrong type, two ways to run one step) and keeps
what matters only on a cluster (``securityContext``, ``computeResources``, ``podTemplate`` ...). Whether the
documents fit together is not looked at here: that is ``pipelines.admission`` and ``pipelines.lint``.
"""

from pipelines.documents.parts import (
    LABEL,
    Param,
    ParamSpec,
    Part,
    Reference,
    Result,
    When,
    WorkspaceBinding,
    WorkspaceDeclaration,
    WorkspaceUse,
)
from pipelines.documents.pipelines import Matrix, Pipeline, PipelineSpec, PipelineTask
from pipelines.documents.reading import Library, Read, is_tekton, library, load, part, path_text, replaced, understand
from pipelines.documents.runs import DEFAULT_TIMEOUT, PipelineRun, PipelineRunSpec, TaskRun, TaskRunSpec, Timeouts
from pipelines.documents.tasks import (
    EmbeddedTask,
    EnvVar,
    Sidecar,
    Step,
    StepAction,
    StepActionSpec,
    StepTemplate,
    Task,
    TaskSpec,
    VolumeMount,
)
from pipelines.documents.values import Type, Value, as_json, texts_of, type_of, value_of

__all__ = [
    "DEFAULT_TIMEOUT",
    "LABEL",
    "EmbeddedTask",
    "EnvVar",
    "Library",
    "Matrix",
    "Param",
    "ParamSpec",
    "Part",
    "Pipeline",
    "PipelineRun",
    "PipelineRunSpec",
    "PipelineSpec",
    "PipelineTask",
    "Read",
    "Reference",
    "Result",
    "Sidecar",
    "Step",
    "StepAction",
    "StepActionSpec",
    "StepTemplate",
    "Task",
    "TaskRun",
    "TaskRunSpec",
    "TaskSpec",
    "Timeouts",
    "Type",
    "Value",
    "VolumeMount",
    "When",
    "WorkspaceBinding",
    "WorkspaceDeclaration",
    "WorkspaceUse",
    "as_json",
    "is_tekton",
    "library",
    "load",
    "part",
    "path_text",
    "replaced",
    "texts_of",
    "type_of",
    "understand",
    "value_of",
]
