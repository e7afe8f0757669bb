"""The params of a run: whether they are what is wanted, and what they are once defaults have joined them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pipelines import documents, substitution
from pipelines.admission.refusal import Refusal, go_list, go_map
from pipelines.documents import Param, ParamSpec, Value

# Tekton, apply.go: maxParamReferenceDepth.
_DEEPEST = 10
_INDEXED = re.compile(r"params(?:\.([_a-zA-Z0-9.-]+)|\[['\"]([_a-zA-Z0-9./-]+)['\"]\])\[(\d+)\]")


def missing(specs: Iterable[ParamSpec], given: Iterable[str]) -> list[str]:
    """Names of params without a default that are not given, in the order of their declaration."""
    names = set(given)
    return [spec.name for spec in specs if spec.default is None and spec.name not in names]


def mistyped(specs: Iterable[ParamSpec], given: Iterable[Param], *, variables: bool = False) -> list[str]:
    """Names of params of another type than declared.

    Args:
        specs: What is declared.
        given: What is given.
        variables: Text with a variable in it passes: it may become an array or object.
    """
    kinds = {spec.name: spec.kind for spec in specs}
    wrong = []
    for param in given:
        open_ = variables and isinstance(param.value, str) and any(substitution.variables(param.value))
        if param.name in kinds and not open_ and documents.type_of(param.value) != kinds[param.name]:
            wrong.append(param.name)
    return wrong


def missing_keys(specs: Iterable[ParamSpec], given: Mapping[str, Value]) -> dict[str, list[str]]:
    """Keys of object params that neither the value nor the default has."""
    lost: dict[str, list[str]] = {}
    for spec in specs:
        value = given.get(spec.name)
        parts = [part for part in (spec.default, value) if isinstance(part, Mapping)]
        have = {key for part in parts for key in part}
        wanted = [key for key in spec.properties or {} if key not in have]
        if spec.kind == "object" and parts and wanted:
            lost[spec.name] = wanted
    return lost


def outside_enum(specs: Iterable[ParamSpec], given: Mapping[str, Value]) -> str:
    """What is wrong with the first value that is not in its param's enum; empty when all are."""
    for spec in specs:
        value = given.get(spec.name)
        if spec.enum and isinstance(value, str) and value and value not in spec.enum:
            return f"param `{spec.name}` value: {value} is not in the enum list"
    return ""


def beyond_the_end(texts: Iterable[str], values: Mapping[str, Value]) -> list[str]:
    """References to elements that an array param does not have, sorted."""
    wrong = set()
    for text in texts:
        for name in substitution.variables(text):
            found = _INDEXED.fullmatch(name)
            value = values.get(found[1] or found[2]) if found else None
            if found and isinstance(value, tuple) and int(found[3]) >= len(value):
                wrong.add(f"$({name})")
    return sorted(wrong)


def resolve(specs: Sequence[ParamSpec], given: Mapping[str, Value], context: substitution.Scope) -> dict[str, Value]:
    """Every param with its value: what is given, over the defaults; an object's keys are merged.

    A default may name other params and the context; a value that is given is taken as it is.

    Raises:
        Refusal: Defaults name each other in a circle, or something that is not there.
    """
    values = dict(given)
    waiting = {spec.name: spec.default for spec in specs if spec.default is not None and spec.name not in given}
    for spec in specs:
        value = given.get(spec.name)
        if isinstance(spec.default, Mapping) and isinstance(value, Mapping):
            values[spec.name] = {**spec.default, **value}
        elif isinstance(spec.default, Mapping) and isinstance(value, str) and any(substitution.variables(value)):
            values[spec.name] = spec.default  # a whole object that nobody has gives none of its keys
    for _ in range(_DEEPEST + 1):
        scope = context | substitution.of_params(values)
        ready = {name: value for name, value in waiting.items() if not _names_any_of(value, waiting)}
        if not ready:
            break
        values |= {name: substitution.value(value, scope) for name, value in ready.items()}
        waiting = {name: value for name, value in waiting.items() if name not in ready}
    if waiting:
        raise Refusal(
            "PipelineValidationFailed",
            "parameter resolution failed: circular dependency detected, or too deep a one, in params "
            f"{go_list(sorted(waiting))}",
        )
    return values


def _names_any_of(value: Value, names: Iterable[str]) -> bool:
    spellings = {f"$({spelling.format(name)}" for name in names for spelling in substitution.PARAM_SPELLINGS}
    return any(
        f"{spelling}{end}" in text
        for text in documents.texts_of(value)
        for spelling in spellings
        for end in (")", "[", ".")
    )


def of_task(name: str, spec: documents.TaskSpec, given: Sequence[Param], combined: Sequence[Param] = ()) -> str:
    """What is wrong with the params that a task is given; empty when nothing is.

    Args:
        name: The task's name, for the message.
        spec: What it declares.
        given: What it is given; text may still hold variables.
        combined: What its matrix gives: each is text.
    """
    names = [param.name for param in (*given, *combined)]
    lost = missing(spec.params, names)
    if lost:
        wrong = f"missing values for these params which have no default values: {go_list(lost)}"
        return f"invalid input params for task {name}: {wrong}"
    kinds = {declared.name: declared.kind for declared in spec.params}
    mixed = mistyped(spec.params, given, variables=True)
    mixed += [param.name for param in combined if kinds.get(param.name, "string") != "string"]
    if mixed:
        wrong = f"param types don't match the user-specified type: {go_list(mixed)}"
        return f"invalid input params for task {name}: {wrong}"
    keys = missing_keys(spec.params, {param.name: param.value for param in given})
    if keys:
        wrong = f"missing keys for these params which are required in ParamSpec's properties {go_map(keys)}"
        return f"invalid input params for task {name}: {wrong}"
    return ""
