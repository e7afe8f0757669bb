"""What steps left in Tekton's folders: results, read with suspicion, for a step owns what it wrote.

A result may be a link, a pipe, or as large as the disk: it is opened without following, without waiting, and
read no further than is allowed.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from pipelines import documents


class TooLarge(Exception):  # noqa: N818 - Tekton's reason says the same
    """All results of a task together are larger than is allowed."""


def read(folder: Path, declared: Sequence[documents.Result], *, most: int) -> dict[str, str]:
    """The declared results that were written, byte for byte; a trailing newline stays.

    Raises:
        TooLarge: Together they are more than ``most`` bytes.
    """
    found: dict[str, str] = {}
    left = most
    with _opened(folder) as directory:
        for result in declared:
            data = None if directory is None else _content(directory, result.name, left)
            if data is None:
                continue
            left -= len(data)
            if left < 0:
                raise TooLarge
            found[result.name] = data.decode(errors="replace")
    return found


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int | None]:
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        yield None
        return
    try:
        yield directory
    finally:
        os.close(directory)


def _content(directory: int, name: str, most: int) -> bytes | None:
    """The bytes of a plain file, at most one more than is allowed; None of anything else."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        with os.fdopen(file, "rb", closefd=False) as opened:
            return opened.read(most + 1)
    finally:
        os.close(file)


def typed(
    texts: Mapping[str, str], declared: Sequence[documents.Result]
) -> tuple[dict[str, documents.Value], list[str], dict[str, list[str]]]:
    """Results by their declared types.

    Returns:
        The values; the results whose text is not of the declared type, said as Tekton says it; and the keys that
        objects lack.
    """
    values: dict[str, documents.Value] = {}
    mismatched: list[str] = []
    lost: dict[str, list[str]] = {}
    for result in declared:
        if result.name not in texts:
            continue
        value = _value(texts[result.name], result.kind)
        found = documents.type_of(value)
        if found != result.kind:
            mismatched.append(
                f' "{result.name}": task result is expected to be "{result.kind}" type but was initialized to a '
                f'different type "{found}"'
            )
            continue
        values[result.name] = value
        keys = [key for key in result.properties or {} if isinstance(value, Mapping) and key not in value]
        if keys:
            lost[result.name] = keys
    return values, sorted(mismatched), lost


def _value(text: str, kind: documents.Type) -> documents.Value:
    if kind == "string" or not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return documents.value_of(orjson.loads(text))
    except orjson.JSONDecodeError:
        return text
