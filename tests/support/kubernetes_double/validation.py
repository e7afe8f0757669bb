"""Which values a server refuses, and in which words. Not every rule is here: those that a deploy can meet."""

from __future__ import annotations

from tests.support.kubernetes_double import changes, custom, rules, statuses
from tests.support.kubernetes_double.catalogue import Resource
from tests.support.kubernetes_double.types import Object


def check_new(given: Object, resource: Resource) -> None:
    """Refuse a new object that has a wrong value."""
    _refuse(
        given, resource, rules.errors(given, resource) if resource.custom is None else custom.errors(given, resource)
    )


def check_change(old: Object, new: Object, resource: Resource) -> None:
    """Refuse a changed object that has a wrong value, or one that may not change."""
    if resource.custom is None:
        found = [*rules.errors(new, resource), *changes.errors(old, new, resource)]
    else:
        found = list(custom.errors(new, resource))
    _refuse(new, resource, found)


def _refuse(given: Object, resource: Resource, errors: object) -> None:
    found = list(errors)  # type: ignore[call-overload]
    if found:
        raise statuses.invalid(resource.kind, resource.group, given["metadata"].get("name", ""), found)
