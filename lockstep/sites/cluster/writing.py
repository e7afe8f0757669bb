"""Applying and deleting: what goes over the line, and what came of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import orjson

from lockstep import errors
from lockstep.sites.cluster import reading
from lockstep.sites.cluster.api import Api, Call, parsed
from lockstep.sites.cluster.discovery import Resource
from lockstep.sites.cluster.refusals import line
from lockstep.sites.ends import Applied, Change
from lockstep.values import Json, ObjectKey

MANAGER = "lockstep"
"""The field manager under whose name everything is applied."""

# JSON may hold these as they are; a YAML reader, which reads what is applied, refuses them or folds them away.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_MOST_WARNINGS = 20
_WARNING = re.compile(r'\b299 \S+ "((?:[^"\\]|\\.)*)"')


def apply(
    api: Api,
    resource: Resource,
    manifest: Mapping[str, Json],
    *,
    dry_run: bool,
    force: bool,
    before: Mapping[str, Json] | None,
) -> Applied:
    """Apply an object on the server's side, as the manager ``lockstep``.

    Args:
        api: The server.
        resource: Its kind.
        manifest: The object.
        dry_run: Only say what would become of it.
        force: Take fields over that belong to others.
        before: The object as it was read last; it is read now when nobody has.

    Raises:
        LockstepError: It was not applied.
    """
    key = ObjectKey.of(dict(manifest))
    if before is None:
        before = reading.get(api, resource, key.namespace, key.name)
    answer = api.send(_patch(resource, manifest, dry_run=dry_run, force=force))
    after = parsed(answer, api.server)
    return Applied(
        change=Change.CREATED if answer.status == 201 else _change(before, after, dry_run=dry_run),
        object=after,
        warnings=tuple(line(text) for text in _WARNING.findall(answer.headers.get("warning", ""))[:_MOST_WARNINGS]),
    )


def foreseen(api: Api, resource: Resource, manifest: Mapping[str, Json], *, until: float) -> dict[str, Json]:
    """The object as it would be if it were applied now, with every field of others taken over; nothing is written.

    Args:
        api: The server.
        resource: Its kind.
        manifest: The object.
        until: When it must be over, as ``time.monotonic`` tells it.

    Raises:
        LockstepError: The server does not say, or would not take it.
    """
    return api.json(_patch(resource, manifest, dry_run=True, force=True), until=until)


def _patch(resource: Resource, manifest: Mapping[str, Json], *, dry_run: bool, force: bool) -> Call:
    key = ObjectKey.of(dict(manifest))
    query = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
    query |= {"force": "true"} if force else {}
    query |= {"dryRun": "All"} if dry_run else {}
    return Call(
        method="PATCH",
        segments=resource.one_of(key.namespace, key.name),
        right=resource.right("patch", key.namespace, key.name),
        query=query,
        body=encoded(manifest),
        content_type="application/apply-patch+yaml",
    )


def delete(api: Api, resource: Resource, key: ObjectKey, *, uid: str) -> bool:
    """Delete an object and, in the background, what belongs to it; False when it was not there.

    Args:
        api: The server.
        resource: Its kind.
        key: Which.
        uid: The one that is meant; ``""`` for whichever has the name now.

    Raises:
        ConflictError: Another one has the name now.
        LockstepError: It was not deleted.
    """
    options: dict[str, Json] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    if uid:
        options["preconditions"] = {"uid": uid}
    call = Call(
        method="DELETE",
        segments=resource.one_of(key.namespace, key.name),
        right=resource.right("delete", key.namespace, key.name),
        body=orjson.dumps(options),
    )
    try:
        api.send(call)
    except errors.NotFoundError:
        return False
    return True


def encoded(manifest: Mapping[str, Json]) -> bytes:
    """A manifest as JSON that is YAML too, with a Secret's ``stringData`` in its ``data``.

    A server keeps no ``stringData``, and so would not know whose the keys are (documentation of Kubernetes,
    "Server-Side Apply").
    """
    text = orjson.dumps(_with_data(manifest)).decode()
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def _with_data(manifest: Mapping[str, Json]) -> Mapping[str, Json]:
    plain = manifest.get("stringData")
    if (manifest.get("apiVersion"), manifest.get("kind")) != ("v1", "Secret") or not isinstance(plain, dict):
        return manifest
    kept = {name: value for name, value in manifest.items() if name != "stringData"}
    # What is no text is left as it is, so that the server says what is wrong with it.
    made = {
        name: base64.b64encode(value.encode()).decode() if isinstance(value, str) else value
        for name, value in plain.items()
    }
    return {**kept, "data": {**(manifest.get("data") or {}), **made}}


def _change(before: Mapping[str, Json] | None, after: Mapping[str, Json], *, dry_run: bool) -> Change:
    """What an apply did to an object that was there; nobody knows what it was when it was not read."""
    if before is None:
        return Change.CHANGED
    if not dry_run:
        same = _version(before) == _version(after)
    else:
        same = settled(before) == settled(after)
    return Change.UNCHANGED if same else Change.CHANGED


def _version(manifest: Mapping[str, Json]) -> Any:
    return (manifest.get("metadata") or {}).get("resourceVersion")


def settled(manifest: Mapping[str, Json]) -> dict[str, Json]:
    """An object without what changes by itself with every write."""
    metadata = {
        name: value
        for name, value in (manifest.get("metadata") or {}).items()
        if name not in ("managedFields", "resourceVersion", "generation")
    }
    return {**manifest, "metadata": metadata}
