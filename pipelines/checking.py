"""Whether the pipelines of a configuration can run, said before anybody pushes. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep import documents as yaml
from lockstep import errors
from lockstep.topology import kinds, model
from pipelines import admission, documents, lint, plans, triggers
from pipelines.admission import Finding
from pipelines.documents import Library, Read
from pipelines.local import unsupported

# Any commit will do: which one it is decides nothing about whether a run can start.
_COMMIT = "0" * 40


def problems(topology: model.Topology) -> list[errors.Problem]:
    """What is wrong in the Tekton documents, each at its place; first of all whether they can be read.

    Each Task and Pipeline is looked at by itself, and each application's pipeline with the params that its runs
    are given.
    """
    try:
        library = triggers.library_of(topology)
    except errors.ConfigurationError as error:
        return list(error.problems)
    found = [problem for read in _reads(library) for problem in _alone(read)]
    return found or [problem for one in topology.applications.values() for problem in _application(one, library)]


def notes(topology: model.Topology) -> list[errors.Problem]:
    """What is valid and worth a second look; see ``pipelines.lint``."""
    return [note for read in _reads(triggers.library_of(topology)) for note in lint.notes(read)]


def _reads(library: Library) -> list[Read]:
    return [*library.tasks.values(), *library.pipelines.values(), *library.step_actions.values()]


def _alone(read: Read) -> Iterator[errors.Problem]:
    spec = read.body["spec"]
    found: list[Finding] = []
    if isinstance(read.model, documents.Task):
        found = [*admission.in_task(read.model.spec, spec), *unsupported.of_task(read.model.spec, spec)]
    elif isinstance(read.model, documents.Pipeline):
        found = [*admission.in_pipeline(read.model.spec, spec), *_inline(read.model.spec, spec)]
    for finding in found:
        yield read.problem(("spec", *finding.path), f"{finding.message}.", finding.remedy)


def _inline(pipeline: documents.PipelineSpec, body: dict[str, object]) -> Iterator[Finding]:
    """What the tasks of a pipeline ask for that cannot be had here; each written inline, or read from elsewhere."""
    for section, listed in (("tasks", pipeline.tasks), ("finally", pipeline.finally_)):
        for index, task in enumerate(listed):
            written = body[section][index]  # type: ignore[index]  # JSON that was validated: lists of mappings
            path: yaml.Path = (section, index)
            yield from (_below(one, path) for one in unsupported.of_pipeline_task(written))
            if task.task_spec is not None and not task.custom:
                inner = unsupported.of_task(task.task_spec, written["taskSpec"])
                yield from (_below(one, (*path, "taskSpec")) for one in inner)


def _below(finding: Finding, path: yaml.Path) -> Finding:
    return Finding(path=(*path, *finding.path), message=finding.message, remedy=finding.remedy)


def _application(application: kinds.Application, library: Library) -> Iterator[errors.Problem]:
    """Why the runs of an application would all end before they begin."""
    pipeline = application.spec.pipeline
    read = library.pipelines.get(pipeline.name) if pipeline else None
    if read is None:
        return
    moved = triggers.Moved(ref=f"refs/heads/{application.spec.source.branch}", old=None, new=_COMMIT)
    refused = plans.prepare(triggers.request(application, library, moved).snapshot).refused
    if refused is not None:
        message = f"cannot be run for the application {application.name}: {refused.reason}: {refused.message}."
        yield read.problem(("metadata", "name"), message, "Mend it, or the params of the application.")
