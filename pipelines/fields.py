"""Which fields of Tekton's documents take variables: a table, and the walk along it.

The rows without ``code`` are the table "Fields that accept variable substitutions" of Tekton's
``docs/variables.md``; those with ``code`` are replaced by its code (``pkg/container``, ``pipelinerun/resources``)
and missing in that table. ``[]`` stands for every element of a list, ``*`` for everything below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from lockstep.values import Json
from pipelines import documents, substitution
from pipelines.substitution import Scope

_CONTAINER = """
image
imagePullPolicy
command: list
args: list
env[].value
env[].valueFrom.secretKeyRef.name
env[].valueFrom.secretKeyRef.key
env[].valueFrom.configMapKeyRef.name
env[].valueFrom.configMapKeyRef.key
volumeMounts[].name
volumeMounts[].mountPath
volumeMounts[].subPath
workingDir: code
envFrom[].prefix: code
envFrom[].configMapRef.name: code
envFrom[].secretRef.name: code
"""
_STEP = f"""{_CONTAINER}
name
script
onError
stdoutConfig.path: code
stderrConfig.path: code
when[].input: comparable code
when[].values: list code
when[].cel: code
params[].value: value code
ref.name: code
ref.params[].value: value code
"""
_SIDECAR = f"""{_CONTAINER}
name
script
"""
_VOLUME = """
name
configMap.name
configMap.items[].key
configMap.items[].path
secret.secretName
secret.items[].key
secret.items[].path
persistentVolumeClaim.claimName
projected.sources[].configMap.name
projected.sources[].secret.name
projected.sources[].serviceAccountToken.audience
csi.nodePublishSecretRef.name
csi.volumeAttributes.*
"""
_BINDING = """
subPath
persistentVolumeClaim.claimName
configMap.name
configMap.items[].key
configMap.items[].path
secret.secretName
secret.items[].key
secret.items[].path
projected.sources[].secret.name
projected.sources[].secret.items[].key
projected.sources[].secret.items[].path
projected.sources[].configMap.name
projected.sources[].configMap.items[].key
projected.sources[].configMap.items[].path
csi.driver
csi.nodePublishSecretRef.name
"""
_PIPELINE_TASK = """
params[].value: value
matrix.params[].value: value
matrix.include[].params[].value: value
displayName
workspaces[].subPath
when[].input: comparable
when[].values: list
when[].cel: code
taskRef.params[].value: value
taskRef.name
onError
"""
_POD_TEMPLATE = """
nodeSelector.*
tolerations[].key
tolerations[].operator
tolerations[].value
tolerations[].effect
affinity.*
securityContext.*
volumes[].name
volumes[].configMap.name
volumes[].secret.secretName
runtimeClassName
schedulerName
priorityClassName
imagePullSecrets[].name
hostAliases[].ip
hostAliases[].hostnames: list
topologySpreadConstraints[].topologyKey
topologySpreadConstraints[].whenUnsatisfiable
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One row: the document's kind, the path, how it is replaced, and whether only the code says so."""

    kind: str
    path: str
    how: str = "text"
    code: bool = False


def _rows(kind: str, prefix: str, paths: str) -> Iterator[Field]:
    for line in paths.split("\n"):
        path, _, notes = line.partition(": ")
        if path:
            hows = [note for note in notes.split() if note != "code"]
            yield Field(kind=kind, path=prefix + path, how=hows[0] if hows else "text", code="code" in notes)


FIELDS: tuple[Field, ...] = (
    *_rows("Task", "spec.steps[].", _STEP),
    *_rows("Task", "spec.stepTemplate.", _CONTAINER.replace("\n", ": code\n").replace(": list: code", ": list code")),
    *_rows("Task", "spec.volumes[].", _VOLUME),
    *_rows("Task", "spec.sidecars[].", _SIDECAR),
    *_rows("Task", "spec.workspaces[].", "mountPath"),
    *_rows("TaskRun", "spec.workspaces[].", _BINDING),
    *_rows("Pipeline", "spec.tasks[].", _PIPELINE_TASK),
    *_rows("Pipeline", "spec.finally[].", _PIPELINE_TASK),
    *_rows("PipelineRun", "spec.workspaces[].", _BINDING),
    *_rows("PipelineRun", "spec.taskRunSpecs[].podTemplate.", _POD_TEMPLATE),
)
"""Every field that takes variables."""

_Tree: TypeAlias = dict[str, "str | _Tree"]


def replaced(body: Json, kind: str, under: str, scope: Scope) -> Json:
    """A part of a document with the variables of its fields replaced.

    Args:
        body: The JSON of the part; it is not changed.
        kind: The document's kind, as the table has it.
        under: Where the part stands in the document: ``spec``, ``spec.tasks[]``.
        scope: What the names mean.
    """
    return _walk(body, _tree(kind, under), scope)


def texts(body: Json, kind: str, under: str) -> Iterator[str]:
    """Every text of a part of a document that takes variables."""
    found: list[str] = []

    def keep(source: Json) -> Json:
        found.extend(_leaves(source))
        return source

    _walk(body, _tree(kind, under), Scope(), seen=keep)
    return iter(found)


@cache
def _tree(kind: str, under: str) -> _Tree:
    """The rows below a place, as nested mappings by key; a list is the key ``[]``."""
    root: _Tree = {}
    for row in FIELDS:
        if row.kind != kind or not row.path.startswith(f"{under}."):
            continue
        *keys, last = _keys(row.path.removeprefix(f"{under}."))
        node = root
        for key in keys:
            below = node.setdefault(key, {})
            assert isinstance(below, dict), row  # noqa: S101 - two rows of the table above would contradict
            node = below
        node[last] = row.how
    return root


def _keys(path: str) -> list[str]:
    return path.replace("[]", ".[]").split(".")


def _walk(body: Json, tree: str | _Tree, scope: Scope, seen: Callable[[Json], Json] | None = None) -> Json:
    if isinstance(tree, str):
        return seen(body) if seen else _leaf(body, tree, scope)
    if isinstance(body, list):
        below = tree.get("[]")
        return body if below is None else [_walk(item, below, scope, seen) for item in body]
    if not isinstance(body, dict):
        return body
    everything = tree.get("*")
    if everything is not None:
        return {key: _everything(item, scope, seen) for key, item in body.items()}
    return {key: _walk(item, tree[key], scope, seen) if key in tree else item for key, item in body.items()}


def _everything(body: Json, scope: Scope, seen: Callable[[Json], Json] | None) -> Json:
    if isinstance(body, dict):
        return {key: _everything(item, scope, seen) for key, item in body.items()}
    if isinstance(body, list):
        return [_everything(item, scope, seen) for item in body]
    return seen(body) if seen else _leaf(body, "text", scope)


def _leaf(body: Json, how: str, scope: Scope) -> Json:
    if how == "value":
        return documents.as_json(substitution.value(documents.value_of(body), scope))
    if how == "list" and isinstance(body, list) and all(isinstance(item, str) for item in body):
        return list(substitution.items(body, scope))
    if isinstance(body, str):
        return substitution.comparable(body, scope) if how == "comparable" else substitution.text(body, scope)
    return body


def _leaves(body: Json) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, Mapping):
        for item in body.values():
            yield from _leaves(item)
    elif isinstance(body, list | tuple):
        for item in body:
            yield from _leaves(item)
