"""Documents by themselves, outside a configuration: each is checked, and nothing that must hold between them."""

from __future__ import annotations

from pathlib import Path

from lockstep import documents, errors
from lockstep.topology import admission, files, kinds


def read(path: Path) -> list[kinds.Document]:
    """Our documents in a file, or in the files of a directory, in order; Tekton's are left out.

    Raises:
        ConfigurationError: With every problem, each with file, line, field and remedy.
    """
    given = files.read(path) if path.is_dir() else files.read_one(path)
    problems, found = list(given.problems), []
    for file in given.files:
        try:
            parts = documents.read(file.data, file=file.name)
        except errors.DocumentError as error:
            problems.append(
                errors.Problem(file=file.name, line=error.line, field="", message=error.bare, remedy=error.remedy)
            )
            continue
        for part in parts:
            admitted = admission.admit(part)
            problems += admitted.problems
            if admitted.entry is not None and admitted.entry.model is not None:
                found.append(admitted.entry.model)
    if problems:
        raise errors.ConfigurationError(problems)
    return found
