"""When references of an image repository came to name at the source what they name: as far as is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lockstep.values import Json


@dataclass(slots=True, kw_only=True)
class Pushes:
    """What was said of pushes to one repository; ``began`` is when the source was first asked.

    A reference of which nobody said anything was seen when the source was asked.
    """

    began: datetime
    _told: dict[str, datetime] = field(default_factory=dict)

    def hear(self, payload: Mapping[str, Json]) -> None:
        """Take in a job of mirroring, which may say when its references were pushed; the first moment counts."""
        told = payload.get("pushed")
        if not isinstance(told, int | float):
            return
        moment = datetime.fromtimestamp(told, UTC)
        for reference in payload["references"]:
            self._told[reference] = min(moment, self._told.get(reference, moment))

    def of(self, reference: str) -> datetime:
        """When a reference was pushed, or first seen."""
        return self._told.get(reference, self.began)
