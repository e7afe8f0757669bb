"""Every error that Lockstep raises on purpose, drawn as a tree.

::

    LockstepError
    ├── InputError              what was given is wrong: fix it and try again
    │   ├── DocumentError       a YAML or JSON document cannot be read (file, line, column)
    │   ├── InvalidError        a server calls what was given invalid (carries which fields)
    │   │   └── FixedError      it is another than what is there, in what nobody can change any more
    │   └── ConfigurationError  the configuration has problems; carries all of them at once
    ├── TemporaryError          the same call may succeed later; the engine retries it
    │   ├── UnreachableError    a site, forge or registry did not answer in time
    │   ├── ThrottledError      it answered: not now (carries how long to wait)
    │   ├── FaultError          it answered that something in it is broken
    │   └── ConflictError       somebody else changed it between our look and our write
    ├── RefusedError            the other side understood and said no
    │   ├── UnauthorisedError   it does not know us
    │   ├── ForbiddenError      it knows us, and we may not (carries which right is missing)
    │   └── OwnedError          fields that we would set belong to others (carries whose)
    ├── NotFoundError           what was named is not there
    ├── IntegrityError          bytes are not what their digest or name says
    ├── UnsupportedError        a true request that this end cannot serve
    │   └── NotServedError      it knows no such kind
    ├── MissingToolError        a program that is needed is not installed
    ├── HeldError               a guard or a stance holds it until a person decides
    └── LostWorkError           the lease is gone: another worker has this job now

Rules: an error says what is wrong, where, and what to do (``remedy``). It carries data as attributes. It is
chained with ``from``. It never carries a secret. Only the job loop and the command line catch
``LockstepError`` as a whole, and neither turns one into a verdict that means "equal".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class LockstepError(Exception):
    """The root of the tree.

    Args:
        message: What is wrong, one sentence, with the place in it.
        remedy: What to do about it, one sentence; empty only when nothing can be done.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip() if self.remedy else self.message


class InputError(LockstepError):
    """What was given is wrong: fix it and try again."""


class DocumentError(InputError):
    """A YAML or JSON document cannot be read.

    Args:
        message: What is wrong with it.
        remedy: What to do.
        file: The file's name as its reader knows it.
        line: The line, from 1; 0 when unknown.
        column: The column, from 1; 0 when unknown.
    """

    def __init__(self, message: str, *, remedy: str = "", file: str = "", line: int = 0, column: int = 0) -> None:
        place = ":".join(str(part) for part in (file, line, column) if part)
        super().__init__(f"{place}: {message}" if place else message, remedy=remedy)
        self.bare = message
        self.file = file
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """One field that a server calls invalid: its path as the server writes it, and what is wrong with it."""

    field: str
    message: str


class InvalidError(InputError):
    """A server calls what was given invalid.

    Args:
        message: What was given, and what the server says.
        remedy: What to do.
        faults: The fields, where the server names any.
    """

    def __init__(self, message: str, *, remedy: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.faults = tuple(faults)


class FixedError(InvalidError):
    """What was given is another than what is there, in a field that nobody can change any more."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing wrong with the configuration.

    ``field`` is the path as people write it (``spec.sites[1]``); ``line`` counts from 1, 0 when the whole
    file is meant.
    """

    file: str
    line: int
    field: str
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        where = f" {self.field}:" if self.field else ""
        return f"{place}:{where} {self.message} {self.remedy}".rstrip()


class ConfigurationError(InputError):
    """The configuration has problems; all of them at once, so that one edit can mend them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        noun = "problem" if len(self.problems) == 1 else "problems"
        lines = "\n".join(str(problem) for problem in self.problems)
        super().__init__(f"{len(self.problems)} {noun} in the configuration:\n{lines}")


class TemporaryError(LockstepError):
    """The same call may succeed later; the engine retries it."""


class UnreachableError(TemporaryError):
    """A site, forge or registry did not answer in time."""


class ThrottledError(TemporaryError):
    """The other side answered: not now.

    Args:
        message: Who said so.
        remedy: What to do.
        wait_seconds: How long it asked us to wait, in seconds.
    """

    def __init__(self, message: str, *, remedy: str = "", wait_seconds: float = 0.0) -> None:
        super().__init__(message, remedy=remedy)
        self.wait_seconds = wait_seconds


class FaultError(TemporaryError):
    """The other side answered that something in it is broken."""


class ConflictError(TemporaryError):
    """Somebody else changed it between our look and our write."""


class RefusedError(LockstepError):
    """The other side understood and said no."""


class UnauthorisedError(RefusedError):
    """The other side does not know us."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Right:
    """What a Kubernetes API server is asked to allow: a verb on a resource (in the plural, as RBAC names it).

    ``namespace`` is empty for the cluster's scope, ``name`` for all of them, ``group`` for the core group.
    """

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        which = f"{what} {self.name}" if self.name else what
        return f"{self.verb} {which} {f'in {self.namespace}' if self.namespace else 'in the whole cluster'}"


class ForbiddenError(RefusedError):
    """The other side knows us, and we may not.

    Args:
        message: What is forbidden.
        remedy: What to do.
        right: The right that is missing; None when it is no right but a rule, such as a quota.
    """

    def __init__(self, message: str, *, remedy: str = "", right: Right | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.right = right


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Owned:
    """A field and the manager that it belongs to, both as the server writes them."""

    manager: str
    field: str


class OwnedError(RefusedError):
    """Fields that we would set belong to others.

    Args:
        message: Whose fields they are.
        remedy: What to do.
        owned: Which field belongs to whom.
    """

    def __init__(self, message: str, *, remedy: str = "", owned: Sequence[Owned] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.owned = tuple(owned)


class NotFoundError(LockstepError):
    """What was named is not there."""


class IntegrityError(LockstepError):
    """Bytes are not what their digest or name says."""


class UnsupportedError(LockstepError):
    """A true request that this end cannot serve."""


class NotServedError(UnsupportedError):
    """This end knows no such kind."""


class MissingToolError(LockstepError):
    """A program that is needed is not installed."""


class HeldError(LockstepError):
    """A guard or a stance holds the work until a person decides."""


class LostWorkError(LockstepError):
    """The lease is gone: another worker has this job now, and what was done here is thrown away."""
