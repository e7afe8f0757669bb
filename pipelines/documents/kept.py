"""ConfigMaps and Secrets that stand beside Tekton's documents: their keys, in memory only, never in a snapshot."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from lockstep import documents, errors
from lockstep.values import Json

_KINDS = (("v1", "ConfigMap"), ("v1", "Secret"))


def keys_of(document: documents.Document) -> dict[tuple[str, str], Mapping[str, bytes]]:
    """What a ConfigMap or Secret holds, by (kind, name); nothing of any other document.

    Raises:
        DocumentError: A value is not what Kubernetes takes there.
    """
    value = document.value
    if (
        not isinstance(value, dict)
        or value.get("apiVersion") != "v1"
        or value.get("kind") not in ("ConfigMap", "Secret")
    ):
        return {}
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str):
        return {}
    coded, plain = ("data", "stringData") if value["kind"] == "Secret" else ("binaryData", "data")
    keys = {key: _decoded(document, coded, key, item) for key, item in _mapping(value, coded).items()}
    keys |= {key: str(item).encode() for key, item in _mapping(value, plain).items()}
    return {(value["kind"], name): keys}


def _mapping(value: dict[str, Json], key: str) -> dict[str, Json]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _decoded(document: documents.Document, field: str, key: str, item: Json) -> bytes:
    try:
        return base64.b64decode(str(item).encode(), validate=True)
    except (binascii.Error, ValueError):
        line, column = document.place((field, key))
        raise errors.DocumentError(
            f"{field}.{key} is not base64.", file=document.file, line=line, column=column, remedy="Encode it."
        ) from None
