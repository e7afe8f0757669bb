"""From documents to Kubernetes objects: what every object must have, lists unfolded, nothing twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lockstep import documents, errors
from lockstep.manifests import scope
from lockstep.values import Json

# apiVersion: an optional group (a DNS subdomain) and a version; kind: a CamelCase identifier.
_API_VERSION = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?[a-z0-9]+")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One object and where it is written; ``line`` counts from 1, 0 when the place is not known."""

    manifest: dict[str, Json]
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


def read(documents_: Iterable[documents.Document]) -> list[Found]:
    """The objects of some documents, lists unfolded, in order.

    Raises:
        DocumentError: A document is not an object, with file, line and remedy.
    """
    return [found for document in documents_ for found in _unfold(document, document.value, (), None)]


def refuse_duplicates(found: Sequence[Found], *, namespace: str) -> None:
    """Refuse two objects of one group, kind, namespace and name; which of them is meant nobody can tell.

    Args:
        found: The objects, with their places.
        namespace: Where an object without a namespace goes.

    Raises:
        InputError: Naming both places.
    """
    without = scope.cluster_scoped(one.manifest for one in found)
    first: dict[tuple[str, str, str, str], Found] = {}
    for one in found:
        metadata = one.manifest["metadata"]
        if not metadata.get("name"):
            continue
        group, kind = scope.group_kind(one.manifest)
        where = scope.namespace_of(one.manifest, default=namespace, without=without)
        other = first.setdefault((group, kind, where, metadata["name"]), one)
        if other is not one:
            name = f"{where}/{metadata['name']}" if where else metadata["name"]
            raise errors.InputError(
                f"{kind} {name} is written twice: {other} and {one}.",
                remedy="Keep one of them.",
            )


def _unfold(
    document: documents.Document, value: Json, path: documents.Path, listed: tuple[str, str] | None
) -> Iterator[Found]:
    """The object, or the objects of a list. ``listed`` is what a typed list says of items that do not."""
    if isinstance(value, dict) and listed:
        value = {"apiVersion": listed[0], "kind": listed[1], **value}
    problem = _wrong_type(value)
    if problem is None and _is_list(value):
        kind = value["kind"].removesuffix("List")
        inner = (value["apiVersion"], kind) if kind else None
        for index, item in enumerate(value.get("items") or []):
            yield from _unfold(document, item, (*path, "items", index), inner)
        return
    problem = problem or _wrong_metadata(value)
    if problem is not None:
        field, message, remedy = problem
        line, _ = document.place((*path, *field))
        raise errors.DocumentError(message, file=document.file, line=line, remedy=remedy)
    line, _ = document.place(path)
    yield Found(manifest=value, file=document.file, line=line)


def _is_list(value: dict[str, Json]) -> bool:
    """Whether this is a ``List`` or a typed list: no kind that has a name of its own carries ``items`` at its top."""
    typed = value["kind"].endswith("List") and isinstance(value.get("items", ""), list | None) and "spec" not in value
    return typed or value["kind"] == "List"


_Problem = tuple[documents.Path, str, str]


def _wrong_type(value: Json) -> _Problem | None:
    if not isinstance(value, dict):
        return (), "this document is not a Kubernetes object.", "Write apiVersion, kind and metadata."
    for field, form in (("apiVersion", _API_VERSION), ("kind", _KIND)):
        text = value.get(field)
        if text is None:
            return (
                (),
                f"this document has no {field}, so it is not a Kubernetes object.",
                f"Add {field}, or move it away.",
            )
        if not isinstance(text, str) or not form.fullmatch(text):
            return (field,), f"{field} is {text!r}.", "Write it as apps/v1 and Deployment are written."
    if value["kind"] == "List" and not isinstance(value.get("items"), list | None):
        return ("items",), "the items of this List are not a list.", "Give it a list of objects."
    return None


def _wrong_metadata(value: dict[str, Json]) -> _Problem | None:
    kind, metadata = value["kind"], value.get("metadata")
    if not isinstance(metadata, dict):
        return (), f"this {kind} has no metadata.", "Add metadata with a name."
    if metadata.get("name") is None and metadata.get("generateName") is None:
        return ("metadata",), f"this {kind} has no metadata.name.", "Give it a name."
    for field in ("name", "generateName", "namespace"):
        text = metadata.get(field)
        if text is not None and not isinstance(text, str):
            return ("metadata", field), f"metadata.{field} is {text!r}, which is not text.", "Put it in quotes."
        if field != "namespace" and text == "":
            return ("metadata", field), f"metadata.{field} is empty.", "Give it a name."
    for field in ("labels", "annotations"):
        problem = _wrong_texts(metadata.get(field), ("metadata", field))
        if problem:
            return problem
    return None


def _wrong_texts(value: Json, path: documents.Path) -> _Problem | None:
    """Labels and annotations are text to the API server, which refuses an object for anything else."""
    name = ".".join(str(part) for part in path)
    if value is None:
        return None
    if not isinstance(value, dict):
        return path, f"{name} is not a mapping.", "Write keys and values."
    for key, text in value.items():
        # A chart often leaves a value empty; the API server reads that as "".
        if not isinstance(text, str | None):
            return (*path, key), f"{name}: the value of {key} is {text!r}, which is not text.", "Put it in quotes."
    return None
