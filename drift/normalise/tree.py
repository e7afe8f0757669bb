"""The normal form: JSON in which every list of the API is found by its keys.

Mappings and scalars are themselves. A list that the API finds by key is a ``Keyed``, a list without order a
``Bag`` (sorted), any other list a plain list. Each remembers where its entries stood, so that a path can name
the place in the object as it was written. Equal normal forms have equal bytes.
"""

from __future__ import annotations

from collections.abc import Container
from typing import TypeAlias

import orjson

from lockstep.values import Json

Node: TypeAlias = Json
"""A value of a normal form: JSON, with ``Keyed`` and ``Bag`` for lists."""

ORDER = "\0order"
"""The entry of a ``Keyed`` that says in which order its labels stood, where that counts."""


def unused(label: str, taken: Container[str]) -> str:
    """The label, or with a number behind it when it is taken; the mark of an order is nobody's label."""
    label = label.replace("\0", "")
    unique, count = label, 1
    while unique in taken:
        count += 1
        unique = f"{label} ({count})"
    return unique


class Keyed(dict[str, Node]):
    """A list found by key: label to entry. ``positions`` maps a label to the place in the list as written.

    ``by`` are the fields that the labels are made of.
    """

    __slots__ = ("by", "positions")

    def __init__(self, by: tuple[str, ...]) -> None:
        super().__init__()
        self.by = by
        self.positions: dict[str, int] = {}

    def add(self, label: str, entry: Node, position: int) -> None:
        """Add an entry; one whose label is taken is told apart by a number (G4)."""
        unique = unused(label, self)
        self[unique] = entry
        self.positions[unique] = position


class Bag(list[Node]):
    """A list without order, sorted by its entries' bytes. ``positions`` says where each stood as written."""

    __slots__ = ("positions",)

    def __init__(self, entries: list[Node]) -> None:
        keyed = sorted((encode(entry), position) for position, entry in enumerate(entries))
        super().__init__(entries[position] for _, position in keyed)
        self.positions = [position for _, position in keyed]


def encode(node: Node) -> bytes:
    """The bytes of a normal form: equal forms have equal bytes, and no others have."""
    return orjson.dumps(node, option=orjson.OPT_SORT_KEYS)


def plain(node: Node) -> Json:
    """The normal form as a manifest again, lists in the order in which they were written."""
    if isinstance(node, Keyed):
        labels = sorted(node.positions, key=node.positions.__getitem__)
        return [plain(node[label]) for label in labels]
    if isinstance(node, Bag):
        places = sorted(range(len(node)), key=node.positions.__getitem__)
        return [plain(node[place]) for place in places]
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(entry) for entry in node]
    return node
