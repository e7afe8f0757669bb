"""Params and workspaces of built-in tasks, read and refused in one way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lockstep import errors
from pipelines.documents import Value, texts_of
from pipelines.tasks import Context


def text(params: Mapping[str, Value], name: str, default: str = "") -> str:
    """A param that is one text; surrounding blanks are no part of it.

    Raises:
        InputError: It is a list or an object.
    """
    value = params.get(name, default)
    if not isinstance(value, str):
        raise errors.InputError(f"The param {name} has to be a text.", remedy="Give it one value.")
    return value.strip()


def texts(params: Mapping[str, Value], name: str) -> tuple[str, ...]:
    """A param that is a list of texts; one text is a list of one, an empty one none."""
    value = params.get(name, ())
    if isinstance(value, str):
        return (value.strip(),) if value.strip() else ()
    return tuple(texts_of(value))


def workspace(context: Context) -> Path:
    """The task's one workspace.

    Raises:
        InputError: It has none, or several and none is called ``source``.
    """
    folders = context.workspaces
    if "source" in folders:
        return folders["source"]
    if len(folders) != 1:
        raise errors.InputError(
            f"The task {context.task.pipeline_task} needs one workspace, and has {len(folders)}.",
            remedy="Bind one in the pipeline: workspaces: [{name: source}].",
        )
    return next(iter(folders.values()))
