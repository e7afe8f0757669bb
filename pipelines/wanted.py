"""The runs that some files ask for, with values from the command line over their params. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import orjson

from lockstep import documents as yaml
from lockstep import errors
from lockstep.values import Json
from pipelines import documents
from pipelines.documents import Library, ParamSpec, Read, Value


def runs(library: Library, params: Mapping[str, str]) -> list[Read]:
    """The runs among the documents; where there are none, one of the only pipeline, or of the only task.

    Raises:
        InputError: Nothing can be run, or several could, or a value is not of the type that is declared.
    """
    listed = library.runs or (_made(library),)
    return [_with_params(run, library, params) for run in listed]


def _made(library: Library) -> Read:
    for kind, field, named, folder in (
        ("PipelineRun", "pipelineRef", library.pipelines, "volumeClaimTemplate"),
        ("TaskRun", "taskRef", library.tasks, "emptyDir"),
    ):
        if len(named) > 1:
            names = ", ".join(sorted(named))
            raise errors.InputError(f"There are several to run: {names}.", remedy=f"Add a {kind} that names one.")
        for name, read in named.items():
            needed = [one["name"] for one in read.body["spec"].get("workspaces", ()) if not one.get("optional")]
            bindings = [{"name": workspace, folder: {}} for workspace in needed]
            return _read(kind, {"generateName": f"{name}-"}, {field: {"name": name}, "workspaces": bindings})
    raise errors.InputError("There is nothing to run.", remedy="Give a Pipeline, a Task, or a run of one.")


def _read(kind: str, metadata: Json, spec: Json) -> Read:
    body = {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": metadata, "spec": spec}
    return documents.understand(yaml.Document(value=body, file=f"the {kind} made from the files", line=0, places={}))


def _with_params(run: Read, library: Library, params: Mapping[str, str]) -> Read:
    if not params:
        return run
    declared = {spec.name: spec for spec in _declared(run, library)}
    given = {param["name"]: param for param in run.body["spec"].get("params", ())}
    for name, text in params.items():
        given[name] = {"name": name, "value": documents.as_json(_value(text, declared.get(name)))}
    body = {**run.body, "spec": {**run.body["spec"], "params": list(given.values())}}
    return documents.understand(yaml.Document(value=body, file=run.source.file, line=run.source.line, places={}))


def _declared(run: Read, library: Library) -> Iterator[ParamSpec]:
    spec = run.body["spec"]
    for inline, reference, named in (
        ("pipelineSpec", "pipelineRef", library.pipelines),
        ("taskSpec", "taskRef", library.tasks),
    ):
        found = spec.get(inline)
        name = spec.get(reference, {}).get("name", "")
        if found is None and name in named:
            found = named[name].body["spec"]
        for param in (found or {}).get("params", ()):
            yield documents.part(ParamSpec, param)


def _value(text: str, spec: ParamSpec | None) -> Value:
    """A text as the type that is declared: an array is JSON or has commas, an object is JSON."""
    kind = spec.kind if spec else "string"
    if kind == "string":
        return text
    try:
        value = documents.value_of(orjson.loads(text)) if text[:1] in ("[", "{") else text
    except orjson.JSONDecodeError:
        value = text
    if kind == "array" and isinstance(value, str):
        value = tuple(text.split(",")) if text else ()
    if documents.type_of(value) != kind:
        name = spec.name if spec else ""
        raise errors.InputError(f"The param {name} is of type {kind}.", remedy='Write an object as {"key": "value"}.')
    return value
