"""Where an object stands in a directory of manifests: ``<namespace or _cluster>/<kind>.<group or core>/<name>.yaml``.

Names of objects may hold what file systems dislike: RBAC allows everything but ``/`` and ``%`` in a name
(Kubernetes' "path segment names"). Such characters are written as ``%`` and two hexadecimal digits for each
UTF-8 byte, as in URLs; a name that no file system would take whole is cut and ends in ``%~`` and its hash.
Everything that comes from a manifest is checked before it becomes a part of a path.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote, unquote

from lockstep import errors
from lockstep.values import ObjectKey

CLUSTER = "_cluster"
"""The folder of objects without a namespace; no namespace can have this name."""
CORE = "core"
"""What stands for the core group."""
ENDINGS = (".yaml", ".yml", ".json")
"""The endings of a manifest; Lockstep writes the first."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")
_GROUP = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_MOST_STEM = 200
_CUT = "%~"


def folder(namespace: str) -> str:
    """The folder of a namespace; ``""`` is for objects without one.

    Raises:
        InputError: No namespace can have this name.
    """
    if namespace and not _LABEL.fullmatch(namespace):
        raise errors.InputError(
            f"{namespace!r} is not a namespace.", remedy="Write lower-case letters, digits and dashes."
        )
    return namespace or CLUSTER


def kind_folder(group: str, kind: str) -> str:
    """The folder of a kind.

    Raises:
        InputError: No kind or group can have this name.
    """
    if not _KIND.fullmatch(kind):
        raise errors.InputError(f"{kind!r} is not a kind.", remedy="Write it as Deployment is written.")
    if group and (not _GROUP.fullmatch(group) or group == CORE):
        raise errors.InputError(
            f"{group!r} is not an API group.", remedy="Write it as apps or acme.example is written."
        )
    return f"{kind}.{group or CORE}"


def of_kind_folder(name: str) -> tuple[str, str] | None:
    """Group and kind of a folder; None when it is no kind's."""
    kind, dot, group = name.partition(".")
    sound = dot and _KIND.fullmatch(kind) and _GROUP.fullmatch(group)
    return ("" if group == CORE else group, kind) if sound else None


def stem(name: str) -> str:
    """The file name of an object, without its ending.

    Raises:
        InputError: No object can have this name (Kubernetes, "Path Segment Names").
    """
    if not name or name in (".", "..") or any(sign in name for sign in "/%\0"):
        raise errors.InputError(f"{name!r} is not a name of an object.", remedy="Leave out slashes and percent signs.")
    try:
        escaped = quote(name, safe="")
    except UnicodeEncodeError as error:
        raise errors.InputError(f"{name!r} is not text.", remedy="Write it in UTF-8.") from error
    if escaped.startswith("."):
        # A hidden file would not be read.
        escaped = f"%2E{escaped[1:]}"
    if len(escaped) > _MOST_STEM:
        return f"{escaped[: _MOST_STEM // 2]}{_CUT}{hashlib.sha256(name.encode()).hexdigest()}"
    return escaped


def of_stem(text: str) -> str:
    """The name that a file's stem stands for; ``*`` when its name was cut, for then only its content tells."""
    return "*" if _CUT in text else unquote(text)


def spellings(name: str) -> list[str]:
    """The file names under which an object is found, ours first: a person may write another ending, or no escapes."""
    ours = stem(name)
    plain = [name] if name != ours and not name.startswith(".") and len(name.encode()) <= _MOST_STEM else []
    return [f"{one}{ending}" for one in (ours, *plain) for ending in ENDINGS]


def path(key: ObjectKey) -> str:
    """Where an object belongs, from the top of the directory.

    Raises:
        InputError: A part of the key cannot be.
    """
    return f"{folder(key.namespace)}/{kind_folder(key.group, key.kind)}/{stem(key.name)}{ENDINGS[0]}"
