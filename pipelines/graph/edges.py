"""Which task comes after which, and whether that can be."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Iterator, Mapping, Sequence

from lockstep.values import Json
from pipelines import fields, substitution

_MATRIX_LENGTH = re.compile(r"tasks\.([^.]+)\.matrix\.[^.]+\.length")


class GraphError(ValueError):
    """The tasks cannot be put in order; the message is Tekton's."""


def result_refs(body: Json) -> tuple[substitution.ResultRef, ...]:
    """The results that a task of a pipeline reads, each once, in the order of the table of fields.

    They stand in its params, matrix, conditions and names, and inside a taskSpec that is written inline.
    """
    found = (ref for text in _texts(body) for ref in substitution.result_refs(text))
    return tuple(dict.fromkeys(found))


def parents(body: Mapping[str, Json]) -> tuple[str, ...]:
    """The tasks that must be done before this one, sorted: ``runAfter``, and those whose results it reads.

    ``body`` is the JSON of a task of a pipeline that was understood.
    """
    names = {ref.task for ref in result_refs(body)} | set(body.get("runAfter", ()))
    for text in _texts(body):
        for name in substitution.variables(text):
            length = _MATRIX_LENGTH.fullmatch(name)
            if length:
                names.add(length[1])
    return tuple(sorted(names))


def _texts(body: Json) -> Iterator[str]:
    yield from fields.texts(body, "Pipeline", "spec.tasks[]")
    if isinstance(body, dict) and isinstance(body.get("taskSpec"), dict):
        yield from fields.texts(body["taskSpec"], "Task", "spec")


def in_order(names: Sequence[str], above: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names so that each comes after its parents.

    Raises:
        GraphError: A name is there twice, a parent is unknown, or they go round in a circle.
    """
    _refuse_twice(names)
    waiting = {name: set(above.get(name, ())) for name in names}
    _refuse_circle(waiting)
    for name, needed in waiting.items():
        for parent in sorted(needed):
            if parent not in waiting:
                raise GraphError(
                    f"couldn't add link between {name} and {parent}: task {name} depends on {parent} but {parent} "
                    "wasn't present in Pipeline"
                )
    return tuple(graphlib.TopologicalSorter(waiting).static_order())


def _refuse_twice(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise GraphError(f"task {name} is already present in Graph, can't add it again: duplicate pipeline task")
        seen.add(name)


def _refuse_circle(above: Mapping[str, set[str]]) -> None:
    """Take away what has no parents until nothing is left, or only what goes round."""
    left = {name: set(needed) for name, needed in above.items() if needed}
    below: dict[str, list[str]] = {}
    for name, needed in left.items():
        for parent in needed:
            below.setdefault(parent, []).append(name)
    free = [parent for parent in below if parent not in left]
    while free:
        parent = free.pop()
        for child in below.get(parent, ()):
            left[child].discard(parent)
            if not left[child]:
                del left[child]
                free.append(child)
    if left:
        first = min(left)
        on = ", ".join(f'"{parent}"' for parent in sorted(left[first]))
        raise GraphError(f'cycle detected; task "{first}" depends on {on}')
