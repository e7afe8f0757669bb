"""JSON patches, merge patches and strategic merge patches.

(RFC 6902; RFC 7386; Kubernetes' documentation, "Update API Objects in Place Using kubectl patch".)
"""

from __future__ import annotations

import copy
from collections import deque
from typing import Any

from tests.support.kubernetes_double import statuses
from tests.support.kubernetes_double.types import ANY, Form, Object, Type

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"

MEDIA_TYPES = (JSON_PATCH, MERGE, STRATEGIC, APPLY)

_DELETE_FROM = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"
_RETAIN = "$retainKeys"


def patched(live: Object, patch: Any, media_type: str, of: Type) -> Object:
    """The object with a patch applied.

    Raises:
        RefusedError: The patch does not fit.
    """
    if media_type == JSON_PATCH:
        return _json_patched(live, patch)
    if not isinstance(patch, dict):
        raise statuses.bad_request("a merge patch has to be an object")
    made: Object = merged(live, patch) if media_type == MERGE else strategic(live, patch, of)
    return made


def merged(live: Any, patch: Any) -> Any:
    """What RFC 7386 makes of a value and a patch."""
    if not isinstance(patch, dict):
        return patch
    found = dict(live) if isinstance(live, dict) else {}
    for name, one in patch.items():
        if one is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), one)
    return found


def strategic(live: Any, patch: Any, of: Type) -> Any:
    """What a strategic merge patch makes of a value: lists with a merge key are merged by it."""
    if not isinstance(patch, dict):
        return patch
    found = {} if patch.get("$patch") == "replace" else dict(live or {})
    if _RETAIN in patch:
        found = {name: one for name, one in found.items() if name in patch[_RETAIN]}
    for name, one in patch.items():
        if name.startswith(_DELETE_FROM):
            plain = name.removeprefix(_DELETE_FROM)
            found[plain] = [item for item in found.get(plain) or () if item not in one]
        elif one is None or (isinstance(one, dict) and one.get("$patch") == "delete"):
            found.pop(name, None)
        elif not name.startswith("$"):
            found[name] = _strategic_value(found.get(name), one, of.under(name) or ANY)
    for name, order in patch.items():
        plain = name.removeprefix(_ORDER)
        if name != plain and isinstance(found.get(plain), list):
            inner = of.under(plain) or ANY
            before = [_key(item, inner) for item in (live or {}).get(plain) or ()]
            found[plain] = _ordered(found[plain], [_key(one, inner) for one in order], before, inner)
    return found


def _strategic_value(live: Any, one: Any, of: Type) -> Any:
    if isinstance(one, list) and of.form is Form.LIST and of.merge_key is not None:
        return _strategic_list(live or [], one, of)
    if isinstance(one, dict):
        return strategic(live, one, of)
    return one


def _strategic_list(live: list[Any], patch: list[Any], of: Type) -> list[Any]:
    if not of.merge_key:
        return live + [item for item in patch if item not in live]
    if any(item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if "$patch" not in item]
    found = list(live)
    keys = [item.get(of.merge_key) for item in patch]
    for item in patch:
        if of.merge_key not in item:
            raise statuses.internal(f"map: {item} does not contain declared merge key: {of.merge_key}")
        place = next((i for i, one in enumerate(found) if one.get(of.merge_key) == item[of.merge_key]), None)
        if item.get("$patch") == "delete":
            found = [one for one in found if one.get(of.merge_key) != item[of.merge_key]]
        elif place is None:
            found.append(strategic({}, item, of.item or ANY))
        else:
            found[place] = strategic(found[place], item, of.item or ANY)
    return _ordered(found, keys, [one.get(of.merge_key) for one in live], of)


def _key(item: Any, of: Type) -> Any:
    return item.get(of.merge_key) if isinstance(item, dict) else item


def _ordered(items: list[Any], wanted: list[Any], before: list[Any], of: Type) -> list[Any]:
    """Items in the order that the patch has; those that it does not have stay where they stood between them."""
    ours = deque(sorted((one for one in items if _key(one, of) in wanted), key=lambda one: wanted.index(_key(one, of))))
    theirs = deque(one for one in items if _key(one, of) not in wanted)

    def place(item: Any) -> int:
        return before.index(_key(item, of)) if _key(item, of) in before else -1

    found: list[Any] = []
    while ours and theirs:
        found.append((ours if place(ours[0]) < place(theirs[0]) else theirs).popleft())
    return [*found, *ours, *theirs]


def _json_patched(live: Object, patch: Any) -> Object:
    if not isinstance(patch, list):
        raise statuses.bad_request("a JSON patch has to be a list")
    found: Any = copy.deepcopy(live)
    for step in patch:
        try:
            found = _step(found, step)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            message = "the server rejected our request due to an error in our request"
            raise statuses.RefusedError(statuses.status(422, "Invalid", message, details={})) from error
    made: Object = found
    return made


def _step(document: Any, step: Object) -> Any:
    kind = step["op"]
    if kind == "test":
        if _at(document, step["path"]) != step["value"]:
            raise ValueError("testing value failed")
        return document
    if kind in {"move", "copy"}:
        value = copy.deepcopy(_at(document, step["from"]))
        document = _changed(document, "remove", step["from"], None) if kind == "move" else document
        return _changed(document, "add", step["path"], value)
    if kind not in {"add", "remove", "replace"}:
        raise ValueError(f"unexpected kind: {kind}")
    return _changed(document, kind, step["path"], step.get("value"))


def _tokens(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _at(document: Any, pointer: str) -> Any:
    for token in _tokens(pointer):
        document = document[int(token)] if isinstance(document, list) else document[token]
    return document


def _changed(document: Any, kind: str, pointer: str, value: Any) -> Any:
    tokens = _tokens(pointer)
    if not tokens:
        return value
    parent = _at(document, pointer.rpartition("/")[0])
    last = tokens[-1]
    if isinstance(parent, list):
        _change_list(parent, kind, last, value)
    elif kind == "remove":
        del parent[last]
    elif kind == "replace" and last not in parent:
        raise KeyError(last)
    else:
        parent[last] = value
    return document


def _change_list(parent: list[Any], kind: str, token: str, value: Any) -> None:
    if kind == "add":
        parent.insert(len(parent) if token == "-" else int(token), value)
    elif kind == "remove":
        del parent[int(token)]
    else:
        parent[int(token)] = value
