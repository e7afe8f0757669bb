"""Variables: ``$(name)`` replaced by its value, once and without any escaping, as Tekton does it.

A value that contains ``$(...)`` is not looked at again; a name that is not known stays as it is written. A
whole array or object stands only where it is all there is: one element of a list, or the value of a param.
Pure: nothing here knows of runs. Which fields take part is data, in ``pipelines.fields``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import orjson

from pipelines.documents import Value

# No name holds these three characters, so an opening that is not a variable cannot hide the one inside it.
_VARIABLE = re.compile(r"\$\(([^$()]*)\)")
_WHOLE = re.compile(r"\$\(([^$()]*?)(?:\[\*\])?\)")
# Tekton, resultref.go: tasks.<task>.results.<result>, then nothing, [i], [*] or .<key>; also finally.<task>...
_RESULT = re.compile(
    r"(tasks|finally)\.([^.\[\]]+)\.results"
    r"(?:\.([^.\[\]'\"]+)|\['([^'\]]+)'\]|\[\"([^\"\]]+)\"\])"
    r"(?:\[(\d+|\*)\]|\.([^.\[\]]+))?"
)
PARAM = re.compile(
    r"(?:inputs\.)?params(?:\.([^.\[\]]+)|\['([^'\]]+)'\]|\[\"([^\"\]]+)\"\])(\[(?:\d+|\*)\])?(?:\.(.+))?"
)
"""A variable that reads a param: its name in one of the first three groups, then ``[i]`` or ``[*]``, then a key."""
_T = TypeVar("_T")
PARAM_SPELLINGS = ("params.{}", "params['{}']", 'params["{}"]', "inputs.params.{}")
RESULT_SPELLINGS = (".{task}.results.{result}", ".{task}.results['{result}']", '.{task}.results["{result}"]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the names of one place mean: texts, whole arrays, whole objects. The names are without ``$( )``."""

    texts: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    objects: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __or__(self, inner: Scope) -> Scope:
        """Both; the right one speaks where they differ."""
        return Scope(
            texts={**self.texts, **inner.texts},
            arrays={**self.arrays, **inner.arrays},
            objects={**self.objects, **inner.objects},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRef:
    """A variable that reads a result: of ``task``, in ``section`` tasks or finally."""

    section: str
    task: str
    result: str
    index: int | None = None
    whole: bool = False
    key: str = ""


def variables(text: str) -> Iterator[str]:
    """The names of all variables in a text, in order, whether they mean something or not."""
    return (match[1] for match in _VARIABLE.finditer(text))


def result_refs(text: str) -> Iterator[ResultRef]:
    """The variables of a text that read a result."""
    for name in variables(text):
        found = _RESULT.fullmatch(name)
        if found:
            yield ResultRef(
                section=found[1],
                task=found[2],
                result=found[3] or found[4] or found[5],
                index=int(found[6]) if found[6] and found[6] != "*" else None,
                whole=found[6] == "*",
                key=found[7] or "",
            )


def param_names(text: str) -> Iterator[str]:
    """The names of the params that a text reads."""
    for name in variables(text):
        found = PARAM.fullmatch(name)
        if found:
            yield found[1] or found[2] or found[3]


def text(source: str, scope: Scope) -> str:
    """A text with its variables replaced."""
    return _VARIABLE.sub(lambda match: scope.texts.get(match[1], match[0]), source) if "$(" in source else source


def items(source: Iterable[str], scope: Scope) -> tuple[str, ...]:
    """A list with its variables replaced: an element that is nothing but an array becomes its elements."""
    out: list[str] = []
    for item in source:
        array = _whole(item, scope.arrays)
        out.extend((text(item, scope),) if array is None else array)
    return tuple(out)


def value(source: Value, scope: Scope) -> Value:
    """The value of a param with its variables replaced: a text that is nothing but an array or object becomes it."""
    if isinstance(source, tuple):
        return items(source, scope)
    if isinstance(source, Mapping):
        return {key: text(item, scope) for key, item in source.items()}
    array = _whole(source, scope.arrays)
    if array is not None:
        return array
    whole = _whole(source, scope.objects)
    return text(source, scope) if whole is None else dict(whole)


def comparable(source: str, scope: Scope) -> str:
    """A ``when.input`` with its variables replaced: a whole array becomes its JSON text."""
    array = _whole(source, scope.arrays) if source.endswith("[*])") else None
    return text(source, scope) if array is None else orjson.dumps(array).decode()


def of_params(params: Mapping[str, Value]) -> Scope:
    """The names of params, in all their spellings: ``params.x``, ``params['x']``, ``inputs.params.x`` ..."""
    return _scope((spelling.format(name), item) for name, item in params.items() for spelling in PARAM_SPELLINGS)


def of_results(results: Mapping[str, Mapping[str, Value]], section: str = "tasks") -> Scope:
    """The names of the results of tasks: ``tasks.T.results.R`` and its other spellings."""
    return _scope(
        (section + spelling.format(task=task, result=result), item)
        for task, given in results.items()
        for result, item in given.items()
        for spelling in RESULT_SPELLINGS
    )


def of_step_results(results: Mapping[str, Mapping[str, Value]]) -> Scope:
    """The names of the results of steps: ``steps.S.results.R``."""
    return of_results(results, section="steps")


def _scope(named: Iterable[tuple[str, Value]]) -> Scope:
    texts: dict[str, str] = {}
    arrays: dict[str, tuple[str, ...]] = {}
    objects: dict[str, Mapping[str, str]] = {}
    for name, item in named:
        if isinstance(item, str):
            texts[name] = item
        elif isinstance(item, tuple):
            arrays[name] = item
            texts.update({f"{name}[{index}]": element for index, element in enumerate(item)})
        else:
            objects[name] = item
            texts.update({f"{name}.{key}": element for key, element in item.items()})
    return Scope(texts=texts, arrays=arrays, objects=objects)


def _whole(source: str, known: Mapping[str, _T]) -> _T | None:
    match = _WHOLE.fullmatch(source)
    return known.get(match[1]) if match else None
