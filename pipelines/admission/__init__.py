"""Whether a run can start: the questions of Tekton's admission and reconciler, in their order, with their words.

It receives a snapshot; it hands on a plan, or the condition with which the run ends before anything has begun.
Pure.
"""

from pipelines.admission.findings import Finding
from pipelines.admission.pipelines import in_pipeline
from pipelines.admission.refusal import Refusal
from pipelines.admission.runs import pipeline_run
from pipelines.admission.task_runs import task_run
from pipelines.admission.tasks import in_task

__all__ = ["Finding", "Refusal", "in_pipeline", "in_task", "pipeline_run", "task_run"]
