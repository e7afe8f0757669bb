"""ConfigMaps and Secrets as files and variables: what a binding asks for of the keys that are at hand. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from lockstep.values import Json
from pipelines import documents
from pipelines.admission import Refusal

Keys = Mapping[tuple[str, str], Mapping[str, bytes]]
FACTS = ("metadata.name", "metadata.namespace")
"""What ``fieldRef`` may ask for: there is a TaskRun, and no Pod."""
_INVALID = "TaskRunValidationFailed"


def of_binding(name: str, binding: Json, keys: Keys) -> dict[str, bytes]:
    """The files of a workspace or volume that is made of ConfigMaps and Secrets: relative paths to bytes.

    Raises:
        Refusal: One of them is not at hand.
    """
    parts = binding["projected"].get("sources", ()) if "projected" in binding else (binding,)
    files: dict[str, bytes] = {}
    for part in parts:
        for kind, field, named in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
            if field in part:
                source = part[field]
                files |= dict(_files(name, kind, str(source.get(named) or source.get("name", "")), source, keys))
    return files


def _files(where: str, kind: str, name: str, source: Json, keys: Keys) -> Iterator[tuple[str, bytes]]:
    found = keys.get((kind, name))
    if found is None:
        if not source.get("optional"):
            raise _missing(where, kind, name)
        return
    items = source.get("items")
    pairs = [(item["key"], item.get("path", item["key"])) for item in items] if items else [(key, key) for key in found]
    for key, path in pairs:
        clean = posixpath.normpath(f"/{path}").lstrip("/")
        if key not in found or not clean:
            raise Refusal(_INVALID, f'"{where}" asks for the key "{key}" of {kind} "{name}", which has none such')
        yield clean, found[key]


def _missing(where: str, kind: str, name: str) -> Refusal:
    remedy = f"give the {kind} in the same file, or bind something else"
    return Refusal(_INVALID, f'"{where}" needs the {kind} "{name}", which is not to be had here: {remedy}')


def environment(step: documents.Step, keys: Keys, facts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The variables of a step in their order: whole sources first, then each by name.

    Args:
        step: The step.
        keys: ConfigMaps and Secrets.
        facts: What ``fieldRef`` may ask for, by path.

    Raises:
        Refusal: A source is not at hand.
    """
    for source in step.env_from:
        for kind, field in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if field in source:
                named = source[field]
                files = _files(f"step-{step.name}", kind, str(named.get("name", "")), named, keys)
                for key, content in files:
                    yield f"{source.get('prefix', '')}{key}", content.decode(errors="replace")
    for variable in step.env:
        if variable.value_from is None:
            yield variable.name, variable.value
        else:
            value = _value(f"step-{step.name}", variable.value_from, keys, facts)
            if value is not None:
                yield variable.name, value


def _value(where: str, source: Json, keys: Keys, facts: Mapping[str, str]) -> str | None:
    for kind, field in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
        if field in source:
            named = source[field]
            name, key = str(named.get("name", "")), str(named.get("key", ""))
            found = keys.get((kind, name), {}).get(key)
            if found is None and not named.get("optional"):
                raise _missing(where, kind, f"{name}/{key}")
            return None if found is None else found.decode(errors="replace")
    path = str(source.get("fieldRef", {}).get("fieldPath", ""))
    if path in facts:
        return facts[path]
    raise Refusal(_INVALID, f'"{where}" asks for {path or "a source"} of a Pod, and there is none here')
