"""As much of a cluster as comparing needs."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from lockstep.sites import ends
from lockstep.values import Json, ObjectKey


class Seen(Protocol):
    """A Kubernetes API, a directory, an archive, a backup, a watch."""

    @property
    def address(self) -> str:
        """The server or path, fit to be shown."""
        ...

    @property
    def runs(self) -> bool:
        """Whether what is here runs: a directory and a backup run nothing, and have no health."""
        ...

    def read(self, selection: ends.Selection) -> ends.Inventory:
        """What is there. A kind or namespace that could not be read is a gap; nothing readable at all raises."""
        ...

    def get(self, key: ObjectKey, *, api_version: str) -> dict[str, Json] | None:
        """One object; None when it is not there."""
        ...


@runtime_checkable
class Sifted(Seen, ends.Sifting, Protocol):
    """One whose objects can be let go one by one."""
