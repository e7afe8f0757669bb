"""What stance a pair is in, decided from what the store and the sites remember.

The stance is kept in the store and at both sites, so that a second instance at the standby, started with an
empty database while the primary is gone, knows which side is the truth. Each change counts one generation
up; the highest generation wins. Two different stances of one generation were set by two instances that did
not see each other: nobody can tell which is meant, so the stance is unknown and holds everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lockstep.values import Json, Stance


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One change of a pair's stance, as it is kept in the store and at the sites."""

    stance: Stance
    generation: int
    reason: str
    by: str
    at: datetime

    def to_json(self) -> dict[str, Json]:
        """As text fields, the way a site keeps it."""
        return {
            "stance": self.stance.value,
            "generation": str(self.generation),
            "reason": self.reason,
            "by": self.by,
            "at": self.at.isoformat(),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Json]) -> Record:
        """From the text fields of a site.

        Raises:
            ValueError, KeyError: Somebody wrote something else there.
        """
        at = datetime.fromisoformat(str(fields["at"]))
        if at.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return cls(
            stance=Stance(str(fields["stance"])),
            generation=int(str(fields["generation"])),
            reason=str(fields["reason"]),
            by=str(fields["by"]),
            at=at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What one place remembers of a pair: a record, nothing, or that it could not be asked (``problem``)."""

    place: str
    record: Record | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What follows: the record in force (None: normal, never changed), the stance, and who must be told.

    ``behind`` names the places that remember something older; ``problem`` says why the stance is unknown;
    ``contested`` is the generation that was set twice, 0 when none was.
    """

    record: Record | None
    stance: Stance
    behind: tuple[str, ...] = ()
    problem: str = ""
    contested: int = 0


def agree(places: tuple[Remembered, ...]) -> Agreed:
    """Decide a pair's stance from what all places remember, the store among them."""
    readable = [place for place in places if not place.problem]
    newest = max(
        (place.record for place in readable if place.record), key=lambda record: record.generation, default=None
    )
    unread = [f"{place.place} ({place.problem})" for place in places if place.problem]
    if newest is None:
        if unread:
            return Agreed(
                record=None,
                stance=Stance.UNKNOWN,
                problem=f"nothing is remembered here, and {', '.join(unread)} could not be asked",
            )
        return Agreed(record=None, stance=Stance.NORMAL)
    rivals = {
        place.record.stance for place in readable if place.record and place.record.generation == newest.generation
    }
    if len(rivals) > 1:
        named = " and ".join(sorted(stance.value for stance in rivals))
        return Agreed(
            record=None,
            stance=Stance.UNKNOWN,
            problem=f"generation {newest.generation} was set twice, to {named}; set the stance again",
            contested=newest.generation,
        )
    behind = tuple(
        place.place for place in readable if place.record is None or place.record.generation < newest.generation
    )
    return Agreed(record=newest, stance=newest.stance, behind=behind)
