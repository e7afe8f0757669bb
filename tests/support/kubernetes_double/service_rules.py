"""Rules for services."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.kubernetes_double import field_errors
from tests.support.kubernetes_double.field_errors import FieldError
from tests.support.kubernetes_double.types import Object

_RANGE = "must be between 1 and 65535, inclusive"


def errors(given: Object) -> Iterator[FieldError]:
    """What is wrong with a service."""
    spec = given["spec"]
    headless = spec.get("clusterIP") == "None"
    if not spec.get("ports") and not headless and spec.get("type") != "ExternalName":
        yield field_errors.required("spec.ports")
    if spec.get("type") == "ExternalName" and not spec.get("externalName"):
        yield field_errors.required("spec.externalName")
    names: set[str] = set()
    for index, port in enumerate(spec.get("ports") or ()):
        yield from _port(port, f"spec.ports[{index}]", several=len(spec["ports"]) > 1)
        if port.get("name") and port["name"] in names:
            yield field_errors.duplicate(f"spec.ports[{index}].name", port["name"])
        names.add(port.get("name", ""))


def _port(port: Object, at: str, *, several: bool) -> Iterator[FieldError]:
    if several and not port.get("name"):
        yield field_errors.required(f"{at}.name")
    number = port.get("port") or 0
    if not 0 < number < 65536:
        yield field_errors.invalid(f"{at}.port", number, _RANGE)
    target = port.get("targetPort")
    if isinstance(target, int) and not 0 < target < 65536:
        yield field_errors.invalid(f"{at}.targetPort", target, _RANGE)
