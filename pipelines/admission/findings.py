"""What is wrong inside a pipeline or a task, whatever run it is for; each with the path where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lockstep import documents as yaml
from pipelines import documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: where, what, and what to do."""

    path: yaml.Path
    message: str
    remedy: str

    def __str__(self) -> str:
        place = documents.path_text(self.path)
        return f"{self.message}: {place}" if place else self.message


def twice(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The names that were there before, with their positions."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield index, name
        seen.add(name)
