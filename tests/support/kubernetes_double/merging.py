"""What server-side apply does with values: which fields are set, what changed, and how two objects become one.

The rules are those of structured merge and diff (sigs.k8s.io/structured-merge-diff): maps and keyed lists are merged,
everything else is replaced as a whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.support.kubernetes_double.paths import Fields, Path, item_element
from tests.support.kubernetes_double.types import ANY, Form, Type

_ABSENT: Any = object()


@dataclass(slots=True)
class Comparison:
    """Which fields differ between an older and a newer object."""

    added: set[Path] = field(default_factory=set)
    removed: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.modified)


def fields_of(value: Any, of: Type, at: Path = ()) -> set[Path]:
    """The fields that an object sets."""
    form = _form(of, value)
    if of.atomic or form is Form.SCALAR:
        return {at}
    found: set[Path] = set()
    if form is Form.LIST:
        for item in value or ():
            here = (*at, item_element(item, of))
            found |= {here} | fields_of(item, of.item or ANY, here)
    elif value:
        for name, one in value.items():
            here = (*at, f"f:{name}")
            found |= fields_of(one, of.under(name) or ANY, here)
            if name not in of.fields or one is None or one == {}:
                found.add(here)
    return found


def compare(old: Any, new: Any, of: Type) -> Comparison:
    """What changed from an older to a newer object."""
    found = Comparison()
    _compare(old, new, of, (), found)
    return found


def _compare(old: Any, new: Any, of: Type, at: Path, found: Comparison) -> None:
    form = _form(of, new if old in (None, _ABSENT) else old)
    older, newer = _items(old, of, form), _items(new, of, form)
    repeated = isinstance(old, tuple) or isinstance(new, tuple)
    if of.atomic or form is Form.SCALAR or repeated or not (older or newer):
        _compare_leaf(old, new, at, found)
        return
    for element in older | newer:
        inner = (of.item if form is Form.LIST else of.under(element[2:])) or ANY
        _compare(older.get(element, _ABSENT), newer.get(element, _ABSENT), inner, (*at, element), found)
    if old is _ABSENT:
        found.added.add(at)
    elif new is _ABSENT:
        found.removed.add(at)


def _compare_leaf(old: Any, new: Any, at: Path, found: Comparison) -> None:
    if old is _ABSENT:
        found.added.add(at)
    elif new is _ABSENT:
        found.removed.add(at)
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        found.modified.add(at)


def _items(value: Any, of: Type, form: Form) -> dict[str, Any]:
    """The parts that are merged one by one, under their names; those that share a name are a tuple, not to merge."""
    if form is Form.LIST and isinstance(value, list) and not of.atomic:
        found: dict[str, Any] = {}
        for item in value:
            element = item_element(item, of)
            found[element] = (found[element], item) if element in found else item
        return found
    if form is Form.RECORD and isinstance(value, dict):
        return {f"f:{name}": one for name, one in value.items()}
    return {}


def _form(of: Type, value: Any) -> Form:
    """How a value is treated; what is not declared is judged by what it is."""
    if of.form is Form.ANY:
        return Form.RECORD if isinstance(value, dict) else Form.SCALAR
    return of.form


def merge(live: Any, applied: Any, of: Type) -> Any:
    """What becomes of an object when another is applied to it, before anything is removed."""
    if of.atomic:
        return applied
    if isinstance(live, list) and isinstance(applied, list) and of.form is Form.LIST:
        return _merge_lists(live, applied, of)
    if not isinstance(live, dict) or not isinstance(applied, dict):
        # Nothing that is merged is taken away by a null.
        return live if applied is None and isinstance(live, dict | list) else applied
    merged = dict(live)
    for name, one in applied.items():
        merged[name] = merge(live[name], one, of.under(name) or ANY) if name in live else one
    return merged


def _merge_lists(live: list[Any], applied: list[Any], of: Type) -> list[Any]:
    older = {item_element(item, of): item for item in live}
    newer = {item_element(item, of): item for item in applied}
    return [
        merge(older[element], newer[element], of.item or ANY)
        if element in older and element in newer
        else newer.get(element, older.get(element))
        for element in _woven(list(older), list(newer))
    ]


def _woven(live: list[str], applied: list[str]) -> list[str]:
    """The order of a merged list: what is applied in its own order, what is only live where it stood between."""
    shared = [element for element in applied if element in set(live)]
    theirs, ours = deque(live), deque(applied)
    woven: list[str] = []
    while theirs or ours:
        first = theirs[0] if theirs else None
        if ours and first in shared and first not in (ours[0], shared[0]):
            theirs.popleft()  # it is taken when its turn comes among those that are applied
        elif first is not None and first not in applied:
            woven.append(theirs.popleft())
        else:
            if first in woven or first == ours[0]:
                theirs.popleft()
            if ours:
                woven.append(ours.popleft())
                if shared and shared[0] == woven[-1]:
                    shared.pop(0)
    return woven


def without(value: Any, doomed: Iterable[Path], of: Type) -> Any:
    """The object without some of its fields."""
    gone = frozenset(doomed)
    through = frozenset(path[:depth] for path in gone for depth in range(len(path)))
    return _without(value, gone, through, of, ())


def _without(value: Any, gone: Fields, through: Fields, of: Type, at: Path) -> Any:
    form = _form(of, value)
    if of.atomic or form is Form.SCALAR or not value:
        return value
    kept: dict[str, Any] = {}
    for element, one in _items(value, of, form).items():
        here = (*at, element)
        if here in gone:
            continue
        inner = (of.item if form is Form.LIST else of.under(element[2:])) or ANY
        kept[element] = _without(one, gone, through, inner, here) if here in through else one
    return list(kept.values()) if form is Form.LIST else {element[2:]: one for element, one in kept.items()}
