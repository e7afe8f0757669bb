"""Notes on documents that are valid all the same: what is dangerous, and what has no effect here. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lockstep import documents as yaml
from lockstep import errors
from lockstep.values import Json
from pipelines import documents, substitution
from pipelines.documents import Read

# What a webhook decides: the name of a branch may be anything that git allows, `$(reboot)` too.
FROM_OUTSIDE = frozenset({"ref", "branch", "tag", "revision", "repository", "message", "author", "title", "url"})


WITHOUT_EFFECT = frozenset(
    {
        "computeResources",
        "debug",
        "imagePullPolicy",
        "lifecycle",
        "livenessProbe",
        "managedBy",
        "mountPropagation",
        "podTemplate",
        "ports",
        "recursiveReadOnly",
        "restartPolicy",
        "securityContext",
        "serviceAccountName",
        "sidecarSpecs",
        "startupProbe",
        "stdin",
        "stdinOnce",
        "stepSpecs",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "tty",
    }
)
"""Fields that say how a cluster is to treat a Pod. There is none here; the volumes of a podTemplate are made."""
# Their values are the author's own: a key in them is no field.
_NO_FIELDS = ("params", "matrix", "default", "metadata", "annotations", "labels", "data")


def notes(read: Read) -> list[errors.Problem]:
    """Everything worth a second look in a document."""
    return [*injections(read), *without_effect(read)]


def without_effect(read: Read) -> list[errors.Problem]:
    """Fields that do nothing here; each name once, at the first place where it stands."""
    found: dict[str, yaml.Path] = {}
    for path in _paths(read.body.get("spec"), ("spec",)):
        if path[-1] in WITHOUT_EFFECT:
            found.setdefault(str(path[-1]), path)
    return [
        read.problem(path, "has no effect where steps run without a cluster.", "Take it away, or run it on Tekton.")
        for path in found.values()
    ]


def _paths(body: Json, path: yaml.Path) -> Iterator[yaml.Path]:
    if isinstance(body, dict):
        for key, item in body.items():
            yield (*path, key)
            if key not in _NO_FIELDS:
                yield from _paths(item, (*path, key))
    elif isinstance(body, list):
        for index, item in enumerate(body):
            yield from _paths(item, (*path, index))


def injections(read: Read) -> list[errors.Problem]:
    """Where the value of a param becomes part of a program: ``$(params.x)`` inside a ``script``.

    Variables are replaced without any escaping, so whoever chooses the value writes the program. It is said of
    every param whose name suggests that a webhook gives it, and of every one that a pipeline passes on from such
    a one. Reading the value through ``env`` is safe.
    """
    return [
        read.problem(
            path,
            f"puts $(params.{name}) into a program: whoever chooses its value chooses what is run.",
            f'Give it by env and write "${{{name.upper().replace("-", "_").replace(".", "_")}}}".',
        )
        for path, name in _injected(read)
    ]


def _injected(read: Read) -> Iterator[tuple[yaml.Path, str]]:
    spec = read.body["spec"]
    if read.kind == "Task":
        yield from _scripts(spec, ("spec",), FROM_OUTSIDE)
    elif read.kind == "TaskRun" and "taskSpec" in spec:
        yield from _scripts(spec["taskSpec"], ("spec", "taskSpec"), FROM_OUTSIDE)
    elif read.kind == "Pipeline":
        yield from _pipeline(spec, ("spec",))
    elif read.kind == "PipelineRun" and "pipelineSpec" in spec:
        yield from _pipeline(spec["pipelineSpec"], ("spec", "pipelineSpec"))


def _pipeline(spec: Json, path: yaml.Path) -> Iterator[tuple[yaml.Path, str]]:
    for section in ("tasks", "finally"):
        for index, task in enumerate(spec.get(section, ())):
            if "taskSpec" in task:
                passed = {name for name, texts in _given(task) if any(_reads_outside(text) for text in texts)}
                where = (*path, section, index, "taskSpec")
                yield from _scripts(task["taskSpec"], where, FROM_OUTSIDE | passed)


def _given(task: Json) -> Iterator[tuple[str, list[str]]]:
    for param in task.get("params", ()):
        yield param["name"], documents.texts_of(documents.value_of(param.get("value")))


def _reads_outside(text: str) -> bool:
    return any(name in FROM_OUTSIDE for name in substitution.param_names(text))


def _scripts(spec: Json, path: yaml.Path, names: frozenset[str]) -> Iterator[tuple[yaml.Path, str]]:
    for field in ("steps", "sidecars"):
        for index, step in enumerate(spec.get(field, ())):
            found = [name for name in substitution.param_names(str(step.get("script", ""))) if name in names]
            for name in dict.fromkeys(found):
                yield (*path, field, index, "script"), name
