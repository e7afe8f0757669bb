"""What the fields of the built-in kinds are, as far as comparing needs to know.

A ``Shape`` says of a value whether it is a quantity, whether an empty one says nothing, and whether a list is a
sequence, a map with keys or a bag. The facts are those of the published OpenAPI of Kubernetes
(``x-kubernetes-list-type`` and ``-map-keys``, ``patchMergeKey``) and of ``omitempty`` in its Go types; where the
API calls a list atomic although its order means nothing (rules of a role, peers of a network policy), it is a
bag here. A field that is not listed has no shape: it is compared as it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Form(Enum):
    """How a scalar is read."""

    PLAIN = "plain"
    QUANTITY = "quantity"
    # Rounded up to thousandths: the resources of containers.
    RESOURCE = "resource"
    NUMBER_OR_NAME = "number or name"


class Order(Enum):
    """What the order of a list means."""

    SEQUENCE = "sequence"
    # Found by key; the order means nothing.
    MAP = "map"
    # Found by key, and the order counts.
    ORDERED_MAP = "ordered map"
    # Found by key; the order counts when a value refers to an earlier one with $(NAME).
    ENVIRONMENT = "environment"
    # Neither keys nor order: rules, peers, verbs.
    BAG = "bag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is known of a value.

    ``fields`` are the known fields of a mapping, ``values`` what every other value in it is; ``items`` are the
    entries of a list, found by ``keys`` when ``order`` says so. ``blank``: an empty value of these types ({}, [],
    "", 0, false) says what an absent one says; one of another type is a mistake, and shows.
    """

    fields: Mapping[str, Shape] = field(default_factory=dict)
    values: Shape | None = None
    items: Shape | None = None
    order: Order = Order.SEQUENCE
    keys: tuple[str, ...] = ()
    form: Form = Form.PLAIN
    blank: tuple[type, ...] = ()


UNKNOWN = Shape()
"""Nothing is known: the value is compared as it is written."""

_MAPPING, _LIST = (dict,), (list,)
TEXT, COUNT, FLAG = Shape(blank=(str,)), Shape(blank=(int, float)), Shape(blank=(bool,))
"""Scalars whose zero values the server leaves out."""


def record(**fields: Shape) -> Shape:
    """A mapping with known fields; an empty one means something."""
    return Shape(fields=fields)


def part(**fields: Shape) -> Shape:
    """A mapping with known fields that says nothing when it is empty."""
    return Shape(fields=fields, blank=_MAPPING)


def listed(items: Shape = UNKNOWN, *keys: str, order: Order | None = None) -> Shape:
    """A list: by keys when some are given, else a sequence."""
    return Shape(items=items, keys=keys, order=order or (Order.MAP if keys else Order.SEQUENCE), blank=_LIST)


def bag(items: Shape = UNKNOWN) -> Shape:
    """A list whose order means nothing."""
    return Shape(items=items, order=Order.BAG, blank=_LIST)


QUANTITY = Shape(form=Form.QUANTITY)
NUMBER_OR_NAME = Shape(form=Form.NUMBER_OR_NAME)
TEXTS = Shape(blank=_MAPPING)
"""A mapping of free keys to text: labels, annotations, node selectors."""
QUANTITIES = Shape(values=QUANTITY, blank=_MAPPING)
RESOURCES = part(
    limits=Shape(values=Shape(form=Form.RESOURCE), blank=_MAPPING),
    requests=Shape(values=Shape(form=Form.RESOURCE), blank=_MAPPING),
    claims=listed(UNKNOWN, "name"),
)
# An empty selector selects everything and an absent one nothing: it is never blank by itself.
_REQUIREMENTS = bag(record(values=bag()))
LABEL_SELECTOR = record(matchLabels=TEXTS, matchExpressions=_REQUIREMENTS)
METADATA = part(
    labels=TEXTS,
    annotations=TEXTS,
    finalizers=bag(),
    ownerReferences=bag(),
    managedFields=listed(),
    generation=COUNT,
    **dict.fromkeys(
        ("creationTimestamp", "generateName", "name", "namespace", "resourceVersion", "selfLink", "uid"), TEXT
    ),
)
ANY_KIND = Shape(fields={"metadata": METADATA})
"""What every object has."""
