"""One document: whose it is, its name, and whether its model takes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import orjson
import pydantic

from lockstep import documents, errors
from lockstep.documents import Path
from lockstep.topology import draft, kinds, scalars, suggest, wording
from lockstep.values import Json

TEKTON_VERSIONS = ("tekton.dev/v1", "tekton.dev/v1beta1")
_NAME = re.compile(scalars.NAME_PATTERN)
_RUN = "Start it with lockstep pipeline run or start; a configuration holds Pipelines and Tasks only."
# What people bring from a Tekton cluster, and what to do with it here.
_OTHER_TEKTON = {
    "PipelineRun": _RUN,
    "TaskRun": _RUN,
    "CustomRun": _RUN,
    "Run": _RUN,
    "ClusterTask": "Write it as kind Task.",
    "StepAction": "Write its step into the Task that uses it.",
    "PipelineResource": "Use params and workspaces; Tekton removed it.",
    "EventListener": "Write a Webhook, and onPush in the Application.",
    "Trigger": "Write onPush in the Application.",
    "TriggerBinding": "Write onPush in the Application.",
    "TriggerTemplate": "Write onPush in the Application.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What a document turned out to be. ``entry`` is None when it has no name that could be referred to."""

    entry: draft.Entry | None
    kind: str
    """Its kind, or the one that is meant; empty when nobody can tell."""
    problems: tuple[errors.Problem, ...]


def admit(document: documents.Document) -> Admitted:
    """Read one document as one of our kinds or Tekton's."""
    value = document.value
    if not isinstance(value, dict):
        problem = draft.problem_at(
            document, (), f"the document {wording.shape_of(value)}.", "Begin it with apiVersion, kind and metadata."
        )
        return Admitted(entry=None, kind="", problems=(problem,))
    kind, found = _kind(document)
    if not kind:
        return Admitted(entry=None, kind="", problems=tuple(found))
    if kind in kinds.TEKTON_KINDS:
        return _tekton(document, kind, found)
    return _ours(document, kind, found)


def _kind(document: documents.Document) -> tuple[str, list[errors.Problem]]:
    """The kind that is meant (empty when nobody can tell), and what is wrong with how it is written."""
    value = document.value
    kind, version = value.get("kind"), value.get("apiVersion")
    known = {*kinds.KINDS, *kinds.TEKTON_KINDS}
    problems = []

    def problem(path: Path, message: str, remedy: str) -> None:
        problems.append(draft.problem_at(document, path, message, remedy))

    if not isinstance(kind, str):
        missing = "is missing." if kind is None else "is not text."
        problem(("kind",), missing, suggest.remedy("", known, listed="Write one of"))
        return "", problems
    if kind not in known:
        group = version.partition("/")[0] if isinstance(version, str) else ""
        if group.endswith("tekton.dev") and kind in _OTHER_TEKTON:
            problem(("kind",), f"{kind} is not read here.", _OTHER_TEKTON[kind])
            return "", problems
        problem(("kind",), f"there is no kind {draft.shown(kind)}.", _other_kind(kind, group, known))
        return (suggest.nearest(kind, known) or "") if _may_be_ours(group) else "", problems
    if kind in kinds.TEKTON_KINDS and version not in TEKTON_VERSIONS:
        problem(("apiVersion",), f"{kind} is Tekton's kind.", "Write apiVersion: tekton.dev/v1.")
    elif kind in kinds.KINDS and version != kinds.API_VERSION:
        wrong = "is missing." if version is None else "is not the version of this kind."
        problem(("apiVersion",), wrong, f"Write apiVersion: {kinds.API_VERSION}.")
    return kind, problems


def _may_be_ours(group: str) -> bool:
    return group in ("", "lockstep.dev", "tekton.dev")


def _other_kind(kind: str, group: str, known: set[str]) -> str:
    if not _may_be_ours(group):
        return "Move what is not Lockstep's configuration out of the directory, or into a hidden folder."
    return suggest.remedy(kind, known)


def _tekton(document: documents.Document, kind: str, found: list[errors.Problem]) -> Admitted:
    name, problem = _name(document)
    spec = document.value.get("spec")
    problems = [*found, *([problem] if problem else [])]
    if not isinstance(spec, dict):
        problems.append(
            draft.problem_at(document, ("spec",), f"{wording.shape_of(spec)}.", "Write a table, as Tekton has it.")
        )
    if not name:
        return Admitted(entry=None, kind=kind, problems=tuple(problems))
    entry = draft.Entry(kind=kind, name=name, document=document, model=None, sound=not problems)
    return Admitted(entry=entry, kind=kind, problems=tuple(problems))


def _name(document: documents.Document) -> tuple[str, errors.Problem | None]:
    """The name in a Tekton document's metadata; empty, with the problem, when there is none that can be used."""
    metadata = document.value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if name is None:
        return "", draft.problem_at(document, ("metadata", "name"), "is missing.", "Add name.")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "", draft.problem_at(
            document, ("metadata", "name"), "is not a name.", "Write lower-case letters, digits and dashes."
        )
    return name, None


def _ours(document: documents.Document, kind: str, found: list[errors.Problem]) -> Admitted:
    model = kinds.KINDS[kind]
    # Whatever is wrong with these two is already found; the rest is checked all the same.
    value = {**document.value, "apiVersion": kinds.API_VERSION, "kind": kind}
    taken, complaints = _validated(model, value)
    problems = [*found, *(draft.problem_at(document, each.path, each.message, each.remedy) for each in complaints)]
    name, no_name = _name(document)
    if no_name:
        return Admitted(entry=None, kind=kind, problems=tuple(problems))
    entry = draft.Entry(
        kind=kind,
        name=name,
        document=document,
        model=None if problems else taken,
        sound=not problems,
        wrong=frozenset(complaint.path for complaint in complaints),
    )
    return Admitted(entry=entry, kind=kind, problems=tuple(problems))


def _validated(model: type[kinds.Document], value: Json) -> tuple[kinds.Document | None, list[wording.Complaint]]:
    # JSON, because its strict mode reads dates and tuples from what JSON has, and nothing else.
    data = orjson.dumps(value)
    try:
        return model.model_validate_json(data), []
    except pydantic.ValidationError as error:
        return None, list(wording.complaints(model, value, error))
