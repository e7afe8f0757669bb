"""From a YAML document to a model, with every problem said at its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from lockstep import documents, errors
from lockstep.topology import suggest
from lockstep.values import Json
from pipelines.documents import kept, older
from pipelines.documents.parts import REPLACED, Part
from pipelines.documents.pipelines import Pipeline
from pipelines.documents.runs import PipelineRun, TaskRun
from pipelines.documents.tasks import StepAction, Task

Model: TypeAlias = Task | Pipeline | StepAction | PipelineRun | TaskRun
_KINDS: dict[str, type[Model]] = {
    "Task": Task,
    "Pipeline": Pipeline,
    "StepAction": StepAction,
    "PipelineRun": PipelineRun,
    "TaskRun": TaskRun,
}
_Part = TypeVar("_Part", bound=Part)
_VERSIONS = ("tekton.dev/v1", "tekton.dev/v1beta1", "tekton.dev/v1alpha1")
# What people are told for the errors of Pydantic that they meet; others speak for themselves.
_SAID = {
    "string_type": ("is not text.", "Put it in quotes."),
    "int_type": ("is not a whole number.", "Write it without quotes."),
    "bool_type": ("is neither true nor false.", "Write true or false, without quotes."),
    "tuple_type": ("is not a list.", "Write a list."),
    "dict_type": ("is not a mapping.", "Write key: value lines."),
    "model_type": ("is not a mapping.", "Write key: value lines."),
    "model_attributes_type": ("is not a mapping.", "Write key: value lines."),
    "missing": ("is missing.", "Add it."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One document that was understood: as v1 JSON, as a model, and where its values stand."""

    kind: str
    name: str
    body: dict[str, Json] = field(repr=False)
    model: Model = field(repr=False)
    source: documents.Document = field(repr=False)

    def problem(self, path: documents.Path, message: str, remedy: str) -> errors.Problem:
        """A problem at a place of this document."""
        line, _ = self.source.place(path)
        return errors.Problem(file=self.source.file, line=line, field=path_text(path), message=message, remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Documents that were understood, by name, and the runs among them, in their order."""

    tasks: Mapping[str, Read] = field(default_factory=dict)
    pipelines: Mapping[str, Read] = field(default_factory=dict)
    step_actions: Mapping[str, Read] = field(default_factory=dict)
    runs: tuple[Read, ...] = ()
    keys: Mapping[tuple[str, str], Mapping[str, bytes]] = field(default_factory=dict, repr=False)
    """ConfigMaps and Secrets that stand beside them: (kind, name) to the bytes of each key."""


def is_tekton(document: documents.Document) -> bool:
    """Whether a document says that it is Tekton's."""
    value = document.value
    return isinstance(value, dict) and str(value.get("apiVersion", "")).startswith("tekton.dev/")


def understand(document: documents.Document) -> Read:
    """Read one Tekton document.

    Raises:
        ConfigurationError: With everything that is wrong in it.
    """
    value = document.value
    if not isinstance(value, dict) or value.get("apiVersion") not in _VERSIONS or value.get("kind") not in _KINDS:
        raise errors.ConfigurationError([_not_ours(document)])
    body = _spelled(older.to_v1(_without_nulls(value)), _KINDS[value["kind"]])
    try:
        model = _KINDS[body["kind"]].model_validate_json(orjson.dumps(body))
    except ValidationError as error:
        problems = [_problem(document, body, details) for details in error.errors(include_url=False)]
        raise errors.ConfigurationError(problems) from None
    return Read(kind=body["kind"], name=model.metadata.name, body=body, model=model, source=document)


def part(model: type[_Part], body: Json) -> _Part:
    """A part of a document that was understood before.

    Raises:
        ValidationError: It was not.
    """
    return model.model_validate_json(orjson.dumps(body))


def replaced(model: type[_Part], body: Json) -> _Part:
    """A part of a document once its variables are replaced.

    Raises:
        ValidationError: They made something of it that it cannot be.
    """
    return model.model_validate_json(orjson.dumps(body), context=REPLACED)


def library(sources: Iterable[documents.Document]) -> Library:
    """Read many documents; ConfigMaps and Secrets are taken along, other kinds that are not Tekton's passed over.

    Raises:
        ConfigurationError: With everything that is wrong in all of them.
    """
    problems: list[errors.Problem] = []
    named: dict[str, dict[str, Read]] = {kind: {} for kind in _KINDS}
    runs: list[Read] = []
    keys: dict[tuple[str, str], Mapping[str, bytes]] = {}
    for source in sources:
        if not is_tekton(source):
            keys.update(kept.keys_of(source))
            continue
        try:
            read = understand(source)
        except errors.ConfigurationError as error:
            problems.extend(error.problems)
            continue
        if read.kind in ("PipelineRun", "TaskRun"):
            runs.append(read)
        elif not read.name:
            problems.append(read.problem(("metadata", "name"), "is missing.", "Give the document a name."))
        elif named[read.kind].setdefault(read.name, read) is not read:
            problems.append(read.problem(("metadata", "name"), f"is the name of two {read.kind}s.", "Rename one."))
    if problems:
        raise errors.ConfigurationError(problems)
    return Library(
        tasks=named["Task"],
        pipelines=named["Pipeline"],
        step_actions=named["StepAction"],
        runs=tuple(runs),
        keys=keys,
    )


def load(files: Iterable[Path]) -> Library:
    """Read files; see ``library``.

    Raises:
        InputError: A file cannot be read, is not YAML, or holds something that is wrong.
    """
    sources: list[documents.Document] = []
    for file in files:
        try:
            data = file.read_bytes()
        except OSError as error:
            raise errors.InputError(f"{file} cannot be read: {error.strerror}.", remedy="Check the path.") from error
        sources.extend(documents.read(data, file=str(file)))
    return library(sources)


def path_text(path: documents.Path) -> str:
    """A path as people write it: ``spec.tasks[1].name``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _not_ours(document: documents.Document) -> errors.Problem:
    value = document.value if isinstance(document.value, dict) else {}
    kinds = ", ".join(sorted(_KINDS))
    return errors.Problem(
        file=document.file,
        line=document.line,
        field="kind",
        message=f"{value.get('apiVersion')} {value.get('kind')} is not a document that runs here.",
        remedy=f"Use apiVersion tekton.dev/v1 and one of the kinds {kinds}.",
    )


def _without_nulls(value: Json) -> Json:
    """Kubernetes takes ``key: null`` for "not given"."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _spelled(value: Json, model: type[BaseModel] | None) -> Json:
    """Field names in their own spelling: Tekton's admission reads them whatever their case (encoding/json)."""
    if model is None:
        return value
    if isinstance(value, list):
        return [_spelled(item, model) for item in value]
    if not isinstance(value, dict):
        return value
    known = {name.lower(): name for name in _names(model)}
    spelled: dict[str, Json] = {}
    for key, item in value.items():
        name = known.get(str(key).lower()) or str(key)
        # Both spellings at once are one too many: the odd one stays, to be refused.
        spelled[name if name not in value else key] = _spelled(item, _below(model, name))
    return spelled


def _problem(document: documents.Document, body: Json, details: ErrorDetails) -> errors.Problem:
    path = _existing(body, details["loc"], missing=details["type"] in ("missing", "extra_forbidden"))
    line, _ = document.place(path)
    message, remedy = _SAID.get(details["type"], ("", ""))
    if details["type"] == "extra_forbidden":
        message, remedy = "is not a field that is known here.", _did_you_mean(body, path)
    elif details["type"] == "value_error":
        message, remedy = f"{details['msg'].removeprefix('Value error, ')}.", "Mend it."
    elif not message:
        message, remedy = f"is wrong: {details['msg']}.", "Mend it."
    return errors.Problem(file=document.file, line=line, field=path_text(path), message=message, remedy=remedy)


def _existing(body: Json, loc: tuple[int | str, ...], *, missing: bool) -> documents.Path:
    """The path of an error without the parts that Pydantic adds for unions and validators."""
    path: list[str | int] = []
    for part in loc:
        if (isinstance(body, dict) and part in body) or (isinstance(body, list) and part in range(len(body))):
            body = body[part]  # type: ignore[index]  # mypy does not follow that a list's part is a number
        elif not (missing and part == loc[-1]):
            break
        path.append(part)
    return tuple(path)


def _did_you_mean(body: Json, path: documents.Path) -> str:
    model: type[BaseModel] | None = _KINDS.get(body.get("kind", ""))
    for part in path[:-1]:
        model = _below(model, part) if model else None
    return suggest.remedy(str(path[-1]) if path else "", _names(model) if model else {}, otherwise="Remove it.")


def _below(model: type[BaseModel], part: str | int) -> type[BaseModel] | None:
    """The model of a field's value; a position in a list keeps the list's model."""
    if isinstance(part, int):
        return model
    info = _names(model).get(part)
    return _model_in(info.annotation) if info else None


def _names(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the names that documents use."""
    return {str(info.alias or name): info for name, info in model.model_fields.items()}


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if getattr(annotation, "__origin__", None) is dict:
        return None
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found:
            return found
    return None
