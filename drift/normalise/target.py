"""An object that noise is being taken out of, together with what git says of it.

Rules drop fields through here, so that one law holds for all of them: a field that git sets is never dropped.
Nothing that was handed in is changed: the mappings on the way to a dropped field are copied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from drift.normalise import reading
from lockstep.values import Json

# Charts write ``clusterIP: ""`` for "give me one". A zero is a value: the priority of a Pod may be one.
_UNSET: tuple[Json, ...] = (None, "", [], {})


@dataclass(slots=True)
class Target:
    """``manifest`` is ours to change at its top and nowhere below; ``declared`` are git's renderings of it."""

    manifest: dict[str, Json]
    declared: Sequence[dict[str, Json]] = field(default=())

    def sets(self, *path: str) -> bool:
        """Whether git sets the field at this path; nothing and an empty text or list ask for what is handed out."""
        return any(reading.at(manifest, *path) not in _UNSET for manifest in self.declared)

    def has(self, *path: str) -> bool:
        """Whether the field is there."""
        # Asked for every noise of every object: walked here, because most of it is not there.
        here: Json = self.manifest
        for key in path:
            if not isinstance(here, dict) or key not in here:
                return False
            here = here[key]
        return True

    def drop(self, *path: str) -> None:
        """Take out the field at this path, unless git sets it."""
        if self.has(*path) and not self.sets(*path):
            self._owned(path[:-1]).pop(path[-1])

    def drop_keys(self, *path: str, noise: Callable[[str], bool]) -> None:
        """Take the keys that are noise out of the mapping at this path, except those that git sets."""
        found = reading.mapping(self.manifest, *path)
        kept = {key: value for key, value in found.items() if not noise(key) or self.sets(*path, key)}
        if len(kept) == len(found):
            return
        if kept or self.sets(*path):
            self.put(kept, *path)
        else:
            self._owned(path[:-1]).pop(path[-1])

    def put(self, value: Json, *path: str) -> None:
        """Put another value where one was."""
        self._owned(path[:-1])[path[-1]] = value

    def rewrite(self, change: Callable[[dict[str, Json]], dict[str, Json] | None], *path: str) -> None:
        """Change the mappings in the list at this path: ``change`` hands back another one, or None to drop it."""
        found = reading.at(self.manifest, *path)
        if not isinstance(found, list):
            return
        changed = [change(entry) if isinstance(entry, dict) else entry for entry in found]
        kept = [entry for entry, before in zip(changed, found, strict=True) if entry is not None or before is None]
        if kept:
            self.put(kept, *path)
        else:
            self._owned(path[:-1]).pop(path[-1])

    def _owned(self, path: Sequence[str]) -> dict[str, Json]:
        """The mapping at a path that is there, copied on the way, so that it may be changed."""
        here = self.manifest
        for key in path:
            here[key] = dict(here[key])
            here = here[key]
        return here
