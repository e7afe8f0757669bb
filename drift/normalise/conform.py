"""Bring a value to its normal form, by its shape."""

from __future__ import annotations

from drift.normalise import quantity, reading
from drift.normalise.shapes import UNKNOWN, Form, Order, Shape
from drift.normalise.tree import ORDER, Bag, Keyed, Node
from lockstep.values import Json

# Types of which a plain value has one form; a whole number may be written as a float.
_PLAIN = frozenset({str, int, bool})


def conform(value: Json, shape: Shape, *, otherwise: Shape = UNKNOWN) -> Node:
    """The normal form of a value (N07, N08, N09, X14, G4, G5).

    Zero values are left out where the server leaves them out; quantities get their one text; whole numbers are
    integers; lists are found by their keys. Nulls are gone already.

    Args:
        value: Any JSON value; a type that does not fit the shape is left as it is, so that it shows.
        shape: What is known of it.
        otherwise: The shape of the fields that nothing is known of.
    """
    if isinstance(value, dict):
        return _mapping(value, shape, otherwise)
    if isinstance(value, list):
        return _list(value, shape, otherwise)
    return _scalar(value, shape.form)


def _mapping(value: dict[str, Json], shape: Shape, otherwise: Shape) -> dict[str, Node]:
    fields, values = shape.fields, shape.values or otherwise
    kept = {}
    for key, item in value.items():
        inner = fields.get(key, values)
        # Most of an object are texts and numbers that are as they are: nobody is asked about those.
        as_it_is = type(item) in _PLAIN and inner.form is Form.PLAIN
        found = item if as_it_is else conform(item, inner, otherwise=otherwise)
        if found or type(item) not in inner.blank:
            kept[key] = found
    return kept


def _list(value: list[Json], shape: Shape, otherwise: Shape) -> Node:
    inner = shape.items or otherwise
    entries = [conform(entry, inner, otherwise=otherwise) for entry in value]
    if shape.order is Order.SEQUENCE:
        return entries
    if shape.order is Order.BAG:
        return Bag(entries)
    keyed = Keyed(shape.keys)
    for position, entry in enumerate(entries):
        keyed.add(_label(entry, shape.keys, position), entry, position)
    if len(keyed) > 1 and _order_counts(keyed, shape.order):
        keyed[ORDER] = list(keyed)
    return keyed


def _label(entry: Node, keys: tuple[str, ...], position: int) -> str:
    parts = [reading.at(entry, *key.split(".")) if "." in key else reading.at(entry, key) for key in keys]
    known = [str(part) for part in parts if isinstance(part, str | int)]
    # An entry without its key is told apart by its place: nothing else is known of it.
    return "/".join(known) if known else f"#{position}"


def _order_counts(keyed: Keyed, order: Order) -> bool:
    if order is Order.ENVIRONMENT:
        # core/v1 EnvVar.value: $(NAME) is expanded from the variables defined before it.
        return any("$(" in reading.text(entry, "value") for entry in keyed.values())
    return order is Order.ORDERED_MAP


def _scalar(value: Json, form: Form) -> Json:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if form is Form.PLAIN or isinstance(value, bool):
        return value
    if form is Form.NUMBER_OR_NAME:
        return (
            int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else value
        )
    return quantity.canonical(value, milli=form is Form.RESOURCE)
