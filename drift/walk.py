"""One walk down the sides of one object: what DeepDiff is shown, and which fields its findings mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from drift import align, embedded
from drift.align import Child, Into, Step
from drift.normalise import Node, encode, plain, quantity
from drift.sides import ABSENT, Value
from lockstep.topology import selectors

# A mapping that people think of as one thing: a probe that one side lacks is one difference.
_UNITS = frozenset({"livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "postStart", "preStop"})
# Longer text is shown to DeepDiff as its digest: it would look for lines that moved.
_LONGEST_TEXT = 120

Names: TypeAlias = tuple[str, ...]
"""The names of the steps of a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field in which the sides differ.

    ``values`` has the value of each side in the order in which they were given, and ``texts`` the texts around
    them for a field inside a text, else nothing. ``pointer`` is a JSON Pointer into the object of the first side
    that has the field, with ``#`` where it goes into a text; ``path`` is the way people write it.
    """

    steps: tuple[Step, ...]
    values: tuple[Value, ...]
    texts: tuple[Value, ...] = ()

    @property
    def pointer(self) -> str:
        """JSON Pointer (RFC 6901), such as ``/data/app.yaml#/db/host``."""
        written = ""
        for step in self.steps:
            if step.into is Into.TEXT:
                written += "#"
            elif step.into is Into.ENTRY:
                written += f"/{step.index}"
            elif step.into is Into.KEY:
                written += selectors.write_pointer((step.name,))
        return written

    @property
    def path(self) -> str:
        """The path as people write it, such as ``spec.template.spec.containers[web].image``."""
        written = ""
        for step in self.steps:
            if step.into is Into.KEY:
                is_word = step.name.replace("-", "_").isidentifier()
                dot = "." if written and not written.endswith("#") else ""
                written += f"{dot}{step.name}" if is_word else f'["{step.name}"]'
            else:
                written += {Into.TEXT: "#", Into.ENTRY: f"[{step.name}]", Into.ORDER: " (order)"}[step.into]
        return written


@dataclass(slots=True)
class _Seen:
    steps: tuple[Step, ...]
    nodes: list[Value]
    texts: tuple[Value, ...]


@dataclass(slots=True)
class Walk:
    """The sides of one object. The first ``judged`` of them decide whether a field differs, the others come along.

    ``texts``: values of ``data`` are read as YAML and JSON. ``custom``: nothing is known of the kind.
    """

    judged: int
    texts: bool
    custom: bool
    _seen: dict[Names, _Seen] = field(default_factory=dict)

    def forms(self, nodes: list[Value]) -> list[Value]:
        """What DeepDiff is shown of each side: only what differs, as mappings of short text."""
        return self._forms(_Seen((), nodes, ()))

    def fields(self, starts: Iterable[Names]) -> Iterator[Field]:
        """The fields below the places where DeepDiff found differences; ``forms`` comes first."""
        places = set(starts)
        for start in sorted(places):
            if not any(start[:length] in places for length in range(len(start))):
                yield from self._leaves(self._seen[start])

    def named(self, nodes: list[Value], tokens: Sequence[str], steps: tuple[Step, ...] = ()) -> Iterator[Field]:
        """The fields that some tokens lead to, whether the sides differ or not; ``*`` leads to every one."""
        if not tokens:
            yield Field(steps=steps, values=tuple(node if node is ABSENT else plain(node) for node in nodes))
            return
        into_text = tokens[0] == "#"
        for child in self._children(nodes, steps, into_text=into_text) or ():
            if into_text or tokens[0] in ("*", child.step.name, str(child.step.index)):
                yield from self.named(child.nodes, tokens[1:], (*steps, child.step))

    def _forms(self, here: _Seen) -> list[Value]:
        self._seen[tuple(step.name for step in here.steps)] = here
        below = self._children(here.nodes, here.steps)
        if below is None:
            return [node if node is ABSENT else _token(node) for node in here.nodes]
        shown: list[dict[str, Value]] = [{} for _ in here.nodes]
        for child in below:
            if not self._equal(child.nodes):
                for side, form in enumerate(self._forms(_into(here, child))):
                    if form is not ABSENT:
                        shown[side][child.step.name] = form
        return [node if node is ABSENT else form for node, form in zip(here.nodes, shown, strict=True)]

    def _leaves(self, here: _Seen) -> Iterator[Field]:
        """The fields to name at and below a place where the sides may differ."""
        if self._equal(here.nodes):
            return
        below = self._children(here.nodes, here.steps)
        if not below or self._is_lacking(here):
            values = tuple(node if node is ABSENT else plain(node) for node in here.nodes)
            yield Field(steps=here.steps, values=quantities(values) if self.custom else values, texts=here.texts)
            return
        for child in below:
            yield from self._leaves(_into(here, child))

    def _children(self, nodes: list[Value], steps: tuple[Step, ...], *, into_text: bool = True) -> list[Child] | None:
        if steps and steps[-1].into is Into.ORDER:
            return None
        if self.texts and into_text and len(steps) == 2 and steps[0].name == "data":
            read = [embedded.read(steps[1].name, node) if isinstance(node, str) else None for node in nodes]
            if all(node is not None for node in read[: self.judged]):
                inside = [ABSENT if node is None else node for node in read]
                return [Child(Step(name="#", into=Into.TEXT), inside)]
        return align.children(nodes)

    def _is_lacking(self, here: _Seen) -> bool:
        """Whether a thing that people think of as one is equal wherever it is, and is not everywhere."""
        if not here.steps or not (here.steps[-1].into is Into.ENTRY or here.steps[-1].name in _UNITS):
            return False
        present = [node for node in here.nodes[: self.judged] if node is not ABSENT]
        return len(present) < self.judged and all(self._same(present[0], other) for other in present[1:])

    def _equal(self, nodes: Sequence[Value]) -> bool:
        return all(self._same(nodes[0], other) for other in nodes[1 : self.judged])

    def _same(self, left: Value, right: Value) -> bool:
        if align.same(left, right):
            return True
        if not self.custom:
            return False
        return align.same(*quantities((left, right)))


def quantities(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """G2: a field of a custom resource may be a quantity without anybody saying so: then with one text for each.

    One of the values has to carry a suffix: ``1.0`` and ``1`` may be versions.
    """
    present = [value for value in values if value is not ABSENT]
    telling = any(isinstance(value, str) and value[-1:].isalpha() for value in present)
    if not telling or any(quantity.number(value) is None for value in present):
        return values
    return tuple(value if value is ABSENT else quantity.canonical(value) for value in values)


def _into(here: _Seen, child: Child) -> _Seen:
    around = tuple(here.nodes) if child.step.into is Into.TEXT else here.texts
    return _Seen((*here.steps, child.step), child.nodes, around)


def _token(node: Node) -> str:
    written = encode(node)
    if len(written) <= _LONGEST_TEXT:
        return written.decode()
    return hashlib.sha256(written).hexdigest()
