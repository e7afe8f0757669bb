"""The Tasks and Pipelines that a Pipeline refers to are in the configuration."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep import errors
from lockstep.documents import Path
from lockstep.topology import admission, draft, references
from lockstep.values import Json

_LISTS = ("tasks", "finally")


def check(documents: draft.Draft) -> Iterator[errors.Problem]:
    """References of pipeline tasks that lead nowhere."""
    for entry in documents.of_kind("Pipeline"):
        for field in _LISTS:
            for path, task in references.found(entry.document.value, ("spec", field, references.Each)):
                if isinstance(task, dict):
                    yield from _refers(documents, entry, (*path, "taskRef"), task.get("taskRef"))
                    yield from _refers(documents, entry, (*path, "pipelineRef"), task.get("pipelineRef"))


def _refers(documents: draft.Draft, entry: draft.Entry, path: Path, reference: Json) -> Iterator[errors.Problem]:
    if not isinstance(reference, dict):
        return
    version = reference.get("apiVersion")
    # A custom task is known by its apiVersion and kind, and whoever runs it knows its names (Tekton, "Custom tasks").
    # A resolver or a bundle fetches from elsewhere: the pipelines themselves say whether that is possible.
    if version not in (None, "", *admission.TEKTON_VERSIONS) or reference.get("resolver") or reference.get("bundle"):
        return
    kind = reference.get("kind") or ("Task" if path[-1] == "taskRef" else "Pipeline")
    name = reference.get("name")
    if kind == "ClusterTask":
        yield entry.problem((*path, "kind"), "Tekton removed ClusterTask.", "Refer to a Task of the configuration.")
    elif kind in ("Task", "Pipeline") and isinstance(name, str) and "$(" not in name:
        yield from references.dangling(documents, entry, (*path, "name"), name=name, to=(kind,))
