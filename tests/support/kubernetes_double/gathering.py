"""Make the tables of facts again: ``python -m tests.support.kubernetes_double.gathering GO_SOURCE``.

The API's own description says which kinds there are, which fields each type has, of what type they are and how lists
are keyed. What it leaves out is what an object looks like once it has been through the server: which fields are
written although they are empty, and which keep a zero. Go's types say that (``GO_SOURCE`` is a folder that holds the
Go modules ``k8s.io/api``, ``apimachinery``, ``apiextensions-apiserver`` and ``kube-aggregator`` of the same version).
Only such facts are kept, no text.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support import apiserver
from tests.support.apiserver import Admin

FACTS = Path(__file__).with_name("facts")
_PACKAGES = (
    ("io.k8s.apiextensions-apiserver.pkg.apis.", ""),
    ("io.k8s.kube-aggregator.pkg.apis.", ""),
    ("io.k8s.apimachinery.pkg.apis.", ""),
    ("io.k8s.apimachinery.pkg.", ""),
    ("io.k8s.api.", ""),
)
_SCALARS = {
    "meta.v1.Time": "time",
    "meta.v1.MicroTime": "time",
    "meta.v1.FieldsV1": "any",
    "meta.v1.Patch": "any",
    "runtime.RawExtension": "any",
    "util.intstr.IntOrString": "int-or-string",
    "api.resource.Quantity": "quantity",
    "apiextensions.v1.JSON": "any",
    "apiextensions.v1.JSONSchemaPropsOrArray": "any",
    "apiextensions.v1.JSONSchemaPropsOrBool": "any",
    "apiextensions.v1.JSONSchemaPropsOrStringArray": "any",
}
_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r'^\t(?:(\w+)\s+)?([\w.*\[\]]+)\s+`[^`]*json:"([^"]*)"', re.MULTILINE)

Facts = dict[str, Any]
GoFields = Mapping[str, Mapping[str, tuple[str, str]]]


def short(name: str) -> str:
    """A type's name without where Go keeps it: ``core.v1.Pod``."""
    for prefix, other in _PACKAGES:
        if name.startswith(prefix):
            return other + name.removeprefix(prefix)
    return name


def _type(schema: Mapping[str, Any]) -> Any:
    """One field's type: a name, or an object for lists and maps."""
    target = schema.get("$ref") or next((one["$ref"] for one in schema.get("allOf", ()) if "$ref" in one), "")
    if target:
        name = short(target.rpartition("/")[2])
        return _SCALARS.get(name, name)
    if schema.get("type") == "array":
        return _list(schema)
    if "additionalProperties" in schema:
        inner = _type(schema["additionalProperties"])
        return {"map": inner, "atomic": True} if schema.get("x-kubernetes-map-type") == "atomic" else {"map": inner}
    return schema.get("format", "") if schema.get("format") == "byte" else schema.get("type", "any")


def _list(schema: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"list": _type(schema["items"])}
    if schema.get("x-kubernetes-list-type") == "set":
        found["set"] = True
    if schema.get("x-kubernetes-list-type") == "map":
        found["keys"] = schema["x-kubernetes-list-map-keys"]
    strategy = schema.get("x-kubernetes-patch-strategy", "")
    if "merge" in strategy:
        found["merge"] = schema.get("x-kubernetes-patch-merge-key", "")
    return found


def types(schemas: Mapping[str, Mapping[str, Any]], go: GoFields) -> Facts:
    """The table of types: name to fields, and what is special about them."""
    found = {}
    for name, schema in schemas.items():
        if short(name) in _SCALARS or name.endswith(("List", "DeleteOptions", "meta.v1.WatchEvent")):
            continue
        fields = schema.get("properties", {})
        entry: dict[str, Any] = {"fields": {key: _type(value) for key, value in sorted(fields.items())}}
        shown, pointers = _written(go.get(short(name), {}), entry["fields"])
        defaults = {
            key: value["default"] for key, value in fields.items() if value.get("default") not in ({}, "", 0, None)
        }
        extra = {
            "atomic": schema.get("x-kubernetes-map-type") == "atomic",
            "default": {key: value for key, value in sorted(defaults.items()) if value is not False},
            "enum": {key: sorted(value["enum"]) for key, value in sorted(fields.items()) if "enum" in value},
            "pointers": pointers,
            "required": sorted(schema.get("required", ())),
            "shown": shown,
        }
        found[short(name)] = entry | {key: value for key, value in extra.items() if value}
    return dict(sorted(found.items()))


def _written(go: Mapping[str, tuple[str, str]], fields: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Which fields are written although they are empty, and which are pointers, so that a zero is kept."""
    shown, pointers = [], []
    for name in fields:
        kind, tag = go.get(name, ("", "omitempty"))
        # encoding/json never leaves out a struct for being empty, whatever omitempty promises.
        struct = isinstance(fields[name], str) and ("." in fields[name] or fields[name] in {"time", "quantity"})
        held = not kind.startswith(("*", "[", "map"))
        if "omitzero" not in tag and ("omitempty" not in tag or (struct and held and kind)):
            shown.append(name)
        if kind.startswith("*"):
            pointers.append(name)
    return shown, pointers


def go_fields(source: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """Type name to JSON name to Go's type and the options of its tag."""
    structs: dict[str, dict[str, list[tuple[str, str, str]]]] = {}
    for package, file in _go_files(source):
        here = structs.setdefault(package, {})
        for name, body in _STRUCT.findall(file.read_text()):
            here[name] = _FIELD.findall(body)
    return {f"{package}.{name}": dict(_flat(name, here)) for package, here in structs.items() for name in here}


def _go_files(source: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(source.glob("k8s.io/**/types*.go")):
        group, version = file.parent.parent.name, file.parent.name
        if re.fullmatch(r"v\d+", version):
            yield f"{group}.{version}", file


def _flat(name: str, here: Mapping[str, list[tuple[str, str, str]]]) -> Iterator[tuple[str, tuple[str, str]]]:
    """A struct's fields, with those of the structs that are written in its place."""
    for _, kind, tag in here.get(name, ()):
        key, _, options = tag.partition(",")
        if key:
            yield key, (kind, options)
        elif "inline" in options:
            yield from _flat(kind, here)  # what comes from another package is no field of its own here


def resources(group: str, version: str, listed: Facts) -> Facts:
    """One group and version of the table of kinds, in the order of discovery, subresources with their resource."""
    found: dict[str, Facts] = {}
    for one in listed["resources"]:
        plural, _, subresource = one["name"].partition("/")
        if subresource:
            elsewhere = {key: one[key] for key in ("group", "version") if key in one}
            entry = {"kind": one["kind"], "verbs": one["verbs"]} | elsewhere
            found[plural].setdefault("subresources", {})[subresource] = entry
        else:
            left_out = {"name": 0, "storageVersionHash": 0, "singularName": 0}
            facts = {"plural": plural, "singular": one["singularName"], "hash": one.get("storageVersionHash", "")}
            found[plural] = facts | {key: value for key, value in one.items() if key not in left_out}
    return {"group": group, "version": version, "resources": list(found.values())}


def gathered(admin: Admin, go: GoFields) -> tuple[Facts, list[Facts]]:
    """Both tables as a server tells them."""
    schemas: dict[str, Facts] = {}
    kinds = [resources("", "v1", admin.get("/api/v1"))]
    described = admin.get("/openapi/v3")["paths"]
    served = [(group["name"], one["version"]) for group in admin.get("/apis")["groups"] for one in group["versions"]]
    kinds += [resources(group, version, admin.get(f"/apis/{group}/{version}")) for group, version in served]
    for path in ("api/v1", *(f"apis/{group}/{version}" for group, version in served)):
        schemas |= admin.get(described[path]["serverRelativeURL"])["components"]["schemas"]
    return types(schemas, go), kinds


def _lines(table: Facts | list[Facts]) -> str:
    """JSON, a line for each entry, so that a change shows as what it is."""
    if isinstance(table, list):
        return "[\n" + ",\n".join(json.dumps(one, sort_keys=True) for one in table) + "\n]\n"
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(one)}" for key, one in table.items()) + "\n}\n"


def main() -> None:
    """Write the tables, from the server that ``KUBEBUILDER_ASSETS`` names."""
    go = go_fields(Path(sys.argv[1]))
    assets = Path(os.environ["KUBEBUILDER_ASSETS"])
    with tempfile.TemporaryDirectory() as folder, apiserver.started(assets, Path(folder)) as server:
        found, kinds = gathered(Admin(server), go)
    (FACTS / "types.json").write_text(_lines(found))
    (FACTS / "resources.json").write_text(_lines(kinds))


if __name__ == "__main__":
    main()
