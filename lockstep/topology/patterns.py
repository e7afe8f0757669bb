"""Which names a mirror means, by pattern and by expression: pure, and bounded in time."""

from __future__ import annotations

from fnmatch import fnmatchcase

import regex

from lockstep import errors
from lockstep.topology import kinds

# For one expression on one name.
_PATIENCE_SECONDS = 0.2


def covers(mirror: kinds.ImageMirror, repository: str) -> bool:
    """Whether an image repository is one of the mirror's: named, or of a pattern and passing the expression.

    Raises:
        InputError: As ``matches``.
    """
    spec = mirror.spec
    if repository in spec.repositories:
        return True
    by_pattern = any(fnmatchcase(repository, pattern) for pattern in spec.repositories)
    expression = spec.repository_expression
    return by_pattern and (expression is None or matches(expression, repository))


def matches(expression: str, name: str) -> bool:
    """Whether an expression matches a name as a whole.

    Raises:
        InputError: It takes too long, as some expressions do on some names.
    """
    try:
        return regex.fullmatch(expression, name, timeout=_PATIENCE_SECONDS) is not None
    except TimeoutError as error:
        raise errors.InputError(
            f"The expression {expression!r} takes too long on {name!r}.",
            remedy="Write it without a repetition inside a repetition.",
        ) from error
