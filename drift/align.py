"""Put the sides of one object beside each other: which key, which entry of a list belongs to which.

Mappings go by key and lists of the API by theirs. A list without keys goes by its entries: equal ones belong
together, then those that are most alike, so that an entry put in front does not make every other one differ.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import itemgetter

from drift.normalise import ORDER, Bag, Keyed, Node, encode, reading, unused
from drift.sides import ABSENT, Value

# Beyond this many candidates unequal entries are put beside each other in their order.
_MOST_CANDIDATES = 4096
_LONGEST_LABEL = 80


class Into(Enum):
    """What a step goes into."""

    KEY = "key"
    ENTRY = "entry"
    # The text of a field, read as YAML or JSON.
    TEXT = "text"
    # The order of a list's entries.
    ORDER = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a path. ``name`` is a key or an entry's label; ``index`` its place in the list, else -1."""

    name: str
    into: Into = Into.KEY
    index: int = -1


@dataclass(frozen=True, slots=True)
class Child:
    """What stands at one step below some nodes, side by side."""

    step: Step
    nodes: list[Value]


def children(nodes: Sequence[Value]) -> list[Child] | None:
    """What is below some nodes of the same place, side by side; None when they are leaves or of different kinds."""
    present = [node for node in nodes if node is not ABSENT]
    if not present:
        return None
    if all(isinstance(node, Keyed) for node in present):
        return list(_keyed(nodes))
    if all(isinstance(node, dict) and not isinstance(node, Keyed) for node in present):
        names = dict.fromkeys(name for node in present for name in node)
        return [Child(Step(name=name), [_get(node, name) for node in nodes]) for name in names]
    if all(isinstance(node, list) for node in present) and len({type(node) for node in present}) == 1:
        return _listed(nodes)
    return None


def same(left: Value, right: Value) -> bool:
    """Whether two nodes are one value; ``true`` is not ``1``, and absent is not null."""
    if left is ABSENT or right is ABSENT:
        return left is right
    return encode(left) == encode(right)


def _get(node: Value, name: str) -> Value:
    return node.get(name, ABSENT) if isinstance(node, dict) else ABSENT


def _keyed(nodes: Sequence[Value]) -> Iterator[Child]:
    columns: dict[str, Child] = {}
    for side, node in enumerate(nodes):
        if not isinstance(node, Keyed):
            continue
        renamed = _renamed(node, columns)
        for label, entry in node.items():
            name = renamed.get(label, label)
            if name not in columns and label != ORDER:
                step = Step(name=label, into=Into.ENTRY, index=node.positions[label])
                columns[label] = Child(step, [ABSENT] * len(nodes))
            if label != ORDER:
                columns[name].nodes[side] = entry
    yield from columns.values()
    if any(isinstance(node, Keyed) and ORDER in node for node in nodes):
        yield Child(Step(name=ORDER, into=Into.ORDER), _orders(nodes))


def _renamed(node: Keyed, columns: Mapping[str, Child]) -> dict[str, str]:
    """Entries whose key was changed, with the label that they had: a port of the same name, or the only one left.

    What is found by its name is another thing under another name.
    """
    left = [label for label in node if label not in columns and label != ORDER]
    gone = [label for label in columns if label not in node]
    if not left or not gone or "name" in node.by:
        return {}
    if len(left) == len(gone) == 1:
        return {left[0]: gone[0]}
    named = {reading.text(_first(columns[label].nodes), "name"): label for label in gone}
    named.pop("", None)
    return {
        label: named[reading.text(node[label], "name")] for label in left if reading.text(node[label], "name") in named
    }


def _first(nodes: Sequence[Value]) -> Node:
    return next(node for node in nodes if node is not ABSENT)


def _orders(nodes: Sequence[Value]) -> list[Value]:
    """The order of the labels that all sides have: an entry that one side lacks is no other order."""
    present = [node for node in nodes if isinstance(node, Keyed)]
    shared = set.intersection(*(set(node) for node in present)) - {ORDER}
    return [
        [label for label in node.positions if label in shared] if isinstance(node, Keyed) else ABSENT for node in nodes
    ]


@dataclass(slots=True)
class _Slot:
    """One place of a list, with the entry of each side and where it stands there."""

    nodes: list[Value]
    places: list[int]
    forms: set[bytes]

    @property
    def index(self) -> int:
        return next(place for place in self.places if place >= 0)


def _listed(nodes: Sequence[Value]) -> list[Child]:
    slots: list[_Slot] = []
    for side, node in enumerate(nodes):
        if isinstance(node, list):
            _put(node, side, slots, sides=len(nodes))
    found: dict[str, Child] = {}
    in_bag = any(isinstance(node, Bag) for node in nodes)
    for slot in slots:
        name = unused(_label(slot, in_bag=in_bag), found)
        found[name] = Child(Step(name=name, into=Into.ENTRY, index=slot.index), slot.nodes)
    if not in_bag:
        orders = _sequence_orders(nodes, slots)
        if any(not same(order, orders[0]) for order in orders if order is not ABSENT and orders[0] is not ABSENT):
            found[ORDER] = Child(Step(name=ORDER, into=Into.ORDER), orders)
    return list(found.values())


def _label(slot: _Slot, *, in_bag: bool) -> str:
    """What people call an entry: a verb by itself, a thing by its name, anything else by its place."""
    entry = _first(slot.nodes)
    if isinstance(entry, dict) and isinstance(entry.get("name"), str) and entry["name"]:
        return str(entry["name"])
    return str(entry)[:_LONGEST_LABEL] if in_bag and isinstance(entry, str) and entry else str(slot.index)


def _sequence_orders(nodes: Sequence[Value], slots: list[_Slot]) -> list[Value]:
    present = [side for side, node in enumerate(nodes) if isinstance(node, list)]
    shared = [slot for slot in slots if all(slot.places[side] >= 0 for side in present)]
    return [
        [_called(slot) for _, slot in sorted(((slot.places[side], slot) for slot in shared), key=itemgetter(0))]
        if side in present
        else ABSENT
        for side in range(len(nodes))
    ]


def _called(slot: _Slot) -> Node:
    """What an entry is called when only its place is of interest."""
    entry = _first(slot.nodes)
    if isinstance(entry, dict):
        return entry["name"] if isinstance(entry.get("name"), str) else f"[{slot.index}]"
    return f"[{slot.index}]" if isinstance(entry, list) else entry


def _put(entries: list[Node], side: int, slots: list[_Slot], *, sides: int) -> None:
    """Give each entry of a side its slot: an equal one, else the one most like it, else a new one."""
    forms = [encode(entry) for entry in entries]
    free: dict[bytes, deque[int]] = defaultdict(deque)
    for number, slot in enumerate(slots):
        for form in slot.forms:
            free[form].append(number)
    places = entries.positions if isinstance(entries, Bag) else range(len(entries))
    taken: dict[int, int] = {}
    used: set[int] = set()
    for position, form in enumerate(forms):
        candidates = free[form]
        while candidates and candidates[0] in used:
            candidates.popleft()
        if candidates:
            taken[position] = candidates.popleft()
            used.add(taken[position])
    left = [position for position in range(len(entries)) if position not in taken]
    open_slots = [number for number in range(len(slots)) if number not in used]
    taken |= _pair(entries, left, slots, open_slots)
    for position, entry in enumerate(entries):
        if position not in taken:
            slots.append(_Slot([ABSENT] * sides, [-1] * sides, set()))
            taken[position] = len(slots) - 1
        slot = slots[taken[position]]
        slot.nodes[side], slot.places[side] = entry, places[position]
        slot.forms.add(forms[position])


def _pair(entries: list[Node], left: list[int], slots: list[_Slot], open_slots: list[int]) -> dict[int, int]:
    """Unequal entries beside the slots that they are most like."""
    if len(left) * len(open_slots) > _MOST_CANDIDATES:
        return {} if isinstance(entries, Bag) else dict(zip(left, open_slots, strict=False))
    pairs: dict[int, int] = {}
    remaining = list(open_slots)
    for position in left:
        scored = [(_likeness(entries[position], slots[number]), -number) for number in remaining]
        best, number = max(scored, default=(0, 0))
        if best:
            pairs[position] = -number
            remaining.remove(-number)
    rest = [position for position in left if position not in pairs]
    only_one = len(rest) == len(remaining) == 1 and isinstance(entries[rest[0]], dict)
    if only_one or not isinstance(entries, Bag):
        pairs.update(zip(rest, remaining, strict=False))
    return pairs


def _likeness(entry: Node, slot: _Slot) -> int:
    """How many fields two mappings share; a name that is the same outweighs them all."""
    other = _first(slot.nodes)
    if not isinstance(entry, dict) or not isinstance(other, dict):
        return 0
    shared = sum(1 for key in entry if key in other and same(entry[key], other[key]))
    named = any(isinstance(entry.get(key), str) and entry.get(key) == other.get(key) for key in ("name", "id", "key"))
    return shared + (1000 if named else 0)
