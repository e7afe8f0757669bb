"""What keeps a rendering from being deployed to a site."""

from __future__ import annotations

from dataclasses import dataclass

from lockstep.values import ObjectKey


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing that is wrong with an object of a rendering; ``where`` is the part of it, such as a container."""

    key: ObjectKey
    where: str
    message: str
    remedy: str

    @property
    def why(self) -> str:
        """What is wrong, without the object."""
        where = f"{self.where}: " if self.where else ""
        return f"{where}{self.message} {self.remedy}".rstrip()

    def __str__(self) -> str:
        where = f", {self.where}" if self.where else ""
        return f"{self.key}{where}: {self.message} {self.remedy}".rstrip()
