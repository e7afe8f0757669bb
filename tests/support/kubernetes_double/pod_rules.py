"""Rules for Pods and their templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.support.kubernetes_double import field_errors, names, quantities
from tests.support.kubernetes_double.field_errors import FieldError
from tests.support.kubernetes_double.types import Object


def template(given: Object, at: str, policies: set[str], *, added: Iterable[str] = ()) -> Iterator[FieldError]:
    """The Pod of a workload, which restarts as that kind allows and to which its controller adds some volumes."""
    yield from spec(given, at, added=added)
    policy = given.get("restartPolicy")
    if policy in {"Always", "OnFailure", "Never"} and policy not in policies:
        yield field_errors.unsupported(f"{at}.restartPolicy", policy, policies)


def spec(given: Object, at: str, *, added: Iterable[str] = ()) -> Iterator[FieldError]:
    """One Pod; volumes are added to it before it starts."""
    volumes = {volume.get("name", "") for volume in given.get("volumes") or ()} | set(added)
    yield from _volumes(given, at)
    if not given.get("containers"):
        yield field_errors.required(f"{at}.containers")
    seen: set[str] = set()
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(given.get(kind) or ()):
            here = f"{at}.{kind}[{index}]"
            yield from _container(container, here, volumes)
            if container.get("name") in seen:
                yield field_errors.duplicate(f"{here}.name", container["name"])
            seen.add(container.get("name", ""))


def _volumes(given: Object, at: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, volume in enumerate(given.get("volumes") or ()):
        here, name = f"{at}.volumes[{index}]", volume.get("name", "")
        yield from _dns_name(name, f"{here}.name")
        if name in seen:
            yield field_errors.duplicate(f"{here}.name", name)
        seen.add(name)
        if len(volume) > 2:
            _first, *more = (key for key in sorted(volume) if key != "name")
            for kind in more:
                yield field_errors.forbidden(f"{here}.{kind}", "may not specify more than 1 volume type")


def _dns_name(name: str, at: str) -> Iterator[FieldError]:
    if not name:
        yield field_errors.required(at)
    elif wrong := names.dns_label(name):
        yield field_errors.invalid(at, name, wrong)


def _container(container: Object, at: str, volumes: set[str]) -> Iterator[FieldError]:
    yield from _dns_name(container.get("name", ""), f"{at}.name")
    image = container.get("image", "")
    if not image:
        yield field_errors.required(f"{at}.image")
    elif image != image.strip():
        yield field_errors.invalid(f"{at}.image", image, "must not have leading or trailing whitespace")
    yield from _ports(container, at)
    for index, env in enumerate(container.get("env") or ()):
        if not env.get("name"):
            yield field_errors.required(f"{at}.env[{index}].name")
        elif env.get("value") and env.get("valueFrom"):
            why = "may not be specified when `value` is not empty"
            yield field_errors.invalid(f"{at}.env[{index}].valueFrom", "", why)
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        here = f"{at}.volumeMounts[{index}]"
        if not mount.get("name"):
            yield field_errors.required(f"{here}.name")
        if mount.get("name", "") not in volumes:
            yield field_errors.not_found(f"{here}.name", mount.get("name", ""))
        if not mount.get("mountPath"):
            yield field_errors.required(f"{here}.mountPath")
    yield from _resources(container.get("resources") or {}, f"{at}.resources")


def _ports(container: Object, at: str) -> Iterator[FieldError]:
    for index, port in enumerate(container.get("ports") or ()):
        number = port.get("containerPort")
        if not number:
            yield field_errors.required(f"{at}.ports[{index}].containerPort")
        elif not 0 < number < 65536:
            why = "must be between 1 and 65535, inclusive"
            yield field_errors.invalid(f"{at}.ports[{index}].containerPort", number, why)


def _resources(resources: Object, at: str) -> Iterator[FieldError]:
    limits = resources.get("limits") or {}
    for kind in ("limits", "requests"):
        for name, amount in sorted((resources.get(kind) or {}).items()):
            if quantities.value(amount) < 0:
                yield field_errors.invalid(f"{at}.{kind}[{name}]", amount, "must be greater than or equal to 0")
            if kind == "requests" and name in limits and quantities.value(amount) > quantities.value(limits[name]):
                why = f"must be less than or equal to {name} limit of {limits[name]}"
                yield field_errors.invalid(f"{at}.requests", amount, why)
