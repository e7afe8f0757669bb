"""A task run once for each combination of its matrix (Tekton, ``docs/matrix.md`` and ``matrix_types.go``)."""

from __future__ import annotations

from math import prod

from pipelines import documents

# Tekton, config-defaults: default-max-matrix-combinations-count.
MOST_COMBINATIONS = 256


def combinations(matrix: documents.Matrix) -> list[dict[str, str]]:
    """Every combination, in order; the first param varies fastest, as Tekton's code has it.

    An ``include`` whose params contradict no combination is merged into those that it agrees with, and stands
    for itself otherwise; alone, it is the whole list.
    """
    includes = [{param.name: str(param.value) for param in include.params} for include in matrix.include]
    if not matrix.params:
        return includes
    found: list[dict[str, str]] = [{}]
    for param in matrix.params:
        values = param.value if isinstance(param.value, tuple) else ()
        found = [{**one, param.name: item} for item in values for one in found]
    for include in includes:
        for one in found:
            if all(one.get(name, item) == item for name, item in include.items()):
                one.update(include)
    for include in includes:
        if include and not any(one.get(name) == item for one in found for name, item in include.items()):
            found.append(include)
    return found


def most_combinations(matrix: documents.Matrix) -> int:
    """How many combinations there may be, without making them; at least as many as there are."""
    lengths = [len(param.value) for param in matrix.params if isinstance(param.value, tuple)]
    return (prod(lengths) if matrix.params else 0) + len(matrix.include)


def has_empty_array(matrix: documents.Matrix) -> bool:
    """Whether nothing can be combined because one of its arrays is empty."""
    return any(param.value == () for param in matrix.params)


def display_name(matrix: documents.Matrix, params: dict[str, str]) -> str:
    """The name that the includes give to a combination; empty when they give none."""
    names = [
        include.name
        for include in matrix.include
        if include.name and all(params.get(param.name) == param.value for param in include.params)
    ]
    return " ".join(names)
